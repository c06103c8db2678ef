"""Numbers on an even scale of their own a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.integers import domain
from bitwright.ir.fields import MAX_WIDTH, Field, Flag, Integer, Reals, Size
from bitwright.ir.numbers import MAX_STEPS, Numbers

__all__ = ["Affine"]


@dataclass(frozen=True, eq=False)
class Affine(Numbers, kind="affine"):
    """Shift, scale, round to the nearest integer (the even one of two), limit to the range.

    ``q = min(max(rint((x - offset) * scale), low), high)`` in binary32: the difference, then the
    product, is rounded.

    Parameters
    ----------
    steps : int
        Rows of a sample, 1 to 65,536.
    bits : int
        Width of the integers, 1 to 16.
    signed : bool
        Whether they are two's complement.
    fills : bool
        Whether a missing number (not-a-number) is replaced. It is an error otherwise.
    offset, scale : array of float32, shape (columns,)
        The scale is above 0.
    fill : array of float32, shape (columns,)
        In place of missing numbers; shape (0,) where nothing is replaced.

    Raises
    ------
    ValueError
        If a field is not so, or a sample would have more than 2^24 - 1 features.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("steps", 1, MAX_STEPS),
        Integer("bits", 1, 16),
        Flag("signed"),
        Flag("fills"),
        Size("columns", 1, MAX_WIDTH),
        Reals("offset", ("columns",)),
        Reals("scale", ("columns",), positive=True),
        Reals("fill", ("fills * columns",)),
    )

    steps: int
    bits: int
    signed: bool
    fills: bool
    offset: NDArray[np.float32]
    scale: NDArray[np.float32]
    fill: NDArray[np.float32]

    @property
    def columns(self) -> int:
        return len(self.offset)

    @property
    def range(self) -> tuple[int, int]:
        return domain(self.bits, self.signed)

    def quantise(self, x: NDArray[np.float32]) -> NDArray[np.int32]:
        with np.errstate(over="ignore"):  # beyond binary32 is beyond the range, too
            scaled = np.rint((x - self.offset) * self.scale)
        result: NDArray[np.int32] = np.clip(scaled, *self.range).astype(np.int32)
        return result

    def describe(self) -> str:
        low, high = self.range
        return f"each number shifted, scaled and rounded to an integer from {low} to {high}"

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        columns, steps, bits = (int(n) for n in rng.integers((1, 1, 2), (5, 4, 9)))
        fills = bool(rng.integers(2))
        return cls(steps, bits, bool(rng.integers(2)), fills,
                   rng.normal(size=columns).astype(np.float32),
                   rng.uniform(0.5, 9, size=columns).astype(np.float32),
                   rng.normal(size=columns * fills).astype(np.float32))
