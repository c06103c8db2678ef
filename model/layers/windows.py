"""Windows of images, for layers that slide: from a network's bits to the columns of a dense layer.

Every layer of windows is a dense layer on the columns of :func:`see_windows`, whose rows
:func:`at_positions` puts back into the order of an image::

    y = at_positions(dense(see_windows(x, window)), window)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bitwright.ir.window import Window
from bitwright.model.wiring import Geometry

__all__ = ["Sliding", "add_windows", "at_positions", "by_position", "output_geometry",
           "see_windows", "window_of"]


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


def see_windows(x: Tensor, window: Window) -> Tensor:
    """Put what the window sees side by side. Differentiable, and exact for any type.

    Parameters
    ----------
    x : Tensor, shape (window.in_width, batch)
    window : Window

    Returns
    -------
    Tensor, shape (window.bits, positions * batch)
        Column ``position * batch + sample``.
    """
    image = x.reshape(window.height, window.width, window.channels, -1)
    seen = (image.unfold(0, window.kernel[0], window.stride[0])
            .unfold(1, window.kernel[1], window.stride[1]))  # (row, column, channel, batch, y, x)
    return seen.permute(4, 5, 2, 0, 1, 3).reshape(window.bits, -1)


def at_positions(y: Tensor, window: Window) -> Tensor:
    """Put the outputs of all positions into the order of an image.

    Parameters
    ----------
    y : Tensor, shape (channels, positions * batch)
        Of the columns of :func:`see_windows`.
    window : Window

    Returns
    -------
    Tensor, shape (positions * channels, batch)
    """
    return y.reshape(len(y), window.positions, -1).transpose(0, 1).flatten(0, 1)


def by_position(y: Tensor, window: Window) -> Tensor:
    """Undo :func:`at_positions`: (positions * channels, batch) to (channels, positions * batch)."""
    return y.reshape(window.positions, -1, y.shape[1]).transpose(0, 1).flatten(1)


def add_windows(columns: Tensor, window: Window) -> Tensor:
    """Add up what columns have in the place of the same bit of the image.

    It is the transpose of :func:`see_windows`.

    Parameters
    ----------
    columns : Tensor, shape (window.bits, positions * batch)
    window : Window

    Returns
    -------
    Tensor, shape (window.in_width, batch)
    """
    index = torch.from_numpy(window.index).to(columns.device)  # (positions, bits)
    parts = columns.reshape(window.bits, window.positions, -1).transpose(0, 1).flatten(0, 1)
    total = columns.new_zeros(window.in_width, parts.shape[1])
    return total.index_add_(0, index.flatten(), parts)
