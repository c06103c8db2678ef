"""Images side by side, pixel for pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import Words
from bitwright.ir.fields import MAX_WIDTH, Field, Integer
from bitwright.ir.listed import Integers
from bitwright.ir.node import BitNode

__all__ = ["Join"]

MAX_IMAGES = 255
"""Images that one node joins."""


@dataclass(frozen=True, eq=False)
class Join(BitNode, kind="join"):
    """Several images of one size become one, whose pixels have the channels of all.

    The images come one after the other, as a node gets the bits of several inputs. A 1 x 1
    :class:`ir.Convolution` of look-up tables behind it makes a residual connection of it.

    Parameters
    ----------
    height, width : int
        Pixels of each image.
    channels : tuple of int
        Bits of a pixel of each image.

    Raises
    ------
    ValueError
        If a number is out of range, or there are not 2 to 255 images.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("height", 1, MAX_WIDTH),
        Integer("width", 1, MAX_WIDTH),
        Integers("channels", 1, MAX_WIDTH, 2, MAX_IMAGES),
    )

    height: int
    width: int
    channels: tuple[int, ...]

    @property
    def pixels(self) -> int:
        """Pixels of an image."""
        return self.height * self.width

    @property
    def in_width(self) -> int:
        return self.pixels * sum(self.channels)

    @property
    def out_width(self) -> int:
        return self.in_width

    @property
    def index(self) -> NDArray[np.int64]:
        """Input bit that each output bit is, shape (out_width,)."""
        ends = np.cumsum(self.channels) * self.pixels
        images = np.split(np.arange(self.in_width), ends[:-1])
        return np.hstack([image.reshape(self.pixels, -1) for image in images]).reshape(-1)

    def evaluate_words(self, x: Words) -> Words:
        return x[self.index]

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        height, width, images = (int(n) for n in rng.integers((1, 1, 2), (4, 4, 5)))
        return cls(height, width, tuple(int(n) for n in rng.integers(1, 4, size=images)))
