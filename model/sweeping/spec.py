"""The file that says what a sweep tries."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from bitwright.errors import UserError
from bitwright.form import Form
from bitwright.model.recipe import Recipe, load_recipe, override
from bitwright.model.settings import RecipeError, nearest, parse

__all__ = ["OBJECTIVES", "Choices", "Range", "Spec", "SweepError", "load_spec", "no_estimate",
           "spec_names"]

FOLDER = Path(__file__).parents[1] / "sweeps"

OBJECTIVES = {"validation": "maximize", "luts": "minimize", "fmax_mhz": "maximize"}
"""What networks may be chosen by, and which way is better: the task's metric on the validation
split, and what an estimate says of the hardware."""


class SweepError(UserError):
    """A sweep cannot be done. One line: the thing, the rule, the offending value."""


@dataclass(frozen=True)
class Range:
    """Numbers from one to another, both included.

    Parameters
    ----------
    low, high : int or float
        Both integers for integers.
    step : int or float, optional
        From one to the next, counted from ``low``. Left out: 1 of integers, any number of others.
    log : bool
        Whether every factor is as likely, rather than every difference.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            if type(value) not in (int, float) and not (name == "step" and value is None):
                raise ValueError(f"{name} must be a number, not {value!r}")
        if type(self.log) is not bool:
            raise ValueError(f"log must be true or false, not {self.log!r}")
        if not self.low < self.high < float("inf"):
            raise ValueError(f"high must be more than low, {self.low:g}, not {self.high:g}")
        if self.step is not None and (
                not self.step > 0 or (self.integers and type(self.step) is not int)):
            noun = "an integer of at least 1" if self.integers else "more than 0"
            raise ValueError(f"step must be {noun}, not {self.step!r}")
        if self.log and not self.low > 0:
            raise ValueError(f"low must be more than 0 where log is true, not {self.low:g}")
        if self.log and self.step is not None:
            raise ValueError(f"step must be left out where log is true, not {self.step!r}")

    @property
    def integers(self) -> bool:
        """Whether its numbers are integers."""
        return type(self.low) is int and type(self.high) is int

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that a recipe must take, or it takes none."""
        if self.step is None:
            return self.low, self.high
        count = (self.high - self.low) // self.step
        last = self.low + count * self.step
        return self.low, int(last) if self.integers else last


@dataclass(frozen=True)
class Choices:
    """One of several values.

    Parameters
    ----------
    choices : list
        Numbers, strings, true or false; at least 2, none of them twice.
    """

    choices: tuple[Any, ...]

    def __post_init__(self) -> None:
        values = self.choices
        if not isinstance(values, list | tuple) or len(values) < 2:
            raise ValueError(f"choices must be a list of at least 2 values, not {values!r}")
        for value in values:
            if type(value) not in (int, float, str, bool):
                raise ValueError(f"choices must be numbers, strings, true or false, not {value!r}")
        if len({(type(value), value) for value in values}) < len(values):
            raise ValueError(f"choices must differ, not {list(values)!r}")
        object.__setattr__(self, "choices", tuple(values))

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that a recipe must take."""
        return self.choices


