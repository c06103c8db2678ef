"""Recipes: every setting of a training, in one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bitwright.data import Source
from bitwright.model.graph import Place, agree, settled
from bitwright.model.heads import Head
from bitwright.model.inputs.modulate import Settings as Modulate
from bitwright.model.layers import Layer
from bitwright.model.rules import Rule
from bitwright.model.settings import RecipeError, nearest, parse, plain
from bitwright.model.tasks.distilled import Distill
from bitwright.model.training.augment import Augment
from bitwright.model.training.jitter import check_pixels

__all__ = ["Recipe", "RecipeError", "load_recipe", "override", "recipe_names"]

FOLDER = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Recipe:
    """Every setting of a training.

    Parameters
    ----------
    name : str
        Of the run folder, too.
    data : str
        Name of the data set, or where a file of one's own is.
    seed : int
        Of the validation split, the wiring, the initial values and the order of the data.
    epochs : int
        At most.
    keep : str
        Which epoch is frozen: the best one on the validation split, or the last one. Of a
        validation split of some dozens of samples the best one is a matter of luck. ``front``: the
        best one, and each that is smaller than all that are as good.
    patience : int
        Epochs without a better one, or a new one of the front, after which training stops. Not
        used where the last one is kept.
    batch : int
        Samples of a step.
    validation : float
        Share of the training part that is set aside.
    jitter : int
        Pixels by which training pictures are shifted at random, up to that far each way, anew in
        every epoch.
    balance : bool
        Whether every class counts the same in the loss and in the choice of the best epoch, however
        many samples it has. Otherwise every sample does.
    learning : str
        Name of the learning rule.
    rule : dataclass
        Its settings, in the recipe's table of that name.
    source : Source
        How a file of one's own is read.
    modulate : Modulate
        How features become bits.
    layers : tuple of dataclasses
        Settings of each layer, first to last.
    head : dataclass
    kinds : tuple of str
        Kind of each layer, then of the head.
    augment : Augment
        How else training pictures are changed.
    distill : Distill
        From which teacher it learns, too.
    places : tuple of Place
        Name and inputs of each layer, as far as they are said. Left out: a chain.
    """

    name: str
    rule: Any
    layers: tuple[Any, ...]
    head: Any
    kinds: tuple[str, ...]
    data: str = "digits"
    seed: int = 0
    epochs: int = 100
    keep: Literal["best", "last", "front"] = "best"
    patience: int = 20
    batch: int = 64
    validation: float = 0.15
    jitter: int = 0
    balance: bool = False
    learning: str = "backprop"
    source: Source = field(default_factory=Source)
    modulate: Modulate = field(default_factory=Modulate)
    augment: Augment = field(default_factory=Augment)
    distill: Distill = field(default_factory=Distill)
    places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        if self.name in ("", ".", "..") or "/" in self.name or not self.name.isprintable():
            raise ValueError(f"name must be one that a folder may have, not {self.name!r}")
        for name in ("epochs", "patience", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.seed < 1 << 63:
            raise ValueError(f"seed must be from 0 to 2^63 - 1, not {self.seed}")
        if not 0 < self.validation < 1:
            raise ValueError(f"validation must be between 0 and 1, not {self.validation}")
        check_pixels("jitter", self.jitter)
        agree(settled(self.kinds[:-1], self.places),
              [cls for cls, _ in (*self.layer_types, self.head_type)], self.modulate.values,
              f"where modulate.levels is {self.modulate.levels!r}")

    @property
    def layer_types(self) -> list[tuple[type[Layer], Any]]:
        """Class and settings of each layer."""
        return [(Layer.kinds[kind], settings)
                for kind, settings in zip(self.kinds[:-1], self.layers, strict=True)]

    @property
    def head_type(self) -> tuple[type[Head], Any]:
        """Class and settings of the head."""
        return Head.kinds[self.kinds[-1]], self.head

    def plain(self) -> dict[str, Any]:
        """Every setting as plain values, in the form of a recipe file."""
        kinds = [{"kind": kind} for kind in self.kinds]
        for said, place in zip(kinds, self.places, strict=False):
            said |= {key: value for key, value in plain(place).items() if value}
        return {
            **{name: getattr(self, name) for name in _SCALARS},
            **({"source": plain(self.source)} if self.source != Source() else {}),
            **({"augment": plain(self.augment)} if self.augment != Augment() else {}),
            **({"distill": plain(self.distill)} if self.distill.teacher else {}),
            self.learning: plain(self.rule),
            "modulate": plain(self.modulate),
            "layers": [kind | plain(settings)
                       for kind, settings in zip(kinds[:-1], self.layers, strict=True)],
            "head": kinds[-1] | plain(self.head),
        }

    def toml(self) -> str:
        """Every setting as a recipe file."""
        import tomli_w

        return tomli_w.dumps(self.plain())

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Recipe:
        """Make a recipe of plain values.

        Raises
        ------
        RecipeError
            If a key is unknown or missing, or a value is refused.
        """
        values = dict(values)
        learning = values.get("learning", "backprop")
        if not isinstance(learning, str) or learning not in Rule.kinds:
            raise RecipeError(f"unknown learning rule {learning!r}; "
                              f"{nearest(str(learning), Rule.kinds)}")
        known = {*_SCALARS, *Rule.kinds, "source", "augment", "distill", "modulate", "layers",
                 "head"}
        for key in values:
            if key not in known:
                raise RecipeError(f"unknown key {key!r}; {nearest(key, known)}")
        layers = values.pop("layers", [])
        if not isinstance(layers, list):
            raise RecipeError(f"layers must be a list of tables, not {layers!r}")
        places = [_place(layer, f"layers.{index}") for index, layer in enumerate(layers)]
        parts = [_part(Layer.kinds, layer, f"layers.{index}")
                 for index, (layer, _) in enumerate(places)]
        head = values.pop("head", {"kind": "group_sum"})
        parts.append(_part(Head.kinds, head, "head"))
        # A recipe may hold the settings of several rules, of which `learning` chooses one.
        rules = {kind: parse(rule.Settings, values.pop(kind, {}), kind)
                 for kind, rule in Rule.kinds.items() if kind in values or kind == learning}
        modulate = parse(Modulate, values.pop("modulate", {}), "modulate")
        built = {"rule": rules[learning], "modulate": modulate,
                 "augment": parse(Augment, values.pop("augment", {}), "augment"),
                 "distill": parse(Distill, values.pop("distill", {}), "distill"),
                 "source": parse(Source, _columns(values.pop("source", {})), "source"),
                 "kinds": tuple(kind for kind, _ in parts),
                 "layers": tuple(settings for _, settings in parts[:-1]), "head": parts[-1][1],
                 "places": tuple(place for _, place in places)}
        return parse(cls, values | built)


def _columns(source: Any) -> Any:
    """A table `source` in which columns may be integers: their numbers, from 1."""
    if not isinstance(source, Mapping):
        return source
    return {key: str(value) if key in ("label", "group", "ignore") and type(value) is int else value
            for key, value in source.items()}


_SCALARS = ("name", "data", "seed", "epochs", "keep", "patience", "batch", "validation", "jitter",
            "balance", "learning")


def _place(values: Any, where: str) -> tuple[Any, Place]:
    """What a recipe says of a layer, without its place; and its place."""
    if not isinstance(values, Mapping):
        return values, Place()  # refused as a part
    values = dict(values)
    name, inputs = values.pop("name", ""), values.pop("inputs", [])
    if not isinstance(name, str):
        raise RecipeError(f"{where}.name must be a string, not {name!r}")
    if not isinstance(inputs, list) or not all(isinstance(one, str) for one in inputs):
        raise RecipeError(f"{where}.inputs must be a list of names, not {inputs!r}")
    return values, Place(name, tuple(inputs))


def _part(kinds: Mapping[str, Any], values: Any, where: str) -> tuple[str, Any]:
    if not isinstance(values, Mapping):
        raise RecipeError(f"{where} must be a table, not {values!r}")
    if "kind" not in values:
        raise RecipeError(f"key '{where}.kind' is missing; known are {', '.join(sorted(kinds))}")
    kind = values["kind"]
    if kind == "unit_dense":
        raise RecipeError(f"{where}.kind 'unit_dense' is now 'dense' with unit_length = true")
    if not isinstance(kind, str) or kind not in kinds:
        raise RecipeError(f"unknown {where}.kind {kind!r}; {nearest(str(kind), kinds)}")
    rest = {key: value for key, value in values.items() if key != "kind"}
    return kind, parse(kinds[kind].Settings, rest, where)


def recipe_names() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_recipe(which: str, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    which : str
        Name of a recipe that comes with the package, or path of a ``.toml`` file.
    overrides : iterable of str
        Each ``key=value`` replaces a setting, the key a dotted path (``layers.0.width=200``).

    Raises
    ------
    RecipeError
        If there is no such recipe, it is no TOML, or a setting is refused.
    """
    path = Path(which) if which.endswith(".toml") else FOLDER / f"{which}.toml"
    if not path.is_file():
        if which.endswith(".toml"):
            raise RecipeError(f"{which}: no such file")
        raise RecipeError(f"Unknown recipe {which!r}; {nearest(which, recipe_names())}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # a byte-order mark may lead
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path}: not readable as TOML ({error})") from error
    values.setdefault("name", path.stem)
    try:
        for setting in overrides:
            override(values, setting)
        return Recipe.of(values)
    except RecipeError as error:
        raise RecipeError(f"Recipe {which}: {error}") from error


def override(values: dict[str, Any], text: str) -> None:
    """Replace a setting of a recipe that is read.

    Parameters
    ----------
    values : dict
        Changed in place.
    text : str
        ``key=value``, the key a dotted path.

    Raises
    ------
    RecipeError
        If it is none, or the path leads nowhere.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise RecipeError(f"a setting must look like key=value, not {text!r}")
    *path, last = key.strip().split(".")
    place: Any = values
    for index, step in enumerate(path):
        where = ".".join(path[: index + 1])
        if isinstance(place, list):
            if not step.isdigit() or int(step) >= len(place):
                raise RecipeError(f"{where}: there is no such entry, the list has {len(place)}")
            place = place[int(step)]
        elif isinstance(place, dict):
            place = place.setdefault(step, {})
        else:
            raise RecipeError(f"{where}: {place!r} has no settings inside")
    if isinstance(place, list):
        raise RecipeError(f"{key}: a setting inside an entry must be named")
    if not isinstance(place, dict):
        raise RecipeError(f"{key}: {place!r} has no settings inside")
    try:
        place[last] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        place[last] = value.strip()  # a string without its quotes, as a shell leaves it
