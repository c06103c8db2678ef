"""How a file of one's own is read, and what becomes of its values."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal, get_args, get_type_hints

from bitwright.ir.numbers import MAX_STEPS
from bitwright.ir.picture import MAX_SIDE

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """The table ``[source]`` of a recipe. Named data sets need none of it.

    Parameters
    ----------
    task : str
        Whether labels name classes, or are numbers.
    label : str
        Column of the labels: its name, or its number from 1. Empty: the last one.
    ignore : str
        Columns that are left out, with commas between.
    header : str
        Whether the first line names the columns. ``auto``: if it has no number.
    separator : str
        ``auto``, ``comma``, ``semicolon``, ``tab`` or ``space``.
    missing : str
        What is done about an empty cell, ``?``, ``NA`` or ``nan``: refused, its row dropped, or
        the median of its column in the training part put in its place (also in every later file).
    test : str
        File of the test part. Empty: ``share`` of the samples, drawn by ``seed``, each class in
        proportion.
    share : float
        Above 0 and below 1.
    seed : int
        Of that draw.
    group : str
        Column whose value names the recording that a row belongs to. No recording is on both
        sides of a split.
    quantiser : str
        How numbers become integers: on an even scale, or by rank.
    bits : int
        Of such an integer, 1 to 16.
    window, step : int
        Rows of a sample, and from one sample to the next. A window never crosses recordings.
    vote : str
        Label of a window: the most frequent one of its rows, or that of the last row.
    colour : str
        Whether pictures are read as grey or as red, green and blue. ``auto``: as they are.
    height, width : int
        Pixels that pictures are brought to. 0: as they are, all of one size.
    aspect : str
        Whether pictures of another aspect are stretched or cropped.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    task: Literal["classification", "regression"] = "classification"
    label: str = ""
    ignore: str = ""
    header: Literal["auto", "yes", "no"] = "auto"
    separator: Literal["auto", "comma", "semicolon", "tab", "space"] = "auto"
    missing: Literal["refuse", "drop", "median"] = "refuse"
    test: str = ""
    share: float = 0.25
    seed: int = 20240229
    group: str = ""
    quantiser: Literal["affine", "quantile"] = "affine"
    bits: int = 8
    window: int = 1
    step: int = 1
    vote: Literal["majority", "last"] = "majority"
    colour: Literal["auto", "grey", "rgb"] = "auto"
    height: int = 0
    width: int = 0
    aspect: Literal["stretch", "crop"] = "stretch"

    @classmethod
    def of(cls, settings: Iterable[str]) -> Source:
        """Read settings of a command line, ``key=value`` each.

        Raises
        ------
        ValueError
            If a key is unknown, or a value is refused.
        """
        hints, values = get_type_hints(cls), dict[str, str | int | float]()
        for setting in settings:
            key, equals, text = setting.partition("=")
            key = key.strip().removeprefix("source.")
            if not equals or key not in hints:
                near = difflib.get_close_matches(key, hints, n=1)
                raise ValueError(f"a setting must be KEY=VALUE with a key of {', '.join(hints)}, "
                                 f"not {setting!r}"
                                 + (f"; did you mean {near[0]!r}?" if near else ""))
            try:
                values[key] = (hints[key] if hints[key] in (int, float) else str)(text)
            except ValueError as error:
                kind = "an integer" if hints[key] is int else "a number"
                raise ValueError(f"{key} must be {kind}, not {text!r}") from error
        return cls(**values)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        for field in fields(self):
            choices = get_args(get_type_hints(type(self))[field.name])
            if choices and getattr(self, field.name) not in choices:
                raise ValueError(f"{field.name} must be one of {', '.join(map(repr, choices))}, "
                                 f"not {getattr(self, field.name)!r}")
        if not 0 < self.share < 1:
            raise ValueError(f"share must be between 0 and 1, not {self.share}")
        for name, low, high in (("seed", 0, (1 << 63) - 1), ("bits", 1, 16),
                                ("window", 1, MAX_STEPS), ("step", 1, MAX_STEPS),
                                ("height", 0, MAX_SIDE), ("width", 0, MAX_SIDE)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be between {low} and {high}, "
                                 f"not {getattr(self, name)}")
        if bool(self.height) != bool(self.width):
            raise ValueError(f"height and width must both be given, or neither, not {self.height} "
                             f"and {self.width}")
