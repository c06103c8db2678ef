"""Pooling of real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import max_pool2d

from bitwright.ir.window import Window
from bitwright.model.base import RealLayer
from bitwright.model.layers.windows import Pools, Sliding, padded, picture, windows

__all__ = ["RealPoolLayer", "maximum"]


def maximum(x: Tensor, window: Window, *, least: bool = False) -> Tensor:
    """Maximum of each channel in the window, or its minimum.

    Parameters
    ----------
    x : Tensor of floats, shape (window.in_width, batch)
    window : Window
    least : bool
        Whether it is the minimum.

    Returns
    -------
    Tensor, shape (positions * channels, batch)
    """
    image = padded(picture(x, window), window).permute(0, 3, 1, 2)
    y = max_pool2d(-image if least else image, window.kernel, window.stride, 0, window.dilation)
    return (-y if least else y).permute(0, 2, 3, 1).flatten(1).T


@dataclass(frozen=True)
class Settings(Sliding):
    """What a recipe says about pooling of reals."""

    function: Literal["maximum", "mean"] = "maximum"
    """Of what a channel has in the window."""


class RealPoolLayer(Pools, RealLayer, kind="real_pool"):
    """Maximum or mean of each channel in a window: the layer that pooling of bits compares with.

    Parameters
    ----------
    geometry : Geometry
        Of the input, which must be an image.
    settings : Settings

    Raises
    ------
    ValueError
        If the input is no image, or the kernel is larger than it.
    """

    Settings = Settings

    def forward(self, x: Tensor) -> Tensor:
        if self.function == "maximum":
            return maximum(x, self.window)
        return windows(x, self.window).mean((4, 5)).flatten(1).T
