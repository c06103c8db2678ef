"""How a folded node is cut into words, and what its memories hold: plain Python for both sides.

The hardware builds its memories from these tables, and a host that writes them makes the same bytes
from another network, so that there is one place where the order of the words is decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.hw.descriptors import Descriptors
from bitwright.hw.layout import score_width

__all__ = ["SMALLEST", "Block", "Folded", "Folding", "Gathered", "Table", "bias_width",
           "body_cycles", "tables"]

SMALLEST = 64
"""Bits of a vector from which on a memory is worth its while: of a smaller one some devices would
make registers, and multiplexers to choose between them."""


@dataclass(frozen=True)
class Folded:
    """Settings of a folded node.

    Parameters
    ----------
    cycles : int
        That it may take for a frame, at least 1. It reads as few bits of its weights in each as
        will do.
    writable : bool
        Whether its weights, thresholds and biases, or its sources and tables, can be written while
        the design runs.
    large : bool
        Whether its weights, or its sources and tables, lie in the large memories that some devices
        have beside block RAM. Those hold anything at first: it must be writable.

    Raises
    ------
    ValueError
        If ``cycles`` is less than 1, or it is large and not writable.
    """

    cycles: int = 1024
    writable: bool = False
    large: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.cycles < 1:
            raise ValueError(f"cycles must be at least 1, not {self.cycles}")
        if self.large and not self.writable:
            raise ValueError("large must be false where 'writable' is: those memories hold "
                             "anything before they are written")

    def folding(self, neurons: int, in_width: int) -> Folding:
        """How the weights of so many neurons are cut."""
        return Folding.within(neurons, in_width, self.cycles)

    def fewest(self, node: ir.Convolution) -> int:
        """Cycles from which on the body of a convolution is folded."""
        return 2 * node.window.positions

    def body(self, node: ir.Convolution) -> tuple[Folded | None, ...]:
        """Settings of each node in the body of a convolution, None where it is unrolled."""
        cycles = body_cycles(node, self.cycles)
        own = Folded(cycles, self.writable, large=self.large) if cycles > 1 else None
        return (own,) * len(node.body)


@dataclass(frozen=True)
class Gathered(Folded):
    """Settings of a folded node whose inputs come in beats, and are gathered in a memory.

    Parameters
    ----------
    cycles, writable
        As of :class:`Folded`.
    unit : int
        Bits of a beat: a word reads whole ones.
    """

    unit: int = 1

    def folding(self, neurons: int, in_width: int) -> Folding:
        return Folding.within(neurons, in_width, self.cycles, self.unit)


@dataclass(frozen=True)
class Table:
    """What a memory holds.

    Parameters
    ----------
    width : int
        Bits of a word.
    words : tuple of int
        In the order of their addresses.
    """

    width: int
    words: tuple[int, ...]

    @property
    def depth(self) -> int:
        return len(self.words)

    @property
    def word_bytes(self) -> int:
        """Bytes of a word in an image."""
        return -(-self.width // 8)

    @property
    def image(self) -> bytes:
        """Its words one after the other, each of whole bytes, little endian."""
        return b"".join(word.to_bytes(self.word_bytes, "little") for word in self.words)


@dataclass(frozen=True)
class Folding:
    """How the weights of a layer are cut into words.

    Parameters
    ----------
    neurons : int
        Neurons of a group, worked on at the same time.
    bits : int
        Weights of each of them in a word.
    words : int
        Words of a group.
    groups : int
    """

    neurons: int
    bits: int
    words: int
    groups: int

    @classmethod
    def within(cls, neurons: int, in_width: int, cycles: int, unit: int = 0) -> Self:
        """The smallest that takes no more than that many cycles.

        Words of a single neuron, which then leave one by one, as every reader takes them; several
        share a word only where that saves more than a tenth.

        Parameters
        ----------
        neurons, in_width, cycles : int
        unit : int
            Of inputs that are gathered from beats of so many bits: a word reads whole ones, unless
            it reads all. 0 for others.
        """
        step = unit or 1
        units = -(-in_width // step)
        found = []
        for at_once in range(1, neurons + 1):
            groups = -(-neurons // at_once)
            if groups > cycles:
                continue
            size = -(-units // min(units, cycles // groups))
            words = -(-units // size)
            found.append(cls(at_once, size * step if words > 1 else in_width, words, groups))
        sizes = [one.luts(in_width, unit > 0) for one in found]
        least = min(sizes)
        few = found[0].neurons == 1 and 9 * sizes[0] <= 10 * least
        return found[0 if few else sizes.index(least)]

    def gathers(self, in_width: int, beat: int) -> bool:
        """Whether vectors that come in beats of so many bits are gathered in a memory.

        A whole number of beats makes a word, and the vector is long enough.
        """
        return in_width >= SMALLEST and self.words > 1 and self.bits % beat == 0

    @property
    def cycles(self) -> int:
        """Words of all groups, one read in each cycle."""
        return self.words * self.groups

    @property
    def word_bits(self) -> int:
        """Weights in a word."""
        return self.neurons * self.bits

    def luts(self, in_width: int, gathers: bool = False) -> int:
        """What the logic takes, roughly, to compare one with another.

        An exclusive-nor and its share of the count for each weight, and for each neuron a
        comparison, and a sum of several words. Inputs that are gathered need a shift where the
        last word is shorter than the others.
        """
        sums = (2 if self.words > 1 else 1) * in_width.bit_length()
        shift = self.bits if gathers and in_width % self.bits else 0
        return self.neurons * (2 * self.bits + sums) + shift

    def weights(self, weights: ir.Bits) -> Table:
        """Rows of weights, shape (neurons, in_width), word by word of each group.

        A weight lies beside those of the same input in its group. What fills up are ones, which
        differ from the zeros that fill up the inputs.
        """
        filled = np.ones((self.groups * self.neurons, self.words * self.bits), bool)
        neurons, in_width = weights.shape
        filled[:neurons, :in_width] = weights
        cut = filled.reshape(self.groups, self.neurons, self.words, self.bits)
        words = cut.transpose(0, 2, 3, 1).reshape(self.cycles, self.word_bits)
        return Table(self.word_bits, tuple(ir.pack(words)))

    def constants(self, values: NDArray[np.signedinteger], width: int) -> Table:
        """Numbers of the neurons, shape (neurons, columns), a group a word; filled up with zeros.

        Parameters
        ----------
        values : array of integers
        width : int
            Bits of each, in two's complement if there are negative ones.
        """
        columns = values.shape[1]
        rows = np.zeros((self.groups * self.neurons, columns), np.int64)
        rows[: len(values)] = values
        mask = (1 << width) - 1
        words = (sum((value & mask) << place * width for place, value in enumerate(word))
                 for word in rows.reshape(self.groups, -1).tolist())
        return Table(self.neurons * columns * width, tuple(words))


@dataclass(frozen=True)
class Block:
    """Neighbouring positions of a window that are worked on at the same time.

    Parameters
    ----------
    window : ir.Window
        Of an image that has its padding.
    rows, columns : int
        Of positions in a block. Blocks stand side by side; the last of a row and those of the last
        row may go beyond the positions that there are.
    """

    window: ir.Window
    rows: int
    columns: int

    @classmethod
    def within(cls, window: ir.Window, cycles: int) -> Self:
        """The smallest block of which there are no more than that many."""
        rows, columns = window.shape
        sizes = [(1, wide) for wide in range(1, columns + 1)]
        sizes += [(high, columns) for high in range(2, rows + 1)]
        blocks = (cls(window, *size) for size in sizes)
        return next(block for block in blocks if block.count <= max(1, cycles))

    @classmethod
    def of(cls, node: ir.Convolution, cycles: int) -> Self:
        """The one of a folded convolution."""
        return cls.within(node.window.inner, cycles)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        rows, columns = self.window.shape
        return -(-rows // self.rows), -(-columns // self.columns)

    @property
    def count(self) -> int:
        return self.shape[0] * self.shape[1]

    @property
    def across(self) -> int:
        """Bits of the image from a block to the next of the same row."""
        return self.columns * self.window.stride[1] * self.window.channels

    @property
    def down(self) -> int:
        """Bits of the image from the last block of a row to the first of the next row."""
        row = self.rows * self.window.stride[0] * self.window.width * self.window.channels
        return row - (self.shape[1] - 1) * self.across

    def seen(self) -> list[list[int]]:
        """Bits of the image that the window sees, a list for each position of the first block.

        Where the block goes beyond the image they go beyond its bits, or are those of other
        pixels.
        """
        w = self.window
        (down, across), (high, wide) = w.dilation, w.extent
        return [[((row * w.stride[0] + y) * w.width + column * w.stride[1] + x) * w.channels + c
                 for y in range(0, high, down) for x in range(0, wide, across)
                 for c in range(w.channels)]
                for row in range(self.rows) for column in range(self.columns)]

    def places(self) -> list[int]:
        """Place of each position, row by row, among all positions block by block."""
        rows, columns = self.window.shape
        size = self.rows * self.columns
        return [(row // self.rows * self.shape[1] + column // self.columns) * size
                + row % self.rows * self.columns + column % self.columns
                for row in range(rows) for column in range(columns)]


def body_cycles(node: ir.Convolution, cycles: int) -> int:
    """Cycles that the body of a folded convolution may take for a position; from 2 up it folds."""
    return max(1, cycles // Block.of(node, cycles).count)


def bias_width(node: ir.Scores) -> int:
    """Bits of the biases of a head, in two's complement."""
    return score_width((int(node.biases.min()), int(node.biases.max())))


