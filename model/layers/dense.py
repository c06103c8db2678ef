"""A dense layer of real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from bitwright.model.base import Context, RealLayer
from bitwright.model.weights.feedback import Weighted, product
from bitwright.model.wiring import Geometry

__all__ = ["DenseLayer", "uniform"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a dense layer."""

    neurons: int
    """Neurons, each with a weight for every input."""
    batch_norm: bool = False
    """Whether sums are normalised over the batch, with a trained scale and shift, before the
    rectifier."""

    def __post_init__(self) -> None:
        if self.neurons < 1:
            raise ValueError(f"neurons must be at least 1, not {self.neurons}")


def uniform(shape: tuple[int, ...], fan_in: int, generator: torch.Generator) -> nn.Parameter:
    """Draw weights within ``±1 / sqrt(fan_in)``, as torch's linear layers do."""
    return nn.Parameter((torch.rand(shape, generator=generator) * 2 - 1) / fan_in ** 0.5)


class DenseLayer(RealLayer, Weighted, kind="dense"):
    """Matrix product, bias, rectifier: the layer that a dense binary one is compared with.

    Parameters
    ----------
    in_width, neurons : int
    batch_norm : bool
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings

    mean: Tensor
    variance: Tensor

    def __init__(self, in_width: int, neurons: int, *, batch_norm: bool = False,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.in_width = in_width
        self.geometry = Geometry.line(neurons)
        self.weights = uniform((neurons, in_width), in_width, generator)
        self.bias = uniform((neurons,), in_width, generator)
        self.scale = nn.Parameter(torch.ones(neurons)) if batch_norm else None
        self.register_buffer("mean", torch.zeros(neurons))
        self.register_buffer("variance", torch.ones(neurons))

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x))

    @property
    def matrix(self) -> Tensor:
        return self.weights.detach()

    def product(self, x: Tensor) -> Tensor:
        return product(self.weights, x, self.feedback)

    def activate(self, sums: Tensor) -> Tensor:
        if self.scale is None:
            return torch.relu(sums + self.bias[:, None])
        return torch.relu(batch_norm(sums.T, self.mean, self.variance, self.scale, self.bias,
                                     training=self.training)).T

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, settings.neurons, batch_norm=settings.batch_norm,
                   generator=generator)
