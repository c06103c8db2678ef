"""Pixels of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.fields import Field, Flag, Integer
from bitwright.ir.preparation import Preparation

__all__ = ["MAX_SIDE", "Picture"]

MAX_SIDE = 4096
"""Pixels of a side."""


@dataclass(frozen=True, eq=False)
class Picture(Preparation, kind="picture"):
    """A picture of one size and kind of colour, each byte on a scale from 0 to ``full_scale``.

    ``q = (2 * p * full_scale + 255) // 510`` of a byte ``p``: the nearest integer, the higher one
    of two. How a file becomes bytes of that size is in docs/format.md.

    Parameters
    ----------
    height, width : int
        Pixels, 1 to 4,096.
    colour : bool
        Whether a pixel is red, green and blue, in that order, or one grey.
    crop : bool
        Whether a picture of another aspect loses what stands out at two sides, rather than be
        stretched.
    full_scale : int
        Feature of a white pixel, 1 to 65,535.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("height", 1, MAX_SIDE),
        Integer("width", 1, MAX_SIDE),
        Flag("colour"),
        Flag("crop"),
        Integer("full_scale", 1, (1 << 16) - 1),
    )

    height: int
    width: int
    colour: bool
    crop: bool
    full_scale: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.height, self.width, *((3,) if self.colour else ()))

    @property
    def features(self) -> int:
        return self.height * self.width * (3 if self.colour else 1)

    @property
    def range(self) -> tuple[int, int]:
        return 0, self.full_scale

    def apply(self, raw: NDArray[Any]) -> NDArray[np.int32]:
        raw = np.asarray(raw)
        if raw.dtype != np.uint8 or raw.shape[1:] != self.shape:
            raise ValueError(f"Samples must be bytes of shape (samples, "
                             f"{', '.join(map(str, self.shape))}), not {raw.dtype} of {raw.shape}")
        flat = raw.reshape(len(raw), self.features).astype(np.int32)
        return (2 * self.full_scale * flat + 255) // 510

    def describe(self) -> str:
        what = "red, green and blue side by side" if self.colour else "grey"
        return f"the pixel, 0 to {self.full_scale}, {what}"

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        height, width, full = (int(n) for n in rng.integers((1, 1, 1), (5, 5, 300)))
        return cls(height, width, bool(rng.integers(2)), bool(rng.integers(2)), full)
