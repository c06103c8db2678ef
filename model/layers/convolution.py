"""Convolutions of binary neurons: the same neurons at every position of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import Context
from bitwright.model.layers.neuron_layer import NeuronLayer
from bitwright.model.layers.windows import (
    Sliding,
    add_windows,
    at_positions,
    by_position,
    output_geometry,
    see_windows,
    window_of,
)
from bitwright.model.neurons import CentredNeurons, NormalisedNeurons, ProbabilisticNeurons
from bitwright.model.wiring import Geometry

__all__ = ["BernoulliConvolutionLayer", "BmabConvolutionLayer", "ConvolutionLayer",
           "XnorConvolutionLayer"]


class ConvolutionLayer(NeuronLayer):
    """The same binary neurons at every position of a window (XNOR-Net, arXiv:1603.05279).

    The windows are the neurons' samples: statistics are those of the batch and the positions
    together, and one set of thresholds serves all of them.

    Parameters
    ----------
    geometry : Geometry
        Of the input, which must be an image. Its depth is the number of input channels.
    settings : Settings
        Of the neurons and of the window.
    generator : torch.Generator
        Source of the initial weights.

    Raises
    ------
    ValueError
        If the input is no image, or the kernel is larger than it.
    """

    # Most windows of a picture show nothing but background, and all of those have the same count:
    # where the threshold lies beside it, one weight that changed is enough to turn them all over.
    @property
    def settles(self) -> bool:
        return self.neurons.settles

    def __init__(self, geometry: Geometry, settings: Any, *, generator: torch.Generator) -> None:
        window = window_of(geometry, settings.kernel, settings.stride)
        super().__init__(self.Neurons(window.bits, settings, generator=generator))
        self.window, self.positions = window, window.positions
        self.geometry = output_geometry(geometry, window, settings.neurons * self.depth)

    def columns(self, x: Tensor) -> Tensor:
        return see_windows(x, self.window)

    def arrange(self, y: Tensor) -> Tensor:
        return at_positions(y, self.window)

    def take(self, y: Tensor) -> Tensor:
        return by_position(y, self.window)

    def collect(self, columns: Tensor) -> Tensor:
        return add_windows(columns, self.window)

    def freeze(self) -> ir.Convolution:
        return ir.Convolution((self.neurons.freeze(),), self.window)

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        height, width, depth, kernel, stride = (
            int(torch.randint(low, low + 3, (), generator=generator)) for low in (3, 3, 1, 1, 1))
        settings = cls.Settings(**cls.Neurons.sample_settings(generator), kernel=kernel,
                                stride=stride)
        layer = cls(Geometry.of((height, width), depth), settings, generator=generator)
        layer.neurons.perturb(generator)
        return layer


class XnorConvolutionLayer(ConvolutionLayer, kind="convolution", holds=NormalisedNeurons):
    """Convolution of latent weights with batch norm."""

    @dataclass(frozen=True)
    class Settings(Sliding, NormalisedNeurons.Settings):
        """What a recipe says about it."""


class BmabConvolutionLayer(ConvolutionLayer, kind="bmab_convolution", holds=CentredNeurons):
    """Convolution of weight bits that are flipped."""

    @dataclass(frozen=True)
    class Settings(Sliding, CentredNeurons.Settings):
        """What a recipe says about it."""


class BernoulliConvolutionLayer(ConvolutionLayer, kind="bernoulli_convolution",
                                holds=ProbabilisticNeurons):
    """Convolution of weights in doubt."""

    @dataclass(frozen=True)
    class Settings(Sliding, ProbabilisticNeurons.Settings):
        """What a recipe says about it."""
