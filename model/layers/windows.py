"""Windows of images, for layers that slide: pictures, columns, and the way back.

Values are logical arrays (width, batch) of any strides. A layer that slides reads them as a picture
whose pixels hold their channels side by side (:func:`picture`), and what it hands on
(:func:`at_positions`) is a transposed view of such a picture again: a chain of convolutions copies
nothing.

Every layer of windows is a dense layer on the columns of :func:`see_windows`, whose rows
:func:`at_positions` puts back into the order of an image::

    y = at_positions(dense(see_windows(x, window)), window)

Column ``sample * positions + position`` is what a sample shows at a position. Where the dense layer
multiplies by one matrix, :func:`slide` does so without the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from bitwright.ir.window import Window
from bitwright.model.base import Context, Layer, Summing, Trait
from bitwright.model.wiring import Geometry

__all__ = ["Grouped", "Slides", "Sliding", "add_windows", "allowed", "at_positions",
           "by_position", "output_geometry", "padded", "picture", "sample_place", "see_windows",
           "slide", "window_of", "windows"]


Pair = int | tuple[int, int]
"""One number for rows and columns, or one each."""

Padding = Literal["valid", "same"] | int | tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """What a recipe says about what slides over an image, beside what it is."""

    kernel: Pair
    """Rows and columns of pixels that the window sees."""
    stride: Pair = 1
    """Rows and columns from one position of the window to the next."""
    padding: Padding = "valid"
    """Rows and columns that are added to the image on each side, or top, bottom, left and right.
    "valid": none. "same": as few as give a position to every pixel, or with a stride to every
    first of so many; where they are odd, one more at the bottom and on the right."""
    border: Literal["zero", "one", "replicate", "reflect"] = "zero"
    """What is in them: 0, 1, the pixel at the edge, or what lies as far on this side of it."""
    dilation: Pair = 1
    """Rows and columns from one pixel of the window to the next."""

    def __post_init__(self) -> None:
        for name, least in (("kernel", 1), ("stride", 1), ("dilation", 1), ("padding", 0)):
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else (value,):
                if not isinstance(number, str) and number < least:
                    raise ValueError(f"{name} must be at least {least}, not {number}")
        if hasattr(super(), "__post_init__"):
            super().__post_init__()

    def window(self, geometry: Geometry) -> Window:
        """Window over the image that a layer reads.

        Raises
        ------
        ValueError
            If the input is no image, or smaller than the window.
        """
        if not geometry.shape:
            raise ValueError(f"input must be an image, not {geometry.width} bits without rows and "
                             "columns")
        kernel, stride, dilation = (value if isinstance(value, tuple) else (value, value)
                                    for value in (self.kernel, self.stride, self.dilation))
        padding = self.padding
        if padding == "same":
            padding = *_same(geometry.shape[0], kernel[0], stride[0], dilation[0]), *_same(
                geometry.shape[1], kernel[1], stride[1], dilation[1])
        elif not isinstance(padding, tuple):
            padding = (0 if padding == "valid" else padding,) * 4
        return Window(*geometry.shape, geometry.depth, kernel, stride, padding, self.border,
                      dilation)


@dataclass(frozen=True, kw_only=True)
class Grouped(Sliding):
    """What a recipe says about neurons that slide, each over a part of the channels."""

    groups: int = 1
    """Equal parts of the channels and of the neurons: those of a part read its channels alone. As
    many as there are channels make a depthwise convolution."""

    def __post_init__(self) -> None:
        if self.groups < 1:
            raise ValueError(f"groups must be at least 1, not {self.groups}")
        super().__post_init__()

    def check(self, channels: int, neurons: int) -> None:
        """Check the groups against the channels of a pixel and the neurons.

        Raises
        ------
        ValueError
            If they do not divide both.
        """
        for what, count in (("channels", channels), ("neurons", neurons)):
            if count % self.groups:
                raise ValueError(f"groups must divide the {count} {what}, not be {self.groups}")


def allowed(traits: frozenset[Trait], groups: int) -> frozenset[Trait]:
    """What a convolution offers to a rule: in groups, it has no matrix for all that it sees."""
    return traits if groups == 1 else traits & {Trait.GRADIENT, Trait.LATENT}


def _same(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Pixels before and behind a row or column, so that there are ``size / stride`` positions."""
    added = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
    return added // 2, added - added // 2


