"""The head of LUT networks: one group of bits a class, the score is its popcount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import LANES, Words, unslice
from bitwright.ir.fields import MAX_WIDTH, Field, Integer
from bitwright.ir.node import HeadNode

__all__ = ["GroupSum"]


@dataclass(frozen=True, eq=False)
class GroupSum(HeadNode, kind="group_sum"):
    """Popcount of equal, contiguous groups of bits, one a class.

    Parameters
    ----------
    width : int
        Number of input bits, a multiple of ``classes``.
    classes : int
        Number of scores.

    Raises
    ------
    ValueError
        If the classes do not divide the width.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("width", 1, MAX_WIDTH),
        Integer("classes", 1, MAX_WIDTH),
    )

    width: int
    classes: int

    def validate(self) -> None:
        if self.width % self.classes:
            raise ValueError(f"Width must be a multiple of {self.classes} classes, "
                             f"not {self.width}")

    @property
    def in_width(self) -> int:
        return self.width

    @property
    def out_width(self) -> int:
        return self.classes

    @property
    def group(self) -> int:
        """Bits of a class."""
        return self.width // self.classes

    @property
    def score_range(self) -> tuple[int, int]:
        return 0, self.group

    def evaluate_words(self, x: Words) -> NDArray[np.int64]:
        bits = unslice(x, x.shape[1] * LANES)
        groups = bits.reshape(len(bits), self.classes, self.group)
        scores: NDArray[np.int64] = groups.sum(axis=2, dtype=np.int64)
        return scores

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        classes, group = (int(n) for n in rng.integers((1, 1), (6, 20)))
        return cls(classes * group, classes)
