"""Neurons whose weights are bits, with thresholds that lie around a centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from bitwright.model import processes
from bitwright.model.base import Trait
from bitwright.model.neurons import neurons
from bitwright.model.neurons.neurons import Neurons
from bitwright.model.thresholds import crossing, cuts, least
from bitwright.model.weights.bits import Bits

__all__ = ["Centre", "CentredNeurons", "Moments", "Settings"]

Centre = Literal["half", "batch"]
"""What a count is compared with: half of the inputs, or its own mean over the samples."""

MOMENTUM = 0.1
"""Share of a batch in the running mean and variance of the counts."""


class Moments(nn.Module):
    """Mean and variance that counts are normalised with.

    Parameters
    ----------
    neurons, fan_in : int
    centre : Centre
        "half": those of as many fair coins, which is no state at all. "batch": those of the batch,
        of which running values are kept.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, neurons: int, fan_in: int, centre: Centre) -> None:
        super().__init__()
        self.centre = centre
        kept = centre == "batch"
        self.register_buffer("mean", torch.full((neurons,), fan_in / 2), persistent=kept)
        self.register_buffer("variance", torch.full((neurons,), fan_in / 4), persistent=kept)

    @property
    def deviation(self) -> Tensor:
        """Deviation of what is in the buffers, float64 of shape (neurons,)."""
        return _deviation(self.variance.double(), self.centre)

    def of(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation of counts, shape (neurons, columns), as columns.

        In training the running ones follow those of a batch.
        """
        mean, variance = self.mean, self.variance
        if self.training and self.centre == "batch":
            mean, variance = processes.moments(counts)
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance, MOMENTUM)
        return mean[:, None], _deviation(variance, self.centre)[:, None]


def _deviation(variance: Tensor, centre: Centre) -> Tensor:
    # A count that never changes deviates by nothing: any unit will do.
    return (variance.clamp(min=0.25) if centre == "batch" else variance).sqrt()


@dataclass(frozen=True)
class Settings(neurons.Settings):
    """What a recipe says about neurons of bits."""

    depth: int = 1
    """Thresholds of a neuron, each one output bit. They cut the normal distribution into equal
    masses."""
    centre: Centre = "half"
    """"half": counts are normalised as those of fair coins, and nothing of the layer is real.
    "batch": by their mean and variance over the batch, of which running values are kept."""
    bias: int = 0
    """Input bits that are always 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, not {self.depth}")
        if self.bias < 0:
            raise ValueError(f"bias must be at least 0, not {self.bias}")


class CentredNeurons(Neurons):
    """Agreement counts of weight bits, normalised and compared with the cuts.

    A bit is 1 where the count is *above* its threshold. The report on flip backpropagation calls
    it BMAB, binary multiply-accumulate, binarize.
    """

    Settings = Settings
    traits = frozenset({Trait.FLIPS})

    weights: Bits
    cuts: Tensor

    def __init__(self, in_width: int, settings: Settings, *, generator: torch.Generator) -> None:
        super().__init__(in_width, settings.depth)
        self.weights = Bits(settings.neurons, in_width, bias=settings.bias, generator=generator)
        self.moments = Moments(settings.neurons, self.weights.fan_in, settings.centre)
        self.register_buffer("cuts", cuts(settings.depth), persistent=False)

    @property
    def centre(self) -> Centre:
        return self.moments.centre

    @property
    def settles(self) -> bool:
        return self.centre == "batch"

    @property
    def batch_statistics(self) -> bool:  # type: ignore[override]
        return self.centre == "batch"

    def activate(self, sums: Tensor) -> Tensor:
        return self.cut(self.normalise(sums))

    def normalise(self, counts: Tensor) -> Tensor:
        """Counts in deviations from their mean. See :meth:`Moments.of`."""
        mean, deviation = self.moments.of(counts)
        return (counts - mean) / deviation

    def cut(self, z: Tensor) -> Tensor:
        """Bits of normalised counts, shape (neurons, columns) to (neurons * depth, columns)."""
        return (z[:, None, :] > self.cuts.to(z)[:, None]).flatten(0, 1).float()

    def distance(self, z: Tensor) -> Tensor:
        """How far normalised counts are from the nearest cut, shape (neurons, columns)."""
        return (z[:, None, :] - self.cuts.to(z)[:, None]).abs().amin(1)

    @property
    def thresholds(self) -> Tensor:
        bound = crossing(self.cuts, self.moments.mean.double()[:, None],
                         self.moments.deviation[:, None])
        whole = least(bound, 0, self.weights.fan_in + 1, above=True)
        whole = whole - self.weights.constants[:, None]
        return whole.clamp(0, self.in_width + 1).to(torch.int32)

    @torch.no_grad()
    def perturb(self, generator: torch.Generator) -> None:
        if self.centre == "batch":
            self.moments.mean.add_(torch.randn(len(self.moments.mean), generator=generator))
            self.moments.variance.add_(torch.rand(len(self.moments.mean), generator=generator))

    @classmethod
    def sample_settings(cls, generator: torch.Generator) -> dict[str, Any]:
        depth, bias, centre = torch.randint(6, (3,), generator=generator).tolist()
        return {**super().sample_settings(generator), "depth": 1 + depth, "bias": bias,
                "centre": ("half", "batch")[centre % 2]}