def window_of(geometry: Geometry, kernel: Pair, stride: Pair = 1) -> Window:
    """Window that stays within an image. See :meth:`Sliding.window`."""
    return Sliding(kernel=kernel, stride=stride).window(geometry)


def sample_place(generator: torch.Generator) -> tuple[Geometry, dict[str, Any]]:
    """Draw a small image, and settings of what slides over it. Feeds the conformance tests."""
    seed, channels = torch.randint(1 << 62, (2,), generator=generator).tolist()
    window = Window.sample(np.random.default_rng(seed), 1 + channels % 4)
    settings = {name: getattr(window, name)
                for name in ("kernel", "stride", "padding", "border", "dilation")}
    return Geometry.of((window.height, window.width), window.channels), settings


def output_geometry(geometry: Geometry, window: Window, channels: int) -> Geometry:
    """Where the outputs lie: an image of the positions, each in the middle of what it sees.

    Parameters
    ----------
    geometry : Geometry
        Of the input.
    window : Window
    channels : int
        Output bits of a position.
    """
    rows, columns = (
        np.clip(np.arange(positions)[:, None] * stride - before + np.arange(kernel) * dilation,
                0, size - 1)  # beyond the edge lies what is at the edge
        for size, positions, stride, before, kernel, dilation in zip(
            geometry.shape, window.shape, window.stride, window.padding[::2], window.kernel,
            window.dilation, strict=True))
    sites = geometry.sites.reshape(*geometry.shape, -1)
    seen = sites[rows[:, :, None, None], columns]  # (row, y, column, x, coordinate)
    return Geometry(seen.mean(axis=(1, 3)).reshape(window.positions, -1), channels, window.shape)


def picture(x: Tensor, window: Window) -> Tensor:
    """See values as pictures, shape (batch, height, width, channels).

    Parameters
    ----------
    x : Tensor, shape (window.in_width, batch)
        Copied only if the values of a sample do not lie side by side.
    window : Window
    """
    return x.T.reshape(-1, window.height, window.width, window.channels)


def padded(image: Tensor, window: Window) -> Tensor:
    """Add the border to pictures, shape (batch, rows, columns, channels). Exact for any type."""
    top, bottom, left, right = window.padding
    if not any(window.padding):
        return image
    if window.border in ("zero", "one"):
        return pad(image, (0, 0, left, right, top, bottom), value=float(window.border == "one"))
    mode = "edge" if window.border == "replicate" else "reflect"
    rows, columns = (
        torch.from_numpy(np.pad(np.arange(size), sides, mode=mode)).to(image.device)
        for size, sides in ((window.height, (top, bottom)), (window.width, (left, right))))
    return image[:, rows][:, :, columns]


def windows(x: Tensor, window: Window) -> Tensor:
    """What the window sees, shape (batch, row, column, channel, y, x).

    Parameters
    ----------
    x : Tensor, shape (window.in_width, batch)
    window : Window
    """
    (high, wide), (down, across) = window.extent, window.dilation
    seen = padded(picture(x, window), window).unfold(1, high, window.stride[0]).unfold(
        2, wide, window.stride[1])
    return seen[..., ::down, ::across]


def see_windows(x: Tensor, window: Window) -> Tensor:
    """Put what the window sees side by side. Differentiable, and exact for any type.

    Parameters
    ----------
    x : Tensor, shape (window.in_width, batch)
    window : Window

    Returns
    -------
    Tensor, shape (window.bits, batch * positions)
        Column ``sample * positions + position``.
    """
    return windows(x, window).permute(0, 1, 2, 4, 5, 3).reshape(-1, window.bits).T