def tables(node: ir.Node, settings: Folded, width: int | None = None) -> tuple[Table, ...]:
    """What the memories of a folded node hold, in the order in which they are written.

    Parameters
    ----------
    node : ir.Node
    settings : Folded
    width : int, optional
        Bits of a bias, :func:`bias_width` unless another network fixes it.

    Returns
    -------
    tuple of Table
        Weights and then thresholds or biases; of a convolution those of each layer of neurons in
        its body; of a layer of tables those of :class:`Descriptors`. None where nothing lies in a
        memory.
    """
    if isinstance(node, ir.Xnor):
        folding = settings.folding(*node.weights.shape)
        return (folding.weights(node.weights),
                folding.constants(node.thresholds, (node.in_width + 1).bit_length()))
    if isinstance(node, ir.Scores):
        folding = settings.folding(*node.weights.shape)
        return (folding.weights(node.weights),
                folding.constants(node.biases[:, None], width or bias_width(node)))
    if isinstance(node, ir.Convolution):
        return tuple(table for part, own in zip(node.body, settings.body(node), strict=True)
                     if own is not None and not isinstance(part, ir.Lut)
                     for table in tables(part, own))
    if isinstance(node, ir.Lut):
        form = Descriptors.within(node, settings.cycles)
        return tuple(Table(width, tuple(words))
                     for width, words in zip(form.widths, form.words(), strict=True))
    return ()
