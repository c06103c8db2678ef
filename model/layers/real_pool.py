"""Pooling of real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from bitwright.model.base import Context, RealLayer, Trait
from bitwright.model.layers.windows import Sliding, output_geometry, picture, window_of
from bitwright.model.wiring import Geometry

__all__ = ["RealPoolLayer"]


@dataclass(frozen=True)
class Settings(Sliding):
    """What a recipe says about pooling of reals."""

    function: Literal["maximum", "mean"] = "maximum"
    """Of what a channel has in the window."""


class RealPoolLayer(RealLayer, kind="real_pool"):
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
    traits = frozenset({Trait.PASSES})

    def __init__(self, geometry: Geometry, settings: Settings) -> None:
        super().__init__()
        self.window = window_of(geometry, settings.kernel, settings.stride)
        self.geometry = output_geometry(geometry, self.window, geometry.depth)
        self._pool = max_pool2d if settings.function == "maximum" else avg_pool2d

    def forward(self, x: Tensor) -> Tensor:
        y = self._pool(picture(x, self.window).permute(0, 3, 1, 2), self.window.kernel,
                       self.window.stride)
        return y.permute(0, 2, 3, 1).reshape(len(y), -1).T

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings)
