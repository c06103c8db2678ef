"""A dense layer of real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from bitwright.model.base import Context, RealLayer, Summing, Trait
from bitwright.model.layers.batch_norm import batch_norm
from bitwright.model.weights.reals import Reals, uniform
from bitwright.model.wiring import Geometry

__all__ = ["RealDenseLayer", "unit"]

EPSILON = 1e-4
"""Added to a length, so that an input of zeros does not divide by 0."""


def unit(x: Tensor) -> Tensor:
    """Scale each sample of values, shape (width, batch), to unit length."""
    return x / (x.norm(dim=0, keepdim=True) + EPSILON)


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a dense layer of reals."""

    neurons: int
    """Neurons, each with a weight for every input."""
    batch_norm: bool = False
    """Whether sums are normalised over the batch, with a trained scale and shift, before the
    rectifier."""
    unit_length: bool = False
    """Whether each sample is scaled to unit length first. The length is the goodness of the layer
    before; with it gone, a forward-forward layer must find something new (Hinton,
    arXiv:2212.13345, section 2)."""

    def __post_init__(self) -> None:
        if self.neurons < 1:
            raise ValueError(f"neurons must be at least 1, not {self.neurons}")


class RealDenseLayer(Summing, RealLayer, kind="dense"):
    """Matrix product, bias, rectifier: the layer that a dense binary one is compared with.

    Parameters
    ----------
    in_width : int
    settings : Settings
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT, Trait.MATRIX})

    mean: Tensor
    variance: Tensor

    def __init__(self, in_width: int, settings: Settings, *, generator: torch.Generator) -> None:
        super().__init__()
        neurons = settings.neurons
        self.in_width, self.unit_length = in_width, settings.unit_length
        self.batch_statistics = settings.batch_norm
        self.geometry = Geometry.line(neurons)
        self.weights = Reals(neurons, in_width, generator=generator)
        self.bias = uniform((neurons,), in_width, generator)
        self.scale = nn.Parameter(torch.ones(neurons)) if settings.batch_norm else None
        self.register_buffer("mean", torch.zeros(neurons))
        self.register_buffer("variance", torch.ones(neurons))

    def columns(self, x: Tensor) -> Tensor:
        return unit(x) if self.unit_length else x

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x))

    def activate(self, sums: Tensor) -> Tensor:
        if self.scale is None:
            return torch.relu(sums + self.bias[:, None])
        return torch.relu(batch_norm(sums.T, self.mean, self.variance, self.scale, self.bias,
                                     training=self.training)).T

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, settings, generator=generator)
