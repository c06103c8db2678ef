"""A dense layer of XNOR-popcount neurons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model.base import BitLayer, Context
from bitwright.model.flip.operators import cuts
from bitwright.model.weights.latent import LatentSigns, agreements
from bitwright.model.weights.surrogate import Sign
from bitwright.model.wiring import Geometry

__all__ = ["XnorLayer"]

EPSILON = 1e-5
"""Added to the variance, so that a constant input does not divide by 0."""

MOMENTUM = 0.1
"""Share of a batch in the running mean and variance."""


@dataclass(frozen=True)
class Settings:
    """What a recipe says about an XNOR layer."""

    neurons: int
    """Neurons, each with a weight for every input bit."""
    depth: int = 1
    """Thresholds of a neuron, each one output bit. They cut the normal distribution into equal
    masses."""

    def __post_init__(self) -> None:
        for name in ("neurons", "depth"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


class XnorLayer(LatentSigns, BitLayer, kind="xnor"):
    """Dense layer of binary neurons with batch norm, D thresholds a neuron.

    In training, agreement counts are normalised over the batch and compared with the cuts of the
    normal distribution. In evaluation, the running statistics are folded into integer thresholds
    of the counts, and nothing but integers is compared.

    Parameters
    ----------
    in_width, neurons, depth : int
    generator : torch.Generator
        Source of the initial weights.

    Attributes
    ----------
    surrogate : callable
        Makes bits of normalised counts in training. Its slope is a learning rule's choice. That of
        the weights is always the clipped one: they are kept within ±1, where a slope that falls
        to 0 would leave those at the ends there for ever.
    """

    Settings = Settings

    mean: Tensor
    variance: Tensor
    cuts: Tensor

    def __init__(self, in_width: int, neurons: int, depth: int = 1, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.in_width = in_width
        self.geometry = Geometry.line(neurons, depth)
        self.surrogate: Callable[[Tensor], Tensor] = Sign.apply
        self.add_weights(neurons, in_width, generator)
        self.scale = nn.Parameter(torch.ones(neurons))
        self.shift = nn.Parameter(torch.zeros(neurons))
        self.register_buffer("mean", torch.full((neurons,), in_width / 2))
        self.register_buffer("variance", torch.full((neurons,), in_width / 4))
        self.register_buffer("cuts", cuts(depth).float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.weights)
        if not self.training:
            weights, thresholds = self.folded
            counts = agreements(weights.to(x), x)
            bits = counts[:, None, :] >= thresholds[:, :, None]
            return bits.flatten(0, 1).to(x)
        return self.activate(self.product(x))

    def activate(self, sums: Tensor) -> Tensor:
        """Map agreement counts to bits with the statistics of the batch, shape (width, batch)."""
        mean, variance = sums.mean(1), sums.var(1, unbiased=False)
        with torch.no_grad():
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance, MOMENTUM)
        normal = (sums - mean[:, None]) / (variance[:, None] + EPSILON).sqrt()
        z = normal * self.scale[:, None] + self.shift[:, None]
        return self.surrogate(z[:, None, :] - self.cuts[:, None]).flatten(0, 1)

    @property
    def folded(self) -> tuple[Tensor, Tensor]:
        """Weights as bits, and integer thresholds of the agreement counts.

        The one place where trained values become bits and integers. A neuron of negative scale has
        its weights inverted, as ``popcount(x ^ w)`` is what is left of the width.

        Returns
        -------
        weights : Tensor of bool, shape (neurons, in_width)
        thresholds : Tensor of int32, shape (neurons, depth)
        """
        with torch.no_grad():
            scale, shift = self.scale.double()[:, None], self.shift.double()[:, None]
            mean = self.mean.double()[:, None]
            deviation = (self.variance.double()[:, None] + EPSILON).sqrt()
            cuts = self.cuts.double()
            # scale * (count - mean) / deviation + shift >= cut, solved for the count.
            bound = mean + (cuts - shift) * deviation / torch.where(scale == 0, 1, scale)
            bound = torch.where(scale < 0, self.in_width - bound, bound)
            constant = torch.where(shift >= cuts, 0, self.in_width + 1)
            thresholds = torch.where(scale == 0, constant, bound.ceil())
            thresholds = thresholds.clamp(0, self.in_width + 1).to(torch.int32)
            return (self.weights >= 0) ^ (self.scale < 0)[:, None], thresholds

    def freeze(self) -> ir.Xnor:
        weights, thresholds = self.folded
        return ir.Xnor(weights.numpy(), thresholds.numpy().astype(np.int32))

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, settings.neurons, settings.depth, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        width, neurons, depth = (int(torch.randint(low, low + 6, (), generator=generator))
                                 for low in (3, 2, 1))
        layer = cls(width, neurons, depth, generator=generator)
        with torch.no_grad():
            layer.scale.normal_(generator=generator)
            layer.scale[0] = 0.0
            layer.shift.normal_(generator=generator)
            layer.mean.add_(torch.randn(neurons, generator=generator))
        return layer
