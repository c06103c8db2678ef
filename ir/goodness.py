"""The head of forward-forward networks: how active the layers are, a class a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import LANES, Words, unslice
from bitwright.ir.fields import MAX_WIDTH, Field, Integer
from bitwright.ir.node import HeadNode

__all__ = ["Goodness"]


@dataclass(frozen=True, eq=False)
class Goodness(HeadNode, kind="goodness"):
    """Popcount of the input bits, which is the score of the class that the frame stands for.

    The forward-forward algorithm (Hinton, arXiv:2212.13345) tries every label on a sample and
    takes the one for which the layers are the most active. Here frame ``f`` carries label ``f``:
    label bits are outputs of :class:`ir.Modulate` whose thresholds are constant within a frame,
    the smallest feature value for a 1, one past the largest for a 0.

    Parameters
    ----------
    width : int
        Number of input bits: those of every layer whose goodness counts.

    Raises
    ------
    ValueError
        If the width is no integer, or below 1.
    """

    per_frame: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (Integer("width", 1, MAX_WIDTH),)

    width: int

    @property
    def in_width(self) -> int:
        return self.width

    @property
    def out_width(self) -> int:
        return 1

    @property
    def score_range(self) -> tuple[int, int]:
        return 0, self.width

    def evaluate_words(self, x: Words) -> NDArray[np.int64]:
        bits = unslice(x, x.shape[1] * LANES)
        counts: NDArray[np.int64] = bits.sum(axis=1, dtype=np.int64, keepdims=True)
        return counts

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        return cls(int(rng.integers(1, 40)))
