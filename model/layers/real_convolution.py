"""Convolutions of real weights: references in software, by what lies before and behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from bitwright.model.base import Context, RealLayer, Trait
from bitwright.model.layers.batch_norm import batch_norm
from bitwright.model.layers.windows import Grouped, Slides, allowed, output_geometry, slide
from bitwright.model.neurons import neurons
from bitwright.model.weights.reals import Reals
from bitwright.model.weights.surrogate import Step
from bitwright.model.wiring import Geometry

__all__ = ["BinarisedConvolutionLayer", "RealConvolutionLayer", "RealWeightConvolutionLayer"]


@dataclass(frozen=True)
class Settings(Grouped, neurons.Settings):
    """What a recipe says about a convolution of real weights."""


class RealConvolutionLayer(Slides, RealLayer, kind="real_convolution"):
    """Convolution, batch norm, rectifier: the layer that a binary one is compared with.

    Parameters
    ----------
    geometry : Geometry
        Of the input, which must be an image.
    settings : Settings
    generator : torch.Generator
        Source of the initial weights.

    Raises
    ------
    ValueError
        If the input is no image, or the kernel is larger than it.
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT, Trait.MATRIX})
    batch_statistics = True

    mean: Tensor
    variance: Tensor

    def __init__(self, geometry: Geometry, settings: Settings, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        count = settings.neurons
        self.window, self.groups = settings.window(geometry), settings.groups
        settings.check(self.window.channels, count)
        self.geometry = output_geometry(geometry, self.window, count)
        self.weights = Reals(count, self.window.bits // self.groups, generator=generator)
        self.traits = allowed(type(self).traits, self.groups)
        self.scale = nn.Parameter(torch.ones(count))
        self.shift = nn.Parameter(torch.zeros(count))
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("variance", torch.ones(count))

    def product(self, x: Tensor) -> Tensor:
        if self.weights.feedback is not None:
            return super().product(x)
        return slide(x.to(self.weights.values), self.weights.values, self.window,
                     self.groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x))

    def activate(self, sums: Tensor) -> Tensor:
        z = batch_norm(sums.T, self.mean, self.variance, self.scale, self.shift,
                       training=self.training).T
        return self.arrange(self.rectify(z))

    def rectify(self, z: Tensor) -> Tensor:
        """Map normalised sums to what the layer makes."""
        return torch.relu(z)

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings, generator=generator)


class BinarisedConvolutionLayer(RealConvolutionLayer, kind="binarised_convolution"):
    """Convolution of reals, batch norm, sign: from a real input to the bits of a binary network.

    So most of the literature begins its binary networks.
    """

    makes = "bits"

    def __init__(self, geometry: Geometry, settings: Settings, *,
                 generator: torch.Generator) -> None:
        super().__init__(geometry, settings, generator=generator)
        self.step = Step()

    def rectify(self, z: Tensor) -> Tensor:
        return self.step(z)


class RealWeightConvolutionLayer(BinarisedConvolutionLayer, kind="real_weight_convolution"):
    """Convolution of bits with real weights, batch norm, sign.

    What BinaryBrain measures as a binary network: its inputs and outputs are bits, and its weights
    are not.
    """

    values = "bits"
