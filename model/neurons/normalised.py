"""Neurons of latent weights behind a batch norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bitwright.model import processes
from bitwright.model.base import Trait
from bitwright.model.neurons import neurons
from bitwright.model.neurons.neurons import Neurons, apart
from bitwright.model.thresholds import crossing, cuts, least
from bitwright.model.weights.latent import LatentSigns
from bitwright.model.weights.surrogate import Step

__all__ = ["NormalisedNeurons", "Settings"]

EPSILON = 1e-5
"""Added to the variance, so that a constant input does not divide by 0."""

MOMENTUM = 0.1
"""Share of a batch in the running mean and variance."""


@dataclass(frozen=True)
class Settings(neurons.Settings):
    """What a recipe says about neurons behind a batch norm."""

    depth: int = 1
    """Thresholds of a neuron, each one output bit. They cut the normal distribution into equal
    masses."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, not {self.depth}")


def normalised(sums: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm of each row.

    Parameters
    ----------
    sums : Tensor, shape (neurons, columns)
        Rows or columns may lie together in memory, and so they do in the values.
    scale, shift : Tensor, shape (neurons,)

    Returns
    -------
    values : Tensor, shape (neurons, columns)
    mean, deviation : Tensor, shape (neurons,)
        Of the sums.
    """
    if not processes.alone():
        return processes.normalised(sums, scale, shift, EPSILON)
    # As a picture of one row, channels first or last. (Of one column and taken out by indices,
    # `sums[None, :, :, None]` and `z[0, :, :, 0]`, torch 2.13 gives gradients that are wrong.)
    row = sums.T.reshape(1, 1, -1, len(sums)).permute(0, 3, 1, 2)
    z, mean, inverse = torch.native_batch_norm(row, scale, shift, None, None, True, MOMENTUM,
                                               EPSILON)
    return z.permute(0, 2, 3, 1).reshape(-1, len(sums)).T, mean, 1 / inverse


class NormalisedNeurons(Neurons):
    """Neurons with batch norm, D thresholds a neuron.

    In training, agreement counts are normalised over the batch and compared with the cuts of the
    normal distribution. In evaluation, the running statistics are absorbed into whole thresholds
    of the counts.

    Attributes
    ----------
    step : Module
        Makes bits of normalised counts in training. Its slope is a learning rule's choice.
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT, Trait.MATRIX, Trait.LATENT})
    settles = True

    weights: LatentSigns
    mean: Tensor
    variance: Tensor
    cuts: Tensor

    def __init__(self, in_width: int, settings: Settings, *, generator: torch.Generator) -> None:
        super().__init__(in_width, settings.depth)
        count = settings.neurons
        self.step: nn.Module = Step()
        self.weights = LatentSigns(count, in_width, generator=generator)
        self.scale = nn.Parameter(torch.ones(count))
        self.shift = nn.Parameter(torch.zeros(count))
        self.register_buffer("mean", torch.full((count,), in_width / 2))
        self.register_buffer("variance", torch.full((count,), in_width / 4))
        self.register_buffer("cuts", cuts(settings.depth).float(), persistent=False)

    def activate(self, sums: Tensor, missing: Tensor | float = 0.0) -> Tensor:
        """Map sums to bits.

        Parameters
        ----------
        sums : Tensor, shape (neurons, columns)
        missing : Tensor, shape (neurons,), or float
            What they lack to be counts of agreeing bits. No bit depends on it.

        Returns
        -------
        Tensor, shape (neurons * depth, columns)
        """
        z, mean, deviation = normalised(sums, self.scale, self.shift)
        with torch.no_grad():
            self.mean.lerp_(mean + missing, MOMENTUM)
            self.variance.lerp_(deviation.square() - EPSILON, MOMENTUM)
        # The one cut of a depth of 1 is 0.
        return self.step(z if self.depth == 1 else apart(z, self.cuts[None].to(z)))

    @property
    def frozen(self) -> tuple[Tensor, Tensor]:
        # A neuron of negative scale counts what disagrees: the weights are turned over.
        return self.weights.bits ^ (self.scale.detach() < 0)[:, None], self.thresholds

    @property
    def thresholds(self) -> Tensor:
        scale, shift = (x.detach().double()[:, None] for x in (self.scale, self.shift))
        deviation = (self.variance.double()[:, None] + EPSILON).sqrt()
        bound = crossing(self.cuts, self.mean.double()[:, None], deviation,
                         torch.where(scale == 0, 1, scale), shift)
        bound = torch.where(scale < 0, self.in_width - bound, bound)
        constant = torch.where(shift >= self.cuts.double(), 0.0, self.in_width + 1.0)
        return least(torch.where(scale == 0, constant, bound), 0, self.in_width + 1)

    @torch.no_grad()
    def perturb(self, generator: torch.Generator) -> None:
        self.scale.normal_(generator=generator)
        self.scale[0] = 0.0
        self.shift.normal_(generator=generator)
        self.mean.add_(torch.randn(len(self.mean), generator=generator))

    @classmethod
    def sample_settings(cls, generator: torch.Generator) -> dict[str, Any]:
        return {**super().sample_settings(generator),
                "depth": int(torch.randint(1, 6, (), generator=generator))}
