"""What becomes of the memories of a design: block RAMs, LUTs, or large memories.

Yosys takes whatever it reckons is the cheapest. Its costs are those of the families.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from bitwright.hw.alike import varying
from bitwright.hw.families import Family
from bitwright.hw.rtl.realisation import Memory

__all__ = ["Taken", "taken", "together"]

_WIDTH, _DEPTH = 16, 1 << 14
"""Of a large memory."""

CHOICE = 0.5
"""What it costs to choose between two memories for a bit."""

READ, WRITTEN = 2, 4
"""What the logic around a memory costs for each word that is read, and how much more if the memory
is written. A memory that is logic itself has none."""


@dataclass(frozen=True)
class Taken:
    """What memories take.

    Parameters
    ----------
    blocks : int
        Block RAMs.
    large : int
        Large memories.
    rom : float
        LUTs, about, of those in logic that are only read.
    ram : float
        The same of those that are written, in logic or in memories of LUTs.
    registers : int
        Flip-flops of those that are in logic.
    shared : int
        Bits of addresses and words of large memories, which have a single port.
    """

    blocks: int = 0
    large: int = 0
    rom: float = 0.0
    ram: float = 0.0
    registers: int = 0
    shared: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(*(getattr(self, field.name) + getattr(other, field.name)
                       for field in fields(self)))


def together(memories: Iterable[Memory], family: Family) -> Taken:
    """What several take."""
    return sum((taken(memory, family) for memory in memories), Taken())


def taken(memory: Memory, family: Family) -> Taken:
    """What a memory takes in a family. Each word that is read in a cycle has a copy of its own."""
    width, words, reads = memory.width, memory.depth, memory.reads
    if memory.style == "huge":
        return Taken(large=-(-width // _WIDTH) * -(-words // _DEPTH),
                     shared=width + (words - 1).bit_length())
    around = reads * (READ + WRITTEN if memory.written else READ)
    ways: list[tuple[float, Taken]] = []
    if not memory.style:
        ways.append((memory.bits / (1 if memory.written else family.rom),
                     _logic(memory, family.lut_size)))
    if memory.style != "block" and memory.written and family.lut_ram is not None:
        ram = family.lut_ram
        for own, depth in ram.shapes:
            rows = -(-words // depth)
            units, choices = reads * -(-width // own) * rows, reads * width * (rows - 1)
            written = rows if rows > 1 else 0  # enables, to choose the one that is written
            ways.append((ram.cost * units + CHOICE * (choices + written) + around,
                         Taken(ram=ram.luts * units + _choice(family.lut_size) * choices)))
    if memory.style != "distributed" or not ways:
        for block in family.block_rams:
            blocks = reads * block.blocks(width, words)
            ways.append((block.cost * blocks + around, Taken(blocks=block.counts * blocks)))
    return min(ways, key=lambda way: way[0])[1]


def _logic(memory: Memory, lut_size: int) -> Taken:
    """Of LUTs for what is only read, else of registers, and what chooses between them."""
    words, read = memory.depth, memory.reads * memory.width
    if not memory.written:
        luts = 1.5 * words / 2.0**lut_size if words > 1 << lut_size else 1.0
        # Bits of few words are often alike, or constant, and made once.
        bits = round(varying(read, words))
        return Taken(rom=bits * luts, registers=bits)
    # Of each word, which is written, and whether in this cycle.
    return Taken(ram=1.5 * words + read * (words - 1) * _choice(lut_size),
                 registers=memory.bits + read)


def _choice(lut_size: int) -> float:
    """LUTs that choose between two: one of six inputs, or two of four, choose one of four."""
    return (1 if lut_size >= 6 else 2) / 3
