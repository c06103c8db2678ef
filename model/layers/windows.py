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

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from bitwright.ir.window import Window
from bitwright.model.base import Summing
from bitwright.model.wiring import Geometry

__all__ = ["Slides", "Sliding", "add_windows", "at_positions", "by_position", "output_geometry",
           "picture", "see_windows", "slide", "window_of"]


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """What a recipe says about neurons that slide over an image, beside what they are."""

    kernel: int
    """Rows and columns of the window. It never leaves the image."""
    stride: int = 1
    """Rows and columns from one position of the window to the next."""

    def __post_init__(self) -> None:
        for name in ("kernel", "stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if hasattr(super(), "__post_init__"):
            super().__post_init__()


def window_of(geometry: Geometry, kernel: int, stride: int) -> Window:
    """Square window over the image that a layer reads.

    Raises
    ------
    ValueError
        If the input is no image, or smaller than the window.
    """
    if not geometry.shape:
        raise ValueError(f"input must be an image, not {geometry.width} bits without rows and "
                         "columns")
    return Window(*geometry.shape, geometry.depth, (kernel, kernel), (stride, stride))


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
    pixels = window.index[:, :: window.channels] // window.channels
    return Geometry(geometry.sites[pixels].mean(axis=1), channels, window.shape)


def picture(x: Tensor, window: Window) -> Tensor:
    """See values as pictures, shape (batch, height, width, channels).

    Parameters
    ----------
    x : Tensor, shape (window.in_width, batch)
        Copied only if the values of a sample do not lie side by side.
    window : Window
    """
    return x.T.reshape(-1, window.height, window.width, window.channels)


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
    seen = (picture(x, window).unfold(1, window.kernel[0], window.stride[0])
            .unfold(2, window.kernel[1], window.stride[1]))  # (batch, row, column, channel, y, x)
    return seen.permute(0, 1, 2, 4, 5, 3).reshape(-1, window.bits).T


def slide(x: Tensor, weights: Tensor, window: Window) -> Tensor:
    """Multiply what the window sees by a matrix: ``weights @ see_windows(x, window)``.

    It is torch's convolution, whose inner products are those of oneDNN or cuDNN.

    Parameters
    ----------
    x : Tensor, shape (window.in_width, batch)
    weights : Tensor, shape (neurons, window.bits)
        Of the type of ``x``.
    window : Window

    Returns
    -------
    Tensor, shape (neurons, batch * positions)
    """
    kernels = weights.view(-1, *window.kernel, window.channels).permute(0, 3, 1, 2)
    sums = conv2d(picture(x, window).permute(0, 3, 1, 2), kernels, stride=window.stride)
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
    total = columns.new_zeros(len(parts), window.in_width)
    return total.index_add_(1, index.flatten(), parts).T


class Slides(Summing):
    """Layer whose matrix sees one window of an image after another.

    Attributes
    ----------
    window : Window
    """

    window: Window

    def columns(self, x: Tensor) -> Tensor:
        return see_windows(x, self.window)

    def arrange(self, y: Tensor) -> Tensor:
        return at_positions(y, self.window)

    def take(self, y: Tensor) -> Tensor:
        return by_position(y, self.window)

    def collect(self, columns: Tensor) -> Tensor:
        return add_windows(columns, self.window)
