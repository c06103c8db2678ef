"""How a folded layer of look-up tables is cut into words: plain Python for both sides.

A table is described by the input bits that it reads and by its contents. The sources of a few
tables are a word, read in one cycle or several; the contents lie beside them in a memory of their
own, which is read at the address that the bits make. Any layer of the same shape fits the same
memories, so that a network can be swapped for another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.ir.lut import UNCONNECTED

__all__ = ["Descriptors"]

CONTENT_BITS = 16
"""Most bits of a word of contents: the width of the memories that this is for."""


@dataclass(frozen=True)
class Descriptors:
    """How the tables of a layer are cut into words.

    Parameters
    ----------
    node : ir.Lut
        Gives the shape.
    lanes : int
        Tables that are worked on at the same time, a power of two.
    slots : int
        Sources of each of them that are read in a cycle.
    """

    node: ir.Lut
    lanes: int
    slots: int

    @classmethod
    def within(cls, node: ir.Lut, cycles: int) -> Self:
        """The one that reads the fewest bits in a cycle, and takes no more than that many cycles.

        Of several the one with the fewest lanes.
        """
        found = []
        lanes = 1
        while not found or lanes < 2 * node.out_width:
            steps = min(node.fan_in, cycles // -(-node.out_width // lanes))
            if steps:
                found.append(cls(node, lanes, -(-node.fan_in // steps)))
            lanes *= 2
        return min(found, key=lambda one: (one.lanes * one.slots, one.lanes))

    @property
    def groups(self) -> int:
        """Groups of tables that are worked on one after the other."""
        return -(-self.node.out_width // self.lanes)

    @property
    def steps(self) -> int:
        """Cycles of a group."""
        return -(-self.node.fan_in // self.slots)

    @property
    def cycles(self) -> int:
        """Words of sources, one read in each cycle."""
        return self.groups * self.steps

    @property
    def source_bits(self) -> int:
        """Bits of a source."""
        return max(1, (self.node.in_width - 1).bit_length())

    @property
    def low(self) -> int:
        """Bits of a table's address that choose within a word of contents; the others are part of
        the word's address."""
        return min(self.node.fan_in, CONTENT_BITS.bit_length() - 1)

    @property
    def parts(self) -> int:
        """Words of contents of a table."""
        return 1 << self.node.fan_in - self.low

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of a word of the sources, and of the contents of each lane."""
        return self.lanes * self.slots * self.source_bits, *(1 << self.low,) * self.lanes

    def words(self) -> tuple[list[int], ...]:
        """Words of the sources, and of the contents of each lane, of the node.

        A slot without a source has source 0, and contents that do not depend on it. What fills up
        is 0.
        """
        node, read = self.node, self.node.sources != UNCONNECTED
        shape = self.groups * self.lanes, self.steps * self.slots
        sources = np.zeros(shape, np.int64)
        sources[: node.out_width, : node.fan_in] = np.where(read, node.sources, 0)
        looked = (read << np.arange(node.fan_in)).sum(axis=1)[:, None] & np.arange(
            1 << node.fan_in)
        contents = np.zeros((shape[0], 1 << node.fan_in), bool)
        contents[: node.out_width] = np.take_along_axis(node.tables, looked, axis=1)
        numbers = sources.reshape(self.groups, self.lanes, self.steps, self.slots)
        bits = numbers.transpose(0, 2, 1, 3)[..., None] >> np.arange(self.source_bits) & 1
        lanes = contents.reshape(self.groups, self.lanes, self.parts, -1)
        return (ir.pack(bits.reshape(self.cycles, -1).astype(bool)),
                *(ir.pack(lanes[:, lane].reshape(self.groups * self.parts, -1))
                  for lane in range(self.lanes)))

    def read(self, words: Iterator[list[int]]) -> ir.Lut:
        """A node that has those words. The inverse of :meth:`words`.

        Raises
        ------
        ValueError
            If a source is no input bit.
        """
        node, (first, *widths) = self.node, self.widths
        bits = ir.unpack(next(words), first).reshape(self.groups, self.steps, self.lanes,
                                                     self.slots, self.source_bits)
        numbers: NDArray[np.int64] = (bits << np.arange(self.source_bits)).sum(axis=-1)
        sources = numbers.transpose(0, 2, 1, 3).reshape(self.groups * self.lanes, -1)
        lanes = np.stack([ir.unpack(next(words), width).reshape(self.groups, -1)
                          for width in widths], axis=1)
        contents = lanes.reshape(self.groups * self.lanes, -1)
        return ir.Lut(node.width, sources[: node.out_width, : node.fan_in].astype(np.int32),
                      contents[: node.out_width])
