"""Dense layers of binary neurons: every neuron sees every bit."""

from __future__ import annotations

from typing import Any, Self

import torch

from bitwright import ir
from bitwright.model.base import Context
from bitwright.model.layers.neuron_layer import NeuronLayer
from bitwright.model.neurons import CentredNeurons, NormalisedNeurons, ProbabilisticNeurons
from bitwright.model.wiring import Geometry

__all__ = ["BernoulliLayer", "BmabLayer", "DenseLayer", "XnorLayer"]


class DenseLayer(NeuronLayer):
    """Neurons that see the whole input. It freezes to an :class:`ir.Xnor`.

    Parameters
    ----------
    in_width : int
    settings : Settings
        Of the neurons.
    generator : torch.Generator
        Source of the initial weights.
    """

    def __init__(self, in_width: int, settings: Any, *, generator: torch.Generator) -> None:
        super().__init__(self.Neurons(in_width, settings, generator=generator))
        self.in_width = in_width
        self.geometry = Geometry.line(settings.neurons, self.depth)

    def freeze(self) -> ir.Xnor:
        return self.neurons.freeze()

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        width = int(torch.randint(3, 9, (), generator=generator))
        layer = cls(width, cls.Settings(**cls.Neurons.sample_settings(generator)),
                    generator=generator)
        layer.neurons.perturb(generator)
        return layer


class XnorLayer(DenseLayer, kind="xnor", holds=NormalisedNeurons):
    """Dense layer of latent weights with batch norm."""

    Settings = NormalisedNeurons.Settings


class BmabLayer(DenseLayer, kind="bmab", holds=CentredNeurons):
    """Dense layer of weight bits, the binary linear layer of flip backpropagation."""

    Settings = CentredNeurons.Settings


class BernoulliLayer(DenseLayer, kind="bernoulli", holds=ProbabilisticNeurons):
    """Dense layer of weights in doubt."""

    Settings = ProbabilisticNeurons.Settings
