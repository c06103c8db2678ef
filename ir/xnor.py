"""A dense layer of XNOR-popcount neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import LANES, Bits, Words, pack_rows, slice_bits, unpack_rows, unslice
from bitwright.ir.node import BitNode, Tensors

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
    # A product of -1/+1 matrices is (agreements - disagreements). float32 holds every partial sum
    # exactly up to 2^24, far above any layer width, and is what a BLAS does fast.
    width = weights.shape[1]
    if width >= 1 << 24:
        raise ValueError(f"In-width must be below {1 << 24}, not {width}")
    signs = unslice(x, x.shape[1] * LANES).astype(np.float32) * 2 - 1
    product = signs @ (weights.T.astype(np.float32) * 2 - 1)
    counts: NDArray[np.int64] = (product.astype(np.int64) + width) // 2
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

    weights: Bits
    thresholds: NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or 0 in self.weights.shape:
            raise ValueError("Weights must have shape (neurons, in_width), none of them 0, "
                             f"not {self.weights.shape}")
        if self.weights.dtype != np.bool_:
            raise ValueError(f"Weights must hold bool, not {self.weights.dtype}")
        if (self.thresholds.ndim != 2 or len(self.thresholds) != len(self.weights)
                or self.thresholds.shape[1] == 0):
            raise ValueError(f"Thresholds must have shape ({len(self.weights)}, depth), "
                             f"not {self.thresholds.shape}")
        if self.thresholds.min() < 0 or self.thresholds.max() > self.in_width + 1:
            raise ValueError(f"Thresholds must be between 0 and {self.in_width + 1}, not between "
                             f"{self.thresholds.min()} and {self.thresholds.max()}")

    @property
    def depth(self) -> int:
        """Thresholds of a neuron."""
        return int(self.thresholds.shape[1])

    @property
    def neurons(self) -> int:
        return len(self.weights)

    @property
    def in_width(self) -> int:
        return int(self.weights.shape[1])

    @property
    def out_width(self) -> int:
        return self.neurons * self.depth

    def evaluate_words(self, x: Words) -> Words:
        counts = agreements(self.weights, x)
        bits = counts[:, :, None] >= self.thresholds
        return slice_bits(bits.reshape(len(counts), -1))

    def attributes(self) -> dict[str, int | bool]:
        return {"width": self.in_width}

    def tensors(self) -> Tensors:
        return {"weights": pack_rows(self.weights), "thresholds": self.thresholds.astype(np.int32)}

    @classmethod
    def from_parts(cls, attributes: dict[str, Any], tensors: Tensors) -> Self:
        return cls(unpack_rows(tensors["weights"], attributes["width"]), tensors["thresholds"])

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        neurons, width, depth = (int(n) for n in rng.integers((1, 1, 1), (6, 20, 4)))
        thresholds = rng.integers(0, width + 2, size=(neurons, depth)).astype(np.int32)
        return cls(rng.integers(2, size=(neurons, width)).astype(bool), thresholds)