def slide(x: Tensor, weights: Tensor, window: Window, groups: int = 1) -> Tensor:
    """Multiply what the window sees by a matrix: ``weights @ see_windows(x, window)``.

    It is torch's convolution, whose inner products are those of oneDNN or cuDNN.

    Parameters
    ----------
    x : Tensor, shape (window.in_width, batch)
    weights : Tensor, shape (neurons, window.bits / groups)
        Of the type of ``x``.
    window : Window
    groups : int
        Equal parts of the channels, each of which as many of the neurons read.

    Returns
    -------
    Tensor, shape (neurons, batch * positions)
    """
    kernels = weights.view(-1, *window.kernel, window.channels // groups).permute(0, 3, 1, 2)
    image, (top, bottom, left, right) = picture(x, window), window.padding
    around = (top, left)
    if window.border != "zero" or (bottom, right) != around:
        image, around = padded(image, window), (0, 0)
    sums = conv2d(image.permute(0, 3, 1, 2), kernels, None, window.stride, around, window.dilation,
                  groups)
    return sums.permute(0, 2, 3, 1).reshape(-1, len(weights)).T


def at_positions(y: Tensor, window: Window) -> Tensor:
    """Put the outputs of all positions into the order of an image.

    Parameters
    ----------
    y : Tensor, shape (channels, batch * positions)
        Of the columns of :func:`see_windows`.
    window : Window

    Returns
    -------
    Tensor, shape (positions * channels, batch)
    """
    return y.T.reshape(-1, window.positions * len(y)).T


def by_position(y: Tensor, window: Window) -> Tensor:
    """Undo :func:`at_positions`: (positions * channels, batch) to (channels, batch * positions)."""
    return y.T.reshape(-1, len(y) // window.positions).T


def add_windows(columns: Tensor, window: Window) -> Tensor:
    """Add up what columns have in the place of the same bit of the image.

    It is the transpose of :func:`see_windows`.

    Parameters
    ----------
    columns : Tensor, shape (window.bits, batch * positions)
    window : Window

    Returns
    -------
    Tensor, shape (window.in_width, batch)
    """
    index = torch.from_numpy(window.index).to(columns.device)  # (positions, bits)
    parts = columns.T.reshape(-1, index.numel())
    total = columns.new_zeros(len(parts), window.in_width + 2)  # 0 and 1 of a border lie behind
    return total.index_add_(1, index.flatten(), parts)[:, :-2].T


class Slides(Summing):
    """Layer whose matrix sees one window of an image after another.

    Attributes
    ----------
    window : Window
    positions : int
        Columns that a sample gives.
    """

    window: Window

    @property
    def positions(self) -> int:
        return self.window.positions

    def columns(self, x: Tensor) -> Tensor:
        return see_windows(x, self.window)

    def arrange(self, y: Tensor) -> Tensor:
        return at_positions(y, self.window)

    def take(self, y: Tensor) -> Tensor:
        return by_position(y, self.window)

    def collect(self, columns: Tensor) -> Tensor:
        return add_windows(columns, self.window)


class Pools(Layer):
    """Layer that makes one value of what a channel has in a window. There is nothing to learn.

    Parameters
    ----------
    geometry : Geometry
        Of the input, which must be an image.
    settings : Settings
        A :class:`Sliding` with a ``function``.

    Raises
    ------
    ValueError
        If the input is no image, or the kernel is larger than it.
    """

    traits = frozenset({Trait.PASSES})

    def __init__(self, geometry: Geometry, settings: Any) -> None:
        super().__init__()
        self.window = settings.window(geometry)
        self.function = settings.function
        self.geometry = output_geometry(geometry, self.window, geometry.depth)

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        del generator
        return cls(context.geometry, settings)
