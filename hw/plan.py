"""The choices that turn a network into one circuit: a small file to read and to edit."""

import difflib
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

__all__ = ["FOLDED", "Plan", "PlanError"]

FOLDED = "folded"

REALISATIONS = ("unrolled", FOLDED)
"""Ways to build a node. Unrolled: one copy of everything, a new frame every cycle. Folded: the
weights lie in a memory, and a little logic goes through it for every frame."""

LUT_SIZES = (4, 5, 6)


class PlanError(ValueError):
    """A plan cannot be used. The message names the key and what is wrong with it."""


@dataclass(frozen=True)
class Plan:
    """How to realise a network.

    Parameters
    ----------
    lanes : int
        Features that the encoder takes in each beat, at least 1.
    levels_per_register : int
        Longest path of the core between two registers, in LUTs of the device, at least 1.
    lut_size : int
        Inputs of a LUT of the device, 4 to 6. Decides which compressors count bits, and how many
        levels a table with more inputs is worth.
    realisations : mapping from node name to str
        Way to build a node, ``"unrolled"`` or ``"folded"``; one that is not named is unrolled.
    fold_cycles : int
        Cycles that each folded node may take for a frame, at least 1. It reads as few bits of its
        weights in each as will do.

    Raises
    ------
    PlanError
        If a value is outside its range.
    """

    lanes: int = 1
    levels_per_register: int = 2
    lut_size: int = 4
    realisations: Mapping[str, str] = field(default_factory=dict)
    fold_cycles: int = 1024

    def __post_init__(self) -> None:
        for name in ("lanes", "levels_per_register", "lut_size", "fold_cycles"):
            value = getattr(self, name)
            if type(value) is not int:
                raise PlanError(f"Plan key {name!r} must be an integer, not {value!r}")
        for name in ("lanes", "levels_per_register", "fold_cycles"):
            if getattr(self, name) < 1:
                raise PlanError(f"Plan key {name!r} must be at least 1, not {getattr(self, name)}")
        if self.lut_size not in LUT_SIZES:
            raise PlanError(f"Plan key 'lut_size' must be one of {LUT_SIZES}, not {self.lut_size}")
        if not isinstance(self.realisations, Mapping):
            raise PlanError(f"Plan key 'realisations' must be a table, not {self.realisations!r}")
        for name, way in self.realisations.items():
            if way not in REALISATIONS:
                raise PlanError(f"Plan key 'realisations.{name}' must be one of {REALISATIONS}, "
                                f"not {way!r}")
        object.__setattr__(self, "realisations", MappingProxyType(dict(self.realisations)))

    def levels(self, fan_in: int) -> int:
        """LUT levels of a table: one, and one more for each input that a LUT is short of."""
        return 1 + max(0, fan_in - self.lut_size)

    def check(self, names: tuple[str, ...]) -> None:
        """Refuse a realisation of a node that is not there.

        Raises
        ------
        PlanError
            If a key of ``realisations`` is none of ``names``.
        """
        for name in self.realisations:
            if name not in names:
                raise PlanError(f"Plan key 'realisations.{name}' names no node"
                                f"{_suggestion(name, names)}")

    @property
    def digest(self) -> str:
        """SHA-256 of :meth:`to_toml`, in hexadecimal. Equal plans have equal digests."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()

    def to_toml(self) -> str:
        """Text that :meth:`from_toml` reads back. Equal plans give equal text."""
        lines = [f"lanes = {self.lanes}  # features in each beat of the input",
                 f"levels_per_register = {self.levels_per_register}  # LUTs between two registers",
                 f"lut_size = {self.lut_size}  # inputs of a LUT of the device",
                 f"fold_cycles = {self.fold_cycles}  # cycles of a frame in each folded node",
                 "", "[realisations]  # of nodes, by name: unrolled or folded"]
        lines += [f'{name} = "{self.realisations[name]}"' for name in sorted(self.realisations)]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a plan. Keys that are left out keep their defaults.

        Raises
        ------
        PlanError
            If the text is not TOML, a key is unknown, or a value is outside its range.
        """
        try:
            values: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise PlanError(f"Plan is not TOML: {error}") from error
        known = tuple(item.name for item in fields(cls))
        for key in values:
            if key not in known:
                raise PlanError(f"Plan key {key!r} is unknown{_suggestion(key, known)}")
        return cls(**values)


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return f"; the nearest is {nearest[0]!r}" if nearest else ""
