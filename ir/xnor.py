"""A dense layer of XNOR-popcount neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import Bits, Words
from bitwright.ir.fields import MAX_WIDTH, Array, BitArray, Field, Integer, Size
from bitwright.ir.node import BitNode
from bitwright.ir.signs import products, reached

__all__ = ["Xnor", "agreements"]


def agreements(weights: Bits, x: Words) -> NDArray[np.int64]:
    """Count agreeing bits of every input vector with every weight vector.

    Parameters
    ----------
    weights : array of bool, shape (neurons, in_width)
    x : Words, shape (in_width, words)

    Returns
    -------
    array of int64, shape (64 * words, neurons)
        ``popcount(~(x ^ w))``.
    """
    counts: NDArray[np.int64] = (products(weights, x).T.astype(np.int64) + weights.shape[1]) // 2
    return counts


@dataclass(frozen=True, eq=False)
class Xnor(BitNode, kind="xnor"):
    """Dense layer of binary neurons, their agreement counts compared with D thresholds.

    ``y[j * D + d] = popcount(~(x ^ weights[j])) >= thresholds[j, d]``. One threshold a neuron
    (D = 1) is the layer of XNOR-Net (arXiv:1603.05279) with its batch norm folded in; several
    code the activation by depth.

    Parameters
    ----------
    weights : array of bool, shape (neurons, in_width)
        A 1 stands for +1, a 0 for -1.
    thresholds : array of int32, shape (neurons, depth)
        From 0 (the bit is always 1) to ``in_width + 1`` (never 1).

    Raises
    ------
    ValueError
        If the shapes disagree or a threshold is out of range.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("width", 1, MAX_WIDTH),
        Size("neurons", 1, MAX_WIDTH),
        Size("depth", 1, MAX_WIDTH),
        BitArray("weights", ("neurons", "width")),
        Array("thresholds", ("neurons", "depth"), 0, "width + 1"),
    )

    weights: Bits
    thresholds: NDArray[np.int32]

    @property
    def depth(self) -> int:
        """Thresholds of a neuron."""
        return int(self.thresholds.shape[1])

    @property
    def neurons(self) -> int:
        return len(self.weights)

    @property
    def width(self) -> int:
        """Bits that a neuron reads: all that there are."""
        return int(self.weights.shape[1])

    @property
    def in_width(self) -> int:
        return self.width

    @property
    def out_width(self) -> int:
        return self.neurons * self.depth

    def evaluate_words(self, x: Words) -> Words:
        return reached(products(self.weights, x), self.thresholds, self.width)

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        neurons, width, depth = (int(n) for n in rng.integers((1, 1, 1), (6, 20, 4)))
        thresholds = rng.integers(0, width + 2, size=(neurons, depth)).astype(np.int32)
        return cls(rng.integers(2, size=(neurons, width)).astype(bool), thresholds)
