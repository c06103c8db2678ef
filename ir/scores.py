"""The head of XNOR networks: an integer affine function of an agreement count a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import Bits, Words
from bitwright.ir.fields import MAX_WIDTH, Array, BitArray, Field, Integer, Size
from bitwright.ir.node import HeadNode
from bitwright.ir.xnor import agreements

__all__ = ["Scores"]

MAX_SCALE = 1 << 15
MAX_BIAS = 1 << 30


@dataclass(frozen=True, eq=False)
class Scores(HeadNode, kind="scores"):
    """Dense head of binary weights: ``score[c] = scale * popcount(~(x ^ weights[c])) + biases[c]``.

    Parameters
    ----------
    weights : array of bool, shape (classes, in_width)
        A 1 stands for +1, a 0 for -1.
    scale : int
        Factor of the count, 1 to 2^15, the same for every class.
    biases : array of int32, shape (classes,)
        Within plus or minus 2^30.

    Raises
    ------
    ValueError
        If the shapes disagree or a number is out of range.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("width", 1, MAX_WIDTH),
        Integer("scale", 1, MAX_SCALE),
        Size("classes", 1, MAX_WIDTH),
        BitArray("weights", ("classes", "width")),
        Array("biases", ("classes",), -MAX_BIAS, MAX_BIAS),
    )

    weights: Bits
    scale: int
    biases: NDArray[np.int32]

    @property
    def width(self) -> int:
        """Bits that the head reads."""
        return int(self.weights.shape[1])

    @property
    def in_width(self) -> int:
        return self.width

    @property
    def out_width(self) -> int:
        return len(self.weights)

    @property
    def score_range(self) -> tuple[int, int]:
        return int(self.biases.min()), self.scale * self.in_width + int(self.biases.max())

    @property
    def gain(self) -> int:
        # Only inputs whose weights differ make a difference.
        signs = self.weights.astype(np.float32) * 2 - 1  # exact, as in :func:`agreements`
        differing = (self.width - (signs @ signs.T).astype(np.int64)) // 2
        ahead = np.subtract.outer(self.biases.astype(np.int64), self.biases.astype(np.int64))
        return int((self.scale * differing + ahead).max())

    def evaluate_words(self, x: Words) -> NDArray[np.int64]:
        return self.scale * agreements(self.weights, x) + self.biases

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        classes, width, scale = (int(n) for n in rng.integers((1, 1, 1), (6, 20, 6)))
        biases = rng.integers(-9, 10, size=classes).astype(np.int32)
        return cls(rng.integers(2, size=(classes, width)).astype(bool), scale, biases)
