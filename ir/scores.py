"""The head of XNOR networks: an integer affine function of an agreement count a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import Bits, Words, pack_rows, unpack_rows
from bitwright.ir.node import HeadNode, Tensors
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

    weights: Bits
    scale: int
    biases: NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or len(self.weights) < 2 or self.weights.shape[1] == 0:
            raise ValueError("Weights must have shape (classes, in_width), at least 2 classes and "
                             f"1 input, not {self.weights.shape}")
        if self.weights.dtype != np.bool_:
            raise ValueError(f"Weights must hold bool, not {self.weights.dtype}")
        if not 1 <= self.scale <= MAX_SCALE:
            raise ValueError(f"Scale must be between 1 and {MAX_SCALE}, not {self.scale}")
        if self.biases.shape != (len(self.weights),):
            raise ValueError(f"Biases must have shape ({len(self.weights)},), "
                             f"not {self.biases.shape}")
        if np.abs(self.biases.astype(np.int64)).max() > MAX_BIAS:
            raise ValueError(f"Biases must be between {-MAX_BIAS} and {MAX_BIAS}, not between "
                             f"{self.biases.min()} and {self.biases.max()}")

    @property
    def in_width(self) -> int:
        return int(self.weights.shape[1])

    @property
    def out_width(self) -> int:
        return len(self.weights)

    @property
    def score_range(self) -> tuple[int, int]:
        return int(self.biases.min()), self.scale * self.in_width + int(self.biases.max())

    def evaluate_words(self, x: Words) -> NDArray[np.int64]:
        return self.scale * agreements(self.weights, x) + self.biases

    def attributes(self) -> dict[str, int | bool]:
        return {"width": self.in_width, "scale": self.scale}

    def tensors(self) -> Tensors:
        return {"weights": pack_rows(self.weights), "biases": self.biases.astype(np.int32)}

    @classmethod
    def from_parts(cls, attributes: dict[str, Any], tensors: Tensors) -> Self:
        weights = unpack_rows(tensors["weights"], attributes["width"])
        return cls(weights, attributes["scale"], tensors["biases"])

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        classes, width, scale = (int(n) for n in rng.integers((2, 1, 1), (6, 20, 6)))
        biases = rng.integers(-9, 10, size=classes).astype(np.int32)
        return cls(rng.integers(2, size=(classes, width)).astype(bool), scale, biases)
