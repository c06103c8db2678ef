"""The head of networks that learn by flips: normalised counts of binary neurons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright.model.base import Context, Trait
from bitwright.model.heads.counts import CountHead
from bitwright.model.neurons.centred import Centre, Moments
from bitwright.model.weights.bits import Bits

__all__ = ["BmaHead"]

SCALE = 2
"""Factor of the counts: the half of an odd number of inputs is then a whole number."""


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a BMA head."""

    temperature: float = 1.0
    """Normalised counts are divided by it to become logits."""
    centre: Centre = "half"
    """"half": a count is normalised as that of fair coins. "batch": its mean over the batch is
    taken off, of which a running value is kept."""
    bias: int = 0
    """Input bits that are always 1."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")
        if self.bias < 0:
            raise ValueError(f"bias must be at least 0, not {self.bias}")


class BmaHead(CountHead, kind="bma"):
    """Agreement counts of one binary neuron a class.

    BMA stands for binary multiply-accumulate. A logit is ``(P - N / 2) / sqrt(N / 4)``, over the
    temperature, with the count P of N; with ``centre = "batch"`` the running mean of P takes the
    place of N / 2. Frozen it is an :class:`ir.Scores`.

    Parameters
    ----------
    width, classes : int
    settings : Settings
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings
    traits = frozenset({Trait.FLIPS})

    scale = SCALE
    weights: Bits

    def __init__(self, width: int, classes: int, settings: Settings, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.weights = Bits(classes, width, bias=settings.bias, generator=generator)
        self.moments = Moments(classes, self.weights.fan_in, settings.centre)
        # SCALE * P - N is sqrt(N) times the normalised count.
        self.temperature = settings.temperature * self.weights.fan_in**0.5

    @property
    def centre(self) -> Centre:
        return self.moments.centre

    @property
    def batch_statistics(self) -> bool:  # type: ignore[override]
        return self.centre == "batch"

    @property
    def biases(self) -> Tensor:
        return SCALE * self.weights.constants - (SCALE * self.moments.mean).round().long()

    def activate(self, sums: Tensor) -> Tensor:
        """Scores of counts, shape (classes, batch) to (batch, classes)."""
        mean, _ = self.moments.of(sums)
        return (SCALE * sums - (SCALE * mean).round()).T

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, context.classes, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        width, classes, bias, centre = (int(torch.randint(low, low + 6, (), generator=generator))
                                        for low in (3, 2, 0, 0))
        settings = Settings(3.0, ("half", "batch")[centre % 2], bias)
        head = cls(width, classes, settings, generator=generator)
        if settings.centre == "batch":
            head.moments.mean += torch.randn(classes, generator=generator)
        return head
