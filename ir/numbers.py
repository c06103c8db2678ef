"""What the ways to make integers of real numbers have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.fields import MAX_WIDTH
from bitwright.ir.preparation import Preparation

__all__ = ["MAX_STEPS", "Numbers"]

MAX_STEPS = 1 << 16
"""Rows of a window."""


class Numbers(Preparation):
    """Rows of a table: a sample is ``steps`` of them, each of ``columns`` numbers.

    Every step goes through the same numbers. Features are in the order of time, the columns of a
    step side by side.
    """

    steps: int
    fills: bool
    fill: NDArray[np.float32]

    def validate(self) -> None:
        if self.features > MAX_WIDTH:
            raise ValueError(f"Preparation must make at most {MAX_WIDTH} features, "
                             f"not {self.features}")

    @property
    @abstractmethod
    def columns(self) -> int:
        """Numbers of a row."""

    @property
    def features(self) -> int:
        return self.steps * self.columns

    @property
    def shape(self) -> tuple[int, int]:
        return self.steps, self.columns

    def apply(self, raw: NDArray[Any]) -> NDArray[np.int32]:
        raw = np.asarray(raw)
        if raw.ndim != 3 or raw.shape[1:] != self.shape or raw.dtype.kind not in "fiu":
            raise ValueError(f"Samples must be numbers of shape (samples, {self.steps}, "
                             f"{self.columns}), not {raw.dtype} of {raw.shape}")
        with np.errstate(over="ignore"):  # what binary32 cannot hold is refused as infinite
            x = raw.astype(np.float32)
        if self.fills:
            x = np.where(np.isnan(x), self.fill, x)
        wrong = np.argwhere(~np.isfinite(x))
        if len(wrong):
            sample, step, column = (int(n) for n in wrong[0])
            raise ValueError(f"Sample {sample}, column {column} of step {step} must be a finite "
                             f"number of binary32, not {raw[sample, step, column]}")
        return self.quantise(x).reshape(len(x), self.features)

    @abstractmethod
    def quantise(self, x: NDArray[np.float32]) -> NDArray[np.int32]:
        """Map finite numbers, shape (..., columns), to integers of the same shape."""
