"""Binary modulation of integer features: depth, frames, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import Words, slice_bits
from bitwright.ir.fields import MAX_WIDTH, Array, Field, Flag, Integer, Size
from bitwright.ir.node import Node

__all__ = ["Modulate"]

MAX_FRAMES = 1 << 16


@dataclass(frozen=True, eq=False)
class Modulate(Node, kind="modulate"):
    """Comparison of every feature with D thresholds (depth), in each of F frames.

    In frame ``f`` output bit ``i * D + d`` is ``x[i] >= thresholds[f, i, d]``. D is the depth
    modulation, F the frame modulation, both together the hybrid of the two: frames replay one
    sample through the same network, and their scores add up.

    Parameters
    ----------
    thresholds : array of int32, shape (frames, features, depth)
        From the smallest feature value (the bit is always 1) to one past the largest (never 1).
    bits : int
        Width of a feature, 1 to 16 bits.
    signed : bool
        Whether features are two's complement rather than unsigned.

    Raises
    ------
    ValueError
        If the shape is not three-dimensional or empty, or a threshold is out of range.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("bits", 1, 16),
        Flag("signed"),
        Size("frames", 1, MAX_FRAMES),
        Size("features", 1, MAX_WIDTH),
        Size("depth", 1, MAX_WIDTH),
        Array("thresholds", ("frames", "features", "depth"),
              "-signed * 2**(bits - 1)", "(2 - signed) * 2**(bits - 1)"),
    )

    thresholds: NDArray[np.int32]
    bits: int
    signed: bool = False

    @property
    def domain(self) -> tuple[int, int]:
        """Smallest and largest feature value, both inclusive."""
        if self.signed:
            return -(1 << self.bits - 1), (1 << self.bits - 1) - 1
        return 0, (1 << self.bits) - 1

    @property
    def frames(self) -> int:
        return int(self.thresholds.shape[0])

    @property
    def features(self) -> int:
        return int(self.thresholds.shape[1])

    @property
    def depth(self) -> int:
        return int(self.thresholds.shape[2])

    @property
    def in_width(self) -> int:
        return self.features

    @property
    def out_width(self) -> int:
        return self.features * self.depth

    def evaluate_frame(self, x: NDArray[np.integer[Any]], frame: int) -> Words:
        """Map features, shape (batch, features), to the bit-sliced bits of one frame."""
        bits = x[:, :, None] >= self.thresholds[frame]
        return slice_bits(bits.reshape(len(x), -1))

    def check(self, x: NDArray[Any]) -> NDArray[np.integer[Any]]:
        """Return ``x`` if it is a valid batch of features.

        Raises
        ------
        ValueError
            If the shape is not (batch, features), or a value is not an integer of the domain.
        """
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ValueError(f"Features must have shape (batch, {self.features}), not {x.shape}")
        if not np.issubdtype(x.dtype, np.integer):
            raise ValueError(f"Features must be integers, not {x.dtype}")
        low, high = self.domain
        if x.size and (x.min() < low or x.max() > high):
            raise ValueError(f"Features must be between {low} and {high}, not between "
                             f"{x.min()} and {x.max()}")
        return x

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        frames, features, depth, bits = (int(n) for n in rng.integers((1, 1, 1, 1), (4, 9, 4, 10)))
        signed = bool(rng.integers(2))
        low = -(1 << bits - 1) if signed else 0
        shape = (frames, features, depth)
        thresholds = rng.integers(low, low + (1 << bits) + 1, size=shape).astype(np.int32)
        return cls(thresholds, bits, signed)
