"""A rectangle that slides over an image, and the bits that it sees at each position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.fields import MAX_WIDTH, Field, Integer, check

__all__ = ["Window"]


@dataclass(frozen=True)
class Window:
    """Window of an image whose every pixel has the same number of bits.

    Bit ``(y * width + x) * channels + c`` is channel ``c`` of the pixel in row ``y`` and column
    ``x``. The bits that a window sees have the same order within it, and its positions go row by
    row from the top left corner. A window never leaves the image: pixels that no position reaches
    are not seen.

    Parameters
    ----------
    height, width, channels : int
        Of the image.
    kernel : tuple of int
        Height and width of the window.
    stride : tuple of int
        Rows and columns from one position to the next.

    Raises
    ------
    ValueError
        If a number is no integer, or below 1, or the window is larger than the image.
    """

    fields: ClassVar[tuple[Field, ...]] = tuple(
        Integer(name, 1, MAX_WIDTH) for name in (
            "height", "width", "channels", "kernel_height", "kernel_width",
            "stride_down", "stride_across"))

    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        check(self.fields, self.values())
        if self.kernel[0] > self.height or self.kernel[1] > self.width:
            raise ValueError(f"Kernel must fit an image of {self.height} by {self.width} pixels, "
                             f"not have {self.kernel[0]} by {self.kernel[1]}")

    def values(self) -> dict[str, int]:
        """The numbers by the names of the fields."""
        (kernel_height, kernel_width), (stride_down, stride_across) = self.kernel, self.stride
        return {"height": self.height, "width": self.width, "channels": self.channels,
                "kernel_height": kernel_height, "kernel_width": kernel_width,
                "stride_down": stride_down, "stride_across": stride_across}

    @classmethod
    def from_values(cls, values: Mapping[str, int]) -> Self:
        """Make a window of :meth:`values`."""
        return cls(values["height"], values["width"], values["channels"],
                   (values["kernel_height"], values["kernel_width"]),
                   (values["stride_down"], values["stride_across"]))

    @property
    def in_width(self) -> int:
        """Bits of the image."""
        return self.height * self.width * self.channels

    @property
    def bits(self) -> int:
        """Bits that the window sees at one position."""
        return self.kernel[0] * self.kernel[1] * self.channels

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of positions."""
        return ((self.height - self.kernel[0]) // self.stride[0] + 1,
                (self.width - self.kernel[1]) // self.stride[1] + 1)

    @property
    def positions(self) -> int:
        return self.shape[0] * self.shape[1]

    @property
    def index(self) -> NDArray[np.int64]:
        """Bit of the image that each bit of the window is, shape (positions, bits)."""
        pixels = np.arange(self.in_width).reshape(self.height, self.width, self.channels)
        seen = np.lib.stride_tricks.sliding_window_view(pixels, self.kernel, axis=(0, 1))
        at = seen[:: self.stride[0], :: self.stride[1]]  # (row, column, channel, y, x)
        return at.transpose(0, 1, 3, 4, 2).copy().reshape(self.positions, self.bits)
