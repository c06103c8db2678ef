"""A rectangle that slides over an image, and the bits that it sees at each position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.fields import MAX_WIDTH, Field, Integer, check, shown, title
from bitwright.ir.listed import Word

__all__ = ["BORDERS", "Window"]

BORDERS = ("zero", "one", "replicate", "reflect")
"""What the pixels are that padding adds: all bits 0, all bits 1, the nearest pixel of the image, or
the image mirrored at the pixels of its edge, which are not repeated."""

_NUMBERS = {
    "kernel": ("kernel_height", "kernel_width"),
    "stride": ("stride_down", "stride_across"),
    "padding": ("padding_top", "padding_bottom", "padding_left", "padding_right"),
    "dilation": ("dilation_down", "dilation_across"),
}
"""Names on file of the numbers of each tuple."""


@dataclass(frozen=True)
class Window:
    """Window of an image whose every pixel has the same number of bits.

    Bit ``(y * width + x) * channels + c`` is channel ``c`` of the pixel in row ``y`` and column
    ``x``. The bits that a window sees have the same order within it, and its positions go row by
    row from the top left corner. A window never leaves the image and its padding: pixels that no
    position reaches are not seen.

    Parameters
    ----------
    height, width, channels : int
        Of the image.
    kernel : tuple of int
        Rows and columns of pixels that the window sees.
    stride : tuple of int
        Rows and columns from one position to the next.
    padding : tuple of int
        Rows and columns of pixels that are added to the image: top, bottom, left, right.
    border : str
        What these are, one of :data:`BORDERS`.
    dilation : tuple of int
        Rows and columns from one pixel of the window to the next.

    Raises
    ------
    ValueError
        If a number is no integer, or out of range, the window is larger than the image with its
        padding, or a padding reflects more than there is beside the edge.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        *(Integer(name, 1, MAX_WIDTH) for name in (
            "height", "width", "channels", *_NUMBERS["kernel"], *_NUMBERS["stride"])),
        *(Integer(name, 0, MAX_WIDTH, 0) for name in _NUMBERS["padding"]),
        Word("border", BORDERS, "zero"),
        *(Integer(name, 1, MAX_WIDTH, 1) for name in _NUMBERS["dilation"]),
    )

    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    border: str = "zero"
    dilation: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        for name, numbers in _NUMBERS.items():
            value = getattr(self, name)
            if not isinstance(value, tuple) or len(value) != len(numbers):
                raise ValueError(f"{name.capitalize()} must be a tuple of {len(numbers)} integers, "
                                 f"not {shown(value)}")
        check(self.fields, self.values())
        (high, wide), (rows, columns) = self.padded_shape, self.extent
        if any(self.padding) and high * wide * self.channels > MAX_WIDTH:
            raise ValueError(f"Image with its padding must have at most {MAX_WIDTH} bits, "
                             f"not {high * wide * self.channels}")
        if rows > high or columns > wide:
            raise ValueError(f"Kernel must fit an image of {high} by {wide} pixels, not have "
                             f"{rows} by {columns}")
        for side, added in enumerate(self.padding if self.border == "reflect" else ()):
            beside = (self.height, self.width)[side // 2] - 1
            if added > beside:
                raise ValueError(f"{title(_NUMBERS['padding'][side])} must be at most {beside}, "
                                 f"as many pixels as there are to reflect, not {added}")

    def values(self) -> dict[str, Any]:
        """What it holds, by the names of the fields."""
        values: dict[str, Any] = {"height": self.height, "width": self.width,
                                  "channels": self.channels, "border": self.border}
        for name, numbers in _NUMBERS.items():
            values.update(zip(numbers, getattr(self, name), strict=True))
        return values

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Make a window of :meth:`values`."""
        tuples = {name: tuple(values[number] for number in numbers)
                  for name, numbers in _NUMBERS.items()}
        return cls(values["height"], values["width"], values["channels"], border=values["border"],
                   **tuples)

    @property
    def in_width(self) -> int:
        """Bits of the image."""
        return self.height * self.width * self.channels

    @property
    def pixels(self) -> int:
        """Pixels that the window sees at one position."""
        return self.kernel[0] * self.kernel[1]

    @property
    def bits(self) -> int:
        """Bits that the window sees at one position."""
        return self.pixels * self.channels

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns of the window from end to end."""
        return ((self.kernel[0] - 1) * self.dilation[0] + 1,
                (self.kernel[1] - 1) * self.dilation[1] + 1)

    @property
    def padded_shape(self) -> tuple[int, int]:
        """Rows and columns of the image with its padding."""
        top, bottom, left, right = self.padding
        return self.height + top + bottom, self.width + left + right

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of positions."""
        (high, wide), (rows, columns) = self.padded_shape, self.extent
        return (high - rows) // self.stride[0] + 1, (wide - columns) // self.stride[1] + 1

    @property
    def positions(self) -> int:
        return self.shape[0] * self.shape[1]

    @property
    def inner(self) -> Window:
        """The same window over an image that has its padding already."""
        return Window(*self.padded_shape, self.channels, self.kernel, self.stride,
                      dilation=self.dilation)

    @property
    def padded(self) -> NDArray[np.int64]:
        """Bit of the image that each bit of the padded image is, shape (bits of that,).

        ``in_width`` where it is 0 whatever the image, ``in_width + 1`` where it is 1.
        """
        rows = _sources(self.height, self.padding[:2], self.border)
        columns = _sources(self.width, self.padding[2:], self.border)
        pixels = rows[:, None] * self.width + columns
        bits = pixels[:, :, None] * self.channels + np.arange(self.channels)
        bits[(rows < 0)[:, None] | (columns < 0)] = self.in_width + (self.border == "one")
        return bits.reshape(-1)

    @property
    def index(self) -> NDArray[np.int64]:
        """Bit of the image that each bit of the window is, shape (positions, bits).

        ``in_width`` where it is 0 whatever the image, ``in_width + 1`` where it is 1.
        """
        image = self.padded.reshape(*self.padded_shape, self.channels)
        seen = np.lib.stride_tricks.sliding_window_view(image, self.extent, axis=(0, 1))
        at = seen[:: self.stride[0], :: self.stride[1], :,  # (row, column, channel, y, x)
                  :: self.dilation[0], :: self.dilation[1]]
        return at.transpose(0, 1, 3, 4, 2).copy().reshape(self.positions, self.bits)

    @classmethod
    def sample(cls, rng: np.random.Generator, channels: int) -> Self:
        """Draw a small valid window of any kind."""
        height, width = (int(n) for n in rng.integers((1, 1), (5, 5)))
        border = BORDERS[int(rng.integers(len(BORDERS)))]
        padding = [0] * 4
        if rng.integers(2):
            most = np.repeat((height, width), 2) if border == "reflect" else np.full(4, 3)
            padding = [int(n) for n in rng.integers(0, most)]
        high, wide = height + sum(padding[:2]), width + sum(padding[2:])
        kernel = [int(rng.integers(1, min(side, 3) + 1)) for side in (high, wide)]
        dilation = [int(rng.integers(1, (side - 1) // (own - 1) + 1)) if own > 1 else 1
                    for side, own in zip((high, wide), kernel, strict=True)]
        stride = int(rng.integers(1, 3)), int(rng.integers(1, 3))
        return cls(height, width, channels, (kernel[0], kernel[1]), stride,
                   (padding[0], padding[1], padding[2], padding[3]), border,
                   (dilation[0], dilation[1]))


def _sources(side: int, padding: tuple[int, ...], border: str) -> NDArray[np.int64]:
    """Row (or column) of the image that each of the padded image is, -1 for a constant."""
    rows = np.arange(-padding[0], side + padding[1])
    match border:
        case "replicate":
            rows = np.clip(rows, 0, side - 1)
        case "reflect":
            rows = side - 1 - np.abs(side - 1 - np.abs(rows))
        case _:
            rows[(rows < 0) | (rows >= side)] = -1
    return rows