@dataclass(frozen=True)
class _Scalars:
    """Keys of a spec with plain values. See :class:`Spec`."""

    recipe: str
    trials: int = 50
    processes: int = 1
    sampler: Literal["tpe", "random", "nsga2"] = "tpe"
    pruner: Literal["none", "median", "halving"] = "median"
    target: str = "xilinx"
    rate: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("trials", "processes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise ValueError(f"rate must be more than 0, not {self.rate:g}")
        if not 0 <= self.seed < 1 << 32:
            raise ValueError(f"seed must be from 0 to 2^32 - 1, not {self.seed}")


@dataclass(frozen=True)
class Spec:
    """What a sweep tries, and what it chooses by.

    Parameters
    ----------
    base : Recipe
        With the settings that are the same in every trial.
    ranges : mapping of str to Range or Choices
        Settings that are varied, by dotted path.
    trials : int
        How many, those that are pruned included.
    processes : int
        Side by side.
    sampler : str
        What proposes the next trial: ``"tpe"`` (a tree of Parzen estimators: from what was good so
        far), ``"random"`` or ``"nsga2"`` (a genetic algorithm for several objectives).
    pruner : str
        See :mod:`model.sweeping.pruning`.
    objectives : tuple of str
        Names of :data:`OBJECTIVES`; the first one is ``"validation"``, by which trials are pruned.
    target : str
        Family, board or part for which the hardware is estimated.
    rate : float or None
        Samples a second that the design must take on the target, which the plan is chosen by.
    form : Form
        How nodes are built, where no rate chooses it.
    seed : int
        Of the sampler.
    seeds : tuple of int
        Of the trainings of a trial, one after the other. What a trial reaches is their mean.
    """

    base: Recipe
    ranges: Mapping[str, Range | Choices]
    trials: int
    processes: int
    sampler: str
    pruner: str
    objectives: tuple[str, ...]
    target: str
    rate: float | None
    form: Form
    seed: int
    seeds: tuple[int, ...]

    @property
    def where(self) -> str:
        """Target and form, for people: what figures of hardware are of."""
        return ", ".join(filter(None, (self.target, str(self.form))))

    def recipe(self, values: Mapping[str, Any], number: int, seed: int) -> Recipe:
        """The recipe of a training: a trial's values and one of its seeds.

        Raises
        ------
        RecipeError
            If the values do not go together.
        """
        plain = self.base.plain()
        for key, value in values.items():
            _put(plain, key, value)
        plain |= {"seed": seed, "name": f"{self.base.name}-{number:04}"}
        return Recipe.of(plain)


def spec_names() -> list[str]:
    """Names of the specs that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def no_estimate(target: str, name: str) -> SweepError:
    """What to say where nothing is known of an objective for a target."""
    return SweepError(f"{target}: no estimate of {name}; name a board or a part as target")


def load_spec(which: str) -> Spec:
    """Read a spec.

    Parameters
    ----------
    which : str
        Name of one that comes with the package, or path of a ``.toml`` file.

    Raises
    ------
    SweepError
        If there is none, it is no TOML, or something in it is refused. One line.
    """
    path = Path(which) if which.endswith(".toml") else FOLDER / f"{which}.toml"
    if not path.is_file():
        if which.endswith(".toml"):
            raise SweepError(f"{which}: no such file")
        raise SweepError(f"Unknown sweep {which!r}; {nearest(which, spec_names())}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SweepError(f"{path}: not readable as TOML ({error})") from error
    try:
        return _spec(values)
    except RecipeError as error:
        raise SweepError(f"Sweep {which}: {error}") from error


def _spec(values: dict[str, Any]) -> Spec:
    values = dict(values)
    settings = values.pop("settings", {})
    objectives = values.pop("objectives", ["validation", "luts"])
    seeds = values.pop("seeds", [0])
    form = parse(Form, values.pop("form", {}), "form")
    known = {*(field.name for field in fields(_Scalars)), "settings", "objectives", "seeds", "form"}
    for key in values:
        if key not in known:
            raise RecipeError(f"unknown key {key!r}; {nearest(key, known)}")
    scalars = parse(_Scalars, values)
    _check_list("objectives", objectives, str)
    for name in objectives:
        if name not in OBJECTIVES:
            raise RecipeError(f"unknown objective {name!r}; {nearest(name, OBJECTIVES)}")
    if objectives[0] != "validation":
        raise RecipeError(f"objectives must begin with 'validation', not {objectives[0]!r}")
    _check_list("seeds", seeds, int)
    if scalars.rate is not None and form.given:
        raise RecipeError("rate must be left out where there is a form, as it chooses its own, not "
                          f"{scalars.rate:g}")
    fixed, ranges = _settings(settings)
    spec = Spec(_base(scalars.recipe, fixed), ranges, scalars.trials, scalars.processes,
                scalars.sampler, scalars.pruner, tuple(objectives), scalars.target, scalars.rate,
                form, scalars.seed, tuple(seeds))
    _check_ends(spec)
    return spec


def _check_list(name: str, values: Any, kind: type) -> None:
    noun = {str: "names", int: "integers of at least 0"}[kind]
    if not isinstance(values, list) or not values or len(set(map(repr, values))) < len(values) or (
            not all(type(value) is kind and (kind is str or value >= 0) for value in values)):
        raise RecipeError(f"{name} must be a list of different {noun}, not {values!r}")


def _settings(tables: Any) -> tuple[dict[str, Any], dict[str, Range | Choices]]:
    """Settings that stay, and those that vary, by dotted path."""
    if not isinstance(tables, Mapping):
        raise RecipeError(f"settings must be a table, not {tables!r}")
    fixed: dict[str, Any] = {}
    ranges: dict[str, Range | Choices] = {}

    def walk(table: Mapping[str, Any], where: str) -> None:
        for key, value in table.items():
            path = f"{where}.{key}" if where else key
            if not isinstance(value, Mapping):
                fixed[path] = value
            elif {"low", "high"} & set(value):
                ranges[path] = _varied(Range, value, path)
            elif "choices" in value:
                ranges[path] = _varied(Choices, value, path)
            else:
                walk(value, path)

    walk(tables, "")
    if not ranges:
        raise RecipeError("settings must have at least one that varies, such as "
                          "backprop.learning_rate = { low = 0.001, high = 0.1, log = true }")
    for path in ("seed", "name"):
        if path in fixed or path in ranges:
            raise RecipeError(f"settings.{path} must be left out: a sweep gives each training its "
                              "own")
    return fixed, ranges


def _varied(cls: Any, values: Mapping[str, Any], path: str) -> Any:
    known = [field.name for field in fields(cls)]
    for key in values:
        if key not in known:
            raise RecipeError(f"unknown key 'settings.{path}.{key}'; {nearest(key, known)}")
    for key in ("low", "high"):
        if cls is Range and key not in values:
            raise RecipeError(f"key 'settings.{path}.{key}' is missing")
    try:
        return cls(**values)
    except ValueError as error:
        raise RecipeError(f"settings.{path}.{error}") from error


def _base(which: str, fixed: Mapping[str, Any]) -> Recipe:
    plain = load_recipe(which).plain()
    for key, value in fixed.items():
        _put(plain, key, value)
    return Recipe.of(plain)


def _put(plain: dict[str, Any], key: str, value: Any) -> None:
    """Replace a setting, one of its own type of value."""
    override(plain, f"{key}=0")  # refuses a path that leads nowhere
    *path, last = key.split(".")
    place: Any = plain
    for step in path:
        place = place[int(step) if isinstance(place, list) else step]
    place[last] = value


def _check_ends(spec: Spec) -> None:
    """See that the recipe takes each end of each range, the others being as they are in it."""
    for path, varied in spec.ranges.items():
        for value in varied.ends:
            try:
                spec.recipe({path: value}, 0, 0)
            except RecipeError as error:
                raise RecipeError(f"settings.{path}: {error}") from error
