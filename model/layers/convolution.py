"""A convolution of binary neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import BitLayer, Context
from bitwright.model.layers import windows
from bitwright.model.layers.windows import fold, output_geometry, unfold, window_of
from bitwright.model.layers.xnor import XnorLayer
from bitwright.model.wiring import Geometry

__all__ = ["ConvolutionLayer"]


@dataclass(frozen=True)
class Settings(windows.Settings):
    """What a recipe says about a convolution."""

    depth: int = 1
    """Thresholds of a neuron, each one channel of the output."""


class ConvolutionLayer(BitLayer, kind="convolution"):
    """The same binary neurons at every position of a window (XNOR-Net, arXiv:1603.05279).

    The neurons are an :class:`XnorLayer` whose samples are the windows: batch norm normalises over
    the batch and the positions, and one set of thresholds serves all of them.

    Parameters
    ----------
    geometry : Geometry
        Of the input, which must be an image. Its depth is the number of input channels.
    settings : Settings
    generator : torch.Generator
        Source of the initial weights.

    Raises
    ------
    ValueError
        If the input is no image, or the kernel is larger than it.
    """

    Settings = Settings
    # Most windows of a picture show nothing but background, and all of those have the same count:
    # where the threshold lies beside it, one weight that changed is enough to turn them all over.
    settles = True

    def __init__(self, geometry: Geometry, settings: Settings, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.window = window_of(geometry, settings.kernel, settings.stride)
        self.geometry = output_geometry(geometry, self.window, settings.neurons * settings.depth)
        self.body = XnorLayer(self.window.bits, settings.neurons, settings.depth,
                              generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return fold(self.body(unfold(x, self.window)), self.window)

    def constrain(self) -> None:
        self.body.constrain()

    def freeze(self) -> ir.Convolution:
        return ir.Convolution((self.body.freeze(),), self.window)

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        height, width, depth, kernel, stride = (
            int(torch.randint(low, low + 3, (), generator=generator)) for low in (3, 3, 1, 1, 1))
        layer = cls(Geometry.of((height, width), depth),
                    Settings(neurons=2 + kernel, kernel=kernel, stride=stride, depth=depth),
                    generator=generator)
        with torch.no_grad():
            layer.body.scale.normal_(generator=generator)
            layer.body.scale[0] = 0.0
            layer.body.shift.normal_(generator=generator)
        return layer
