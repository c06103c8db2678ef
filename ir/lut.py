"""A layer of look-up tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import ONES, Bits, Words
from bitwright.ir.fields import MAX_WIDTH, Array, BitArray, Field, Integer, Size
from bitwright.ir.node import BitNode

__all__ = ["UNCONNECTED", "Lut"]

UNCONNECTED = -1
"""Source of a slot that reads no input bit. The slot is 0."""

MAX_FAN_IN = 8

_CHUNK_WORDS = 1 << 15
"""Words in one working buffer of the evaluator: 256 KiB, so that it stays in a core's cache."""


@dataclass(frozen=True, eq=False)
class Lut(BitNode, kind="lut"):
    """Layer of look-up tables: ``y[j] = tables[j, sum_i x[sources[j, i]] * 2^i]``.

    Parameters
    ----------
    width : int
        Number of input bits.
    sources : array of int32, shape (out_width, fan_in)
        Input bit read by each slot; slot 0 is the least significant bit of the address. A table
        with fewer inputs has -1 in its unused slots, which read 0.
    tables : array of bool, shape (out_width, 2 ** fan_in)
        Contents by address.

    Raises
    ------
    ValueError
        If the fan-in is not 1 to 8, the shapes disagree, or a source is not an input bit.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("width", 1, MAX_WIDTH),
        Integer("fan_in", 1, MAX_FAN_IN),
        Size("out_width", 1, MAX_WIDTH),
        Array("sources", ("out_width", "fan_in"), UNCONNECTED, "width - 1"),
        BitArray("tables", ("out_width", "2**fan_in")),
    )

    width: int
    sources: NDArray[np.int32]
    tables: Bits

    @property
    def fan_in(self) -> int:
        """Slots of a table."""
        return int(self.sources.shape[1])

    @property
    def in_width(self) -> int:
        return self.width

    @property
    def out_width(self) -> int:
        return len(self.sources)

    @property
    def reads(self) -> Bits:
        mask = np.zeros(self.width + 1, bool)
        mask[self.sources] = True  # a slot without a source marks the last element
        return mask[:-1]

    def evaluate_words(self, x: Words) -> Words:
        columns = x.shape[1]
        y = np.empty((self.out_width, columns), np.uint64)
        # A last row of zeros is what source -1 reads.
        padded = np.vstack([x, np.zeros((1, columns), np.uint64)])
        step = max(1, _CHUNK_WORDS // max(1, columns << (self.fan_in - 1)))
        for start in range(0, self.out_width, step):
            part = slice(start, start + step)
            y[part] = _multiplex(self.tables[part], padded, self.sources[part])
        return y

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        width, out_width = (int(n) for n in rng.integers((1, 1), (12, 12)))
        fan_in = int(rng.integers(1, 7))
        sources = rng.integers(UNCONNECTED, width, size=(out_width, fan_in)).astype(np.int32)
        return cls(width, sources, rng.integers(2, size=(out_width, 1 << fan_in)).astype(bool))


def _multiplex(tables: Bits, x: Words, sources: NDArray[np.int32]) -> Words:
    """Evaluate tables as trees of multiplexers, slot 0 nearest the leaves."""
    leaves = np.where(tables, ONES, np.uint64(0))[:, :, None]
    low, high = leaves[:, 0::2], leaves[:, 1::2]
    value = ((low ^ high) & x[sources[:, 0]][:, None, :]) ^ low
    for slot in range(1, sources.shape[1]):
        low, high = value[:, 0::2], value[:, 1::2]
        value = np.bitwise_xor(low, high)
        value &= x[sources[:, slot]][:, None, :]
        value ^= low
    result: Words = value[:, 0]
    return result
