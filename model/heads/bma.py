"""The head of networks that learn by flips: normalised counts of binary neurons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import Context, Head
from bitwright.model.weights.bits import BitWeights, Centre

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


class BmaHead(Head, BitWeights, kind="bma"):
    """Agreement counts of one binary neuron a class.

    BMA stands for binary multiply-accumulate. A logit is ``(P - N / 2) / sqrt(N / 4)``, over the
    temperature. Frozen it is an :class:`ir.Scores`.

    Parameters
    ----------
    in_width, classes : int
    settings : Settings
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings

    def __init__(self, in_width: int, classes: int, settings: Settings, *,
                 generator: torch.Generator) -> None:
        BitWeights.__init__(self, in_width, classes, bias=settings.bias, centre=settings.centre,
                            generator=generator)
        # SCALE * P - N is sqrt(N) times the normalised count.
        self.temperature = settings.temperature * self.fan_in**0.5

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.count(self.extend(x)))

    def score(self, counts: Tensor) -> Tensor:
        """Scores of counts, shape (classes, batch) to (batch, classes)."""
        mean, _ = self.moments(counts)
        return (SCALE * counts - (SCALE * mean).round()).T

    def freeze(self) -> ir.Scores:
        bits = self.bits.numpy().astype(bool)
        weights, biases = bits[:, : self.in_width], bits[:, self.in_width :]
        mean = torch.full((len(bits),), self.fan_in / 2) if self.centre == "half" else self.mean
        offsets = SCALE * biases.sum(1) - (SCALE * mean).round().numpy()
        return ir.Scores(np.ascontiguousarray(weights), SCALE, offsets.astype(np.int32))

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
            head.mean += torch.randn(classes, generator=generator)
        return head
