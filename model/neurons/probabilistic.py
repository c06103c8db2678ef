"""Neurons whose weights and inputs are probabilities."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor, nn

from bitwright.model import processes
from bitwright.model.base import Trait
from bitwright.model.neurons import neurons
from bitwright.model.neurons.neurons import Neurons
from bitwright.model.poisson_binomial import Gradient, bernoulli_tail
from bitwright.model.thresholds import crossing, least
from bitwright.model.weights.probabilities import Probabilities
from bitwright.model.weights.product import agreements

__all__ = ["ProbabilisticNeurons"]

EPSILON = 1e-4
"""Added to what divides, so that a constant input does not divide by 0."""

MOMENTUM, LEAST = 0.1, 0.01
"""Share of a batch in the running mean and deviation; it falls to the second once the weights are
bits, and the thresholds come to rest."""


class ProbabilisticNeurons(Neurons):
    """Binary neurons in doubt (Pavlyuchenkov, "Training binary neural network models by continuous
    approximations", 2023).

    A weight is +1 with probability v, an input is 1 with probability x, and the agreement count of
    a neuron is a sum S of independent Bernoullis of probability ``v x + (1 - v) (1 - x)``. In
    training the output is a probability again: ``sigmoid((P(S >= t) - 1/2) / (d (T + e)))``, in
    which d normalises over the batch. Batch norm acts on the threshold t, not on the tail: t lies
    ``shift`` deviations below the mean of the expected counts of the batch. So the output is above
    1/2 where S is likelier to reach t than not, which is what is left of it when all is certain.
    In evaluation, weights are bits, and their counts are compared with whole numbers, found from
    the statistics of :meth:`calibrate`.

    Attributes
    ----------
    gradient : str
        How gradients are found: see :func:`bitwright.model.poisson_binomial.bernoulli_tail`.
    temperature : Tensor of one value
        The T above: as it falls to 0, the sigmoid becomes a sign. Both are a learning rule's.
    """

    Settings = neurons.Settings
    traits = frozenset({Trait.DOUBT})
    settles = False

    weights: Probabilities
    mean: Tensor
    deviation: Tensor
    rested: Tensor
    temperature: Tensor

    def __init__(self, in_width: int, settings: neurons.Settings, *,
                 generator: torch.Generator) -> None:
        if find_spec("numba") is None:
            raise ValueError("Bernoulli layers need the package numba; install it with "
                             "`pip install 'bitwright[train]'`")
        super().__init__(in_width, 1)
        count = settings.neurons
        self.weights = Probabilities(count, in_width, generator=generator)
        self.gradient: Gradient = "precise"
        self.register_buffer("temperature", torch.tensor(1.0, dtype=torch.float64))
        self.shift = nn.Parameter(torch.zeros(count))
        self.register_buffer("mean", torch.full((count,), in_width / 2))
        self.register_buffer("deviation", torch.full((count,), in_width**0.5 / 2))
        self.register_buffer("rested", torch.zeros((), dtype=torch.int64))  # batches since binary

    def forward(self, x: Tensor) -> Tensor:
        return self.doubt(x.to(self.weights.values)) if self.training else self.compare(x)

    def activate(self, sums: Tensor) -> Tensor:
        raise NotImplementedError("what is made of a sum in doubt depends on its distribution")

    def doubt(self, x: Tensor) -> Tensor:
        """Map probabilities, shape (in_width, columns), to probabilities, (neurons, columns)."""
        expected = self.weights.product(x)
        mean, variance = processes.moments(expected, at_once=True)
        # A count reaches a whole number t as it passes t - 1/2.
        thresholds = mean - self.shift * (variance + EPSILON).sqrt() + 0.5
        tail = bernoulli_tail(self.weights.values, 2 * x - 1, thresholds, self.gradient)
        excess = tail - 0.5
        size = (processes.mean(excess.square())[:, None] + EPSILON).sqrt()
        return torch.sigmoid(excess / (size * (self.temperature + EPSILON)))

    @torch.no_grad()
    def calibrate(self, bits: Tensor) -> Tensor:
        """Run the neurons as they will be frozen, and follow the statistics of their counts.

        Parameters
        ----------
        bits : Tensor of 0 and 1, shape (in_width, columns)

        Returns
        -------
        Tensor of 0 and 1, shape (neurons, columns)
        """
        counts = agreements(self.weights.bits.to(bits), bits)
        mean, variance = processes.moments(counts, at_once=True)
        self.rested += self.weights.binary
        share = max(LEAST, 1 / (1 / MOMENTUM + int(self.rested)))
        self.mean.lerp_(mean, share)
        self.deviation.lerp_(variance.sqrt(), share)
        return (counts >= self.thresholds).to(counts)

    @property
    def thresholds(self) -> Tensor:
        bound = crossing(self.mean.new_zeros(1), self.mean.double(), self.deviation.double(),
                         shift=self.shift.detach().double())
        return least(bound, 0, self.in_width + 1)[:, None]

    @torch.no_grad()
    def perturb(self, generator: torch.Generator) -> None:
        self.mean.add_(torch.randn(len(self.mean), generator=generator))
        self.shift.normal_(generator=generator)
