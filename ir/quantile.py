"""Numbers by their rank among the edges of each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.fields import MAX_WIDTH, Field, Flag, Integer, Reals, Size
from bitwright.ir.numbers import MAX_STEPS, Numbers

__all__ = ["Quantile"]


@dataclass(frozen=True, eq=False)
class Quantile(Numbers, kind="quantile"):
    """How many edges of its column a number reaches: ``q = |{k : x >= edges[column, k]}|``.

    Parameters
    ----------
    steps : int
        Rows of a sample, 1 to 65,536.
    fills : bool
        Whether a missing number (not-a-number) is replaced. It is an error otherwise.
    edges : array of float32, shape (columns, levels)
        Of each column ascending, equal ones allowed; 1 to 65,535 levels.
    fill : array of float32, shape (columns,)
        In place of missing numbers; shape (0,) where nothing is replaced.

    Raises
    ------
    ValueError
        If a field is not so, edges descend, or a sample would have more than 2^24 - 1 features.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("steps", 1, MAX_STEPS),
        Flag("fills"),
        Size("columns", 1, MAX_WIDTH),
        Size("levels", 1, (1 << 16) - 1),
        Reals("edges", ("columns", "levels")),
        Reals("fill", ("fills * columns",)),
    )

    steps: int
    fills: bool
    edges: NDArray[np.float32]
    fill: NDArray[np.float32]

    def validate(self) -> None:
        super().validate()
        wrong = np.argwhere(self.edges[:, 1:] < self.edges[:, :-1])
        if len(wrong):
            column, level = (int(n) for n in wrong[0])
            raise ValueError(f"Edges must ascend, not from {self.edges[column, level]} to "
                             f"{self.edges[column, level + 1]} (column {column})")

    @property
    def columns(self) -> int:
        return len(self.edges)

    @property
    def range(self) -> tuple[int, int]:
        return 0, self.edges.shape[1]

    def quantise(self, x: NDArray[np.float32]) -> NDArray[np.int32]:
        result = np.empty(x.shape, np.int32)
        for column, edges in enumerate(self.edges):
            result[..., column] = np.searchsorted(edges, x[..., column], side="right")
        return result

    def describe(self) -> str:
        return f"each number by its rank among {self.edges.shape[1]} edges"

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        columns, steps, levels = (int(n) for n in rng.integers((1, 1, 1), (5, 4, 9)))
        fills = bool(rng.integers(2))
        edges = np.sort(rng.integers(-9, 9, size=(columns, levels)), axis=1).astype(np.float32)
        return cls(steps, fills, edges, rng.normal(size=columns * fills).astype(np.float32))
