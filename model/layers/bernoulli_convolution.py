"""A convolution of neurons whose weights and inputs are probabilities."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import Context
from bitwright.model.layers.bernoulli import BernoulliLayer
from bitwright.model.layers.windows import Settings, fold, output_geometry, unfold, window_of
from bitwright.model.poisson_binomial import check_compiler
from bitwright.model.wiring import Geometry

__all__ = ["BernoulliConvolutionLayer"]


class BernoulliConvolutionLayer(BernoulliLayer, kind="bernoulli_convolution"):
    """The neurons of a :class:`BernoulliLayer` at every position of a window.

    The windows are its samples: thresholds follow the batch and the positions together.

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

    def __init__(self, geometry: Geometry, settings: Settings, *,
                 generator: torch.Generator) -> None:
        window = window_of(geometry, settings.kernel, settings.stride)
        super().__init__(window.bits, settings.neurons, generator=generator)
        self.window = window
        self.geometry = output_geometry(geometry, window, settings.neurons)

    def forward(self, x: Tensor) -> Tensor:
        return fold(super().forward(unfold(x, self.window)), self.window)

    def calibrate(self, bits: Tensor) -> Tensor:
        return fold(super().calibrate(unfold(bits, self.window)), self.window)

    @property
    def certain(self) -> Tensor:
        return super().certain.repeat(self.window.positions)

    def freeze(self) -> ir.Convolution:
        return ir.Convolution((super().freeze(),), self.window)

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        check_compiler()
        return cls(context.geometry, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        height, width, depth, kernel, stride = (
            int(torch.randint(low, low + 3, (), generator=generator)) for low in (3, 3, 1, 1, 1))
        layer = cls(Geometry.of((height, width), depth),
                    Settings(neurons=2 + kernel, kernel=kernel, stride=stride),
                    generator=generator)
        with torch.no_grad():
            layer.mean.add_(torch.randn(len(layer.mean), generator=generator))
            layer.shift.normal_(generator=generator)
        return layer
