"""Convolutions of binary neurons: the same neurons at every position of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import Context
from bitwright.model.layers.neuron_layer import NeuronLayer
from bitwright.model.layers.windows import (
    Grouped,
    Slides,
    Sliding,
    allowed,
    output_geometry,
    sample_place,
    slide,
)
from bitwright.model.neurons import CentredNeurons, NormalisedNeurons, ProbabilisticNeurons
from bitwright.model.neurons.neurons import reached
from bitwright.model.weights.surrogate import Sign
from bitwright.model.wiring import Geometry

__all__ = ["BernoulliConvolutionLayer", "BmabConvolutionLayer", "ConvolutionLayer",
           "XnorConvolutionLayer"]


def lacking(signs: Tensor) -> Tensor:
    """What the product of weights of -1 and +1 with bits lacks to be a count of agreeing bits.

    Inputs of 0 that meet weights of -1 agree: the count is ``signs @ x`` and the weights of -1.

    Parameters
    ----------
    signs : Tensor, shape (neurons, in_width)

    Returns
    -------
    Tensor, shape (neurons,)
    """
    return (signs.shape[1] - signs.sum(1)) / 2


class ConvolutionLayer(Slides, NeuronLayer):
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
        window, groups = settings.window(geometry), 1
        if isinstance(settings, Grouped):
            settings.check(window.channels, settings.neurons)
            groups = settings.groups
        super().__init__(self.Neurons(window.bits // groups, settings, generator=generator))
        self.window, self.groups = window, groups
        self.traits = allowed(type(self).traits, groups)
        self.geometry = output_geometry(geometry, window, settings.neurons * self.depth)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if self.training else self.compare(x)

    @torch.no_grad()
    def compare(self, x: Tensor) -> Tensor:
        """Run the layer as it will be frozen, on 0 and 1 of shape (in_width, batch)."""
        bits, thresholds = self.neurons.frozen
        signs = 2 * bits.float() - 1
        sums = slide(x.float(), signs, self.window, self.groups)
        return self.arrange(reached(sums, thresholds - lacking(signs)[:, None]))

    def freeze(self) -> ir.Convolution:
        node = self.neurons.freeze()
        parts = [ir.Xnor(weights, thresholds) for weights, thresholds in zip(
            np.split(node.weights, self.groups), np.split(node.thresholds, self.groups),
            strict=True)]
        return ir.Convolution(tuple(parts), self.window, self.groups)

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        geometry, sliding = sample_place(generator)
        settings = {**cls.Neurons.sample_settings(generator), **sliding}
        if issubclass(cls.Settings, Grouped) and torch.randint(2, (), generator=generator):
            settings |= {"groups": geometry.depth, "neurons": 2 * geometry.depth}
        layer = cls(geometry, cls.Settings(**settings), generator=generator)
        layer.neurons.perturb(generator)
        return layer


class XnorConvolutionLayer(ConvolutionLayer, kind="convolution", holds=NormalisedNeurons):
    """Convolution of latent weights with batch norm.

    Attributes
    ----------
    coarse : bool
        Whether sums, and what is made of them, have 8 bits in training (bfloat16). Products of 0
        and 1 with -1 and +1 are exact in it and are added up as float32: a sum below 256 is as it
        was, and a larger one wrong by less than its 256th. A trainer's choice.
    """

    coarse = False

    @dataclass(frozen=True)
    class Settings(Grouped, NormalisedNeurons.Settings):
        """What a recipe says about it."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.weights.feedback is not None:
            return super().forward(x)
        sums, signs = self._slid(x)
        # Batch norm takes away again what they lack.
        return self.arrange(self.neurons.activate(sums, lacking(signs.detach())))

    def product(self, x: Tensor) -> Tensor:
        if self.weights.feedback is not None:
            return super().product(x)
        sums, signs = self._slid(x)
        return sums + lacking(signs)[:, None]

    def _slid(self, x: Tensor) -> tuple[Tensor, Tensor]:
        signs = 2 * Sign.apply(self.weights.values) - 1
        kind = torch.bfloat16 if self.coarse else signs.dtype
        return slide(x.to(kind), signs.to(kind), self.window, self.groups), signs


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
