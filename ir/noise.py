"""Numbers that look drawn, from a register that a few gates keep going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.fields import Field, Integer, check

__all__ = ["MAX_BITS", "MAX_SEED", "MAX_SUMMANDS", "STATE_BITS", "TAPS", "Noise"]

STATE_BITS = 64
"""Bits of the register."""

TAPS = (0, 1, 3, 4)
"""The next bit is the sum, modulo 2, of the oldest bits at these places: x^64 + x^4 + x^3 + x + 1,
which is primitive, so that the sequence repeats after 2^64 - 1 bits. They lie close together, and
so 60 bits can be had at once, each of four others."""

MAX_SEED, MAX_BITS, MAX_SUMMANDS = (1 << 31) - 1, 16, 16


@dataclass(frozen=True)
class Noise:
    """A sequence of pseudo-random numbers: sums of ``summands`` words of ``bits`` bits.

    The words are cut from the sequence of one linear feedback shift register, one after the other,
    the first bit of a word lowest. One summand gives numbers that are spread evenly from 0 to
    ``2^bits - 1``; of four and more, a normal distribution is near.

    Parameters
    ----------
    seed : int
        Of the register, 0 to 2^31 - 1.
    bits : int
        Of a word, 1 to 16.
    summands : int
        Words of a number, 1 to 16.

    Raises
    ------
    ValueError
        If one is no integer or out of its range.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("noise_seed", 0, MAX_SEED),
        Integer("noise_bits", 1, MAX_BITS),
        Integer("noise_summands", 1, MAX_SUMMANDS),
    )

    NOTHING: ClassVar[dict[str, int]] = {
        "noise_seed": 0, "noise_bits": 0, "noise_summands": 0}
    """What :meth:`values` would have of none at all."""

    seed: int
    bits: int
    summands: int = 1

    def __post_init__(self) -> None:
        check(self.fields, self.values())

    def values(self) -> dict[str, int]:
        """The numbers by the names of the fields."""
        return {"noise_seed": self.seed, "noise_bits": self.bits, "noise_summands": self.summands}

    @classmethod
    def from_values(cls, values: Mapping[str, int]) -> Self:
        """Make one of :meth:`values`."""
        return cls(values["noise_seed"], values["noise_bits"], values["noise_summands"])

    @property
    def highest(self) -> int:
        """Largest number, inclusive; the smallest is 0."""
        return self.summands * ((1 << self.bits) - 1)

    @property
    def start(self) -> int:
        """What the register begins with, never 0; its bit 0 is the first of the sequence.

        SplitMix64 of the seed, so that seeds which lie together begin far apart.
        """
        mask = (1 << 64) - 1
        mixed = (self.seed + 0x9E3779B97F4A7C15) & mask
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & mask
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & mask
        return mixed ^ mixed >> 31 or 1

    def numbers(self, count: int) -> NDArray[np.int32]:
        """The first numbers, shape (count,)."""
        words = self._sequence(count * self.summands * self.bits)
        weights = 1 << np.arange(self.bits, dtype=np.int32)
        cut = words.reshape(count, self.summands, self.bits).astype(np.int32)
        total: NDArray[np.int32] = (cut @ weights).sum(axis=1, dtype=np.int32)
        return total

    def _sequence(self, count: int) -> NDArray[np.bool_]:
        """The first bits, shape (count,)."""
        found = np.array([self.start >> place & 1 for place in range(STATE_BITS)], bool)
        spread = 1
        # p(x)^2 = p(x^2) modulo 2: the rule holds as well between bits that are 2, 4, 8, … times as
        # far apart, so that the sequence almost doubles in each turn.
        while len(found) < count:
            while 2 * spread * STATE_BITS <= len(found):
                spread *= 2
            new = (STATE_BITS - TAPS[-1]) * spread
            first = len(found) - STATE_BITS * spread
            parts = [found[first + tap * spread :][:new] for tap in TAPS]
            found = np.concatenate([found, np.bitwise_xor.reduce(parts)])
        return found[:count]
