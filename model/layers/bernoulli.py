"""A dense layer of neurons whose weights and inputs are probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model.base import BitLayer, Context
from bitwright.model.poisson_binomial import Gradient, bernoulli_tail, check_compiler
from bitwright.model.weights.latent import agreements
from bitwright.model.weights.probability import ProbableWeights
from bitwright.model.wiring import Geometry

__all__ = ["BernoulliLayer"]

EPSILON = 1e-4
"""Added to what divides, so that a constant input does not divide by 0."""

MOMENTUM, LEAST = 0.1, 0.01
"""Share of a batch in the running mean and deviation; it falls to the second once the weights are
bits, and the thresholds come to rest."""


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a Bernoulli layer."""

    neurons: int
    """Neurons, each with a weight for every input bit."""

    def __post_init__(self) -> None:
        if self.neurons < 1:
            raise ValueError(f"neurons must be at least 1, not {self.neurons}")


class BernoulliLayer(ProbableWeights, BitLayer, kind="bernoulli"):
    """Dense layer of binary neurons in doubt (Pavlyuchenkov, "Training binary neural network
    models by continuous approximations", 2023).

    A weight is +1 with probability v, an input is 1 with probability x, and the agreement count of
    a neuron is a sum S of independent Bernoullis of probability ``v x + (1 - v) (1 - x)``. In
    training the output is a probability again: ``sigmoid((P(S >= t) - 1/2) / (d (T + e)))``, in
    which d normalises over the batch. Batch norm acts on the threshold t, not on the tail: t lies
    ``shift`` deviations below the mean of the expected counts of the batch. So the output is above
    1/2 where S is likelier to reach t than not, which is what is left of it when all is certain.
    In evaluation, weights are bits, and their counts are compared with whole numbers, found from
    the statistics of :meth:`calibrate`. It freezes to an :class:`ir.Xnor`.

    Parameters
    ----------
    in_width, neurons : int
    generator : torch.Generator
        Source of the initial weights.

    Attributes
    ----------
    gradient : str
        How gradients are found: see :func:`model.poisson_binomial.bernoulli_tail`.
    temperature : float
        The T above: as it falls to 0, the sigmoid becomes a sign. Both are a learning rule's.
    """

    Settings = Settings

    mean: Tensor
    deviation: Tensor
    rested: Tensor

    def __init__(self, in_width: int, neurons: int, *, generator: torch.Generator) -> None:
        super().__init__(neurons, in_width, generator=generator)
        self.in_width = in_width
        self.geometry = Geometry.line(neurons)
        self.gradient: Gradient = "precise"
        self.temperature = 1.0
        self.shift = nn.Parameter(torch.zeros(neurons))
        self.register_buffer("mean", torch.full((neurons,), in_width / 2))
        self.register_buffer("deviation", torch.full((neurons,), in_width**0.5 / 2))
        self.register_buffer("rested", torch.zeros((), dtype=torch.int64))  # batches since binary

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.weights)
        if not self.training:
            return self._compare(agreements(self.bits.to(x), x))
        signs = 2 * x - 1
        expected = (self.in_width + self.weights @ signs) / 2
        variance, mean = torch.var_mean(expected, 1, correction=0)
        # A count reaches a whole number t as it passes t - 1/2.
        thresholds = mean - self.shift * (variance + EPSILON).sqrt() + 0.5
        excess = bernoulli_tail(self.weights, signs, thresholds, self.gradient) - 0.5
        size = (excess.square().mean(1, keepdim=True) + EPSILON).sqrt()
        return torch.sigmoid(excess / (size * (self.temperature + EPSILON)))

    @torch.no_grad()
    def calibrate(self, bits: Tensor) -> Tensor:
        """Run the layer as it will be frozen, and follow the statistics of its counts.

        Parameters
        ----------
        bits : Tensor of 0 and 1, shape (in_width, batch)

        Returns
        -------
        Tensor of 0 and 1, shape (out_width, batch)
        """
        counts = agreements(self.bits.to(bits), bits)
        variance, mean = torch.var_mean(counts, 1, correction=0)
        self.rested += self.binary
        share = max(LEAST, 1 / (1 / MOMENTUM + int(self.rested)))
        self.mean.lerp_(mean, share)
        self.deviation.lerp_(variance.sqrt(), share)
        return self._compare(counts)

    @property
    def certain(self) -> Tensor:
        """Which outputs come from weights that are all settled, bool, shape (out_width,)."""
        return self.settled.all(1)

    @property
    def thresholds(self) -> Tensor:
        """Whole thresholds of the counts, int32. The one place where they are rounded."""
        with torch.no_grad():
            bound = self.mean.double() - self.shift.double() * self.deviation.double()
            return bound.ceil().clamp(0, self.in_width + 1).to(torch.int32)

    def _compare(self, counts: Tensor) -> Tensor:
        return (counts >= self.thresholds[:, None]).to(counts)

    def measures(self) -> dict[str, float]:
        return {"doubt": self.doubt, "settled": self.settled.float().mean().item()}

    def freeze(self) -> ir.BitNode:
        return ir.Xnor(self.bits.numpy(), self.thresholds.numpy().astype(np.int32)[:, None])

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        check_compiler()
        return cls(context.geometry.width, settings.neurons, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        width, neurons = (int(torch.randint(low, low + 6, (), generator=generator))
                          for low in (3, 2))
        layer = cls(width, neurons, generator=generator)
        with torch.no_grad():
            layer.mean.add_(torch.randn(neurons, generator=generator))
            layer.shift.normal_(generator=generator)
        return layer
