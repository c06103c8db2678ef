"""Windows of images, for layers that slide: from a network's bits to the columns of a dense layer.

Every layer of windows is a dense layer on the columns of :func:`unfold`, whose rows
:func:`fold` puts back into the order of an image::

    y = fold(dense(unfold(x, window)), window)
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from torch import Tensor

from bitwright.ir.window import Window
from bitwright.model.wiring import Geometry

__all__ = ["Settings", "fold", "output_geometry", "unfold", "window_of"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about neurons that slide over an image."""

    neurons: int
    """Neurons, each with a weight for every bit of the window."""
    kernel: int
    """Rows and columns of the window. It never leaves the image."""
    stride: int = 1
    """Rows and columns from one position of the window to the next."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"{field.name} must be at least 1, "
                                 f"not {getattr(self, field.name)}")


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


def unfold(x: Tensor, window: Window) -> Tensor:
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


def fold(y: Tensor, window: Window) -> Tensor:
    """Put the outputs of all positions into the order of an image.

    Parameters
    ----------
    y : Tensor, shape (channels, positions * batch)
        Of the columns of :func:`unfold`.
    window : Window

    Returns
    -------
    Tensor, shape (positions * channels, batch)
    """
    return y.reshape(len(y), window.positions, -1).transpose(0, 1).flatten(0, 1)
