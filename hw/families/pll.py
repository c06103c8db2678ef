"""What clocks a PLL makes of another, and how its cell is set for each.

The PLLs themselves are in ``plls``, a file for each family.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from bitwright.hw.families.part import Part

__all__ = ["Clock", "NoPll", "Pad", "Pll", "Reference", "Solver", "distinct", "fastest",
           "megahertz", "nearest"]


class NoPll(Exception):
    """There is none, or the clock cannot feed it. The message is the reason, as part of a line."""


@dataclass(frozen=True)
class Reference:
    """The clock that a PLL is fed with.

    Parameters
    ----------
    hz : int
        Its frequency.
    pin : str or None
        Its pin of the package. None: an oscillator inside the device.
    inputs : frozenset of str
        The other pins that the design reads.
    """

    hz: int
    pin: str | None = None
    inputs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pad:
    """The input buffer of a pin that feeds a PLL and nothing else.

    Parameters
    ----------
    cell : str
        Type of the cell.
    parameters : mapping of str to int or str
    pin, output : str
        Its ports.
    """

    cell: str
    parameters: Mapping[str, int | str]
    pin: str
    output: str


@dataclass(frozen=True)
class Pll:
    """A PLL that makes one clock, as an instance of the vendor's cell.

    Parameters
    ----------
    cell : str
        Type of the cell.
    input_hz : int
    multiply, divide : int
        The output is ``input_hz * multiply / divide``.
    parameters : mapping of str to int or str
        Of the cell.
    clock, output, lock : str
        Its ports: the clock that feeds it, the clock that it makes, and whether that is stable.
    feedback : tuple of (str, str), optional
        An output of the cell, and the input that it is led back to.
    constants : mapping of str to int
        Inputs that are tied.
    attributes : mapping of str to str
        Of the cell.
    pad : Pad, optional
        What the clock's pin needs that belongs to this PLL. Left out: any clock feeds it.
    """

    cell: str
    input_hz: int
    multiply: int
    divide: int
    parameters: Mapping[str, int | str]
    clock: str
    output: str
    lock: str
    feedback: tuple[str, str] | None = None
    constants: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    pad: Pad | None = None

    @property
    def output_hz(self) -> Fraction:
        """The clock that it makes, exactly."""
        return Fraction(self.input_hz * self.multiply, self.divide)


@dataclass(frozen=True)
class Clock:
    """What clocks a design.

    Parameters
    ----------
    oscillator_hz : int
        The board's.
    pll : Pll or None
        What makes the design's clock of it. None: it is the design's clock.
    """

    oscillator_hz: int
    pll: Pll | None = None

    @property
    def exact_hz(self) -> Fraction:
        """Of the design."""
        return Fraction(self.oscillator_hz) if self.pll is None else self.pll.output_hz

    @property
    def hz(self) -> float:
        """The same, as near as a float is."""
        return float(self.exact_hz)

    @property
    def name(self) -> str:
        """For messages and folders."""
        return "oscillator" if self.pll is None else f"{megahertz(self.exact_hz)}MHz"


Solver = Callable[[Part, Reference], Sequence[Pll]]
"""Every clock that the PLL of a part makes of a reference, one setting each, from the slowest.

A pure function. Raises :class:`NoPll` if there is none.
"""


def distinct(settings: Iterable[Pll]) -> tuple[Pll, ...]:
    """One setting of each output, the first that there is, from the slowest output."""
    found: dict[tuple[int, int], Pll] = {}
    for setting in settings:
        common = math.gcd(setting.multiply, setting.divide)
        found.setdefault((setting.multiply // common, setting.divide // common), setting)
    return tuple(sorted(found.values(), key=lambda one: one.output_hz))


def nearest(settings: Sequence[Pll], wanted_hz: float) -> Pll | None:
    """The setting whose output is nearest, the slower of two; None if there are no settings."""
    return min(settings, key=lambda one: abs(one.output_hz - Fraction(wanted_hz)), default=None)


def fastest(settings: Sequence[Pll], limit_hz: float | Fraction) -> Pll | None:
    """The setting with the fastest output that is not above a limit, if there is one."""
    within = [one for one in settings if one.output_hz <= limit_hz]
    return within[-1] if within else None


def megahertz(hertz: float | Fraction) -> str:
    """A frequency for people: as many digits as it needs, at most to the Hz."""
    return f"{float(hertz) / 1e6:.6f}".rstrip("0").rstrip(".")
