"""The head of Bernoulli networks: expected agreement counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

import ir

from .base import Context, Head
from .probable import ProbableWeights
from .xnor import agreements

__all__ = ["ExpectationHead"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about an expectation head."""

    temperature: float = 8.0
    """Scores are divided by it to become logits."""
    scale: int = 2
    """Factor of the counts. Biases are integers, so that it is their finest step."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")
        if not 1 <= self.scale <= 1 << 15:
            raise ValueError(f"scale must be between 1 and 32768, not {self.scale}")


class ExpectationHead(ProbableWeights, Head, kind="expectation"):
    """Expectation of a scaled agreement count, and a bias, a class.

    The expectation of a sum needs no distribution: it is the sum of the probabilities. Where all
    is certain it is the count itself, and the head freezes to an :class:`ir.Scores`.

    Parameters
    ----------
    width, classes : int
    temperature : float
    scale : int
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings

    def __init__(self, width: int, classes: int, *, temperature: float, scale: int,
                 generator: torch.Generator) -> None:
        super().__init__(classes, width, generator=generator)
        self.temperature = temperature
        self.scale = scale
        # In units of the temperature, so that one learning rate fits all parameters.
        self.offsets = nn.Parameter(torch.zeros(classes))

    @property
    def biases(self) -> Tensor:
        """Biases as whole numbers. The one place where they are rounded."""
        return (self.offsets.detach() * self.temperature).round()

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.weights)
        if not self.training:
            return self.calibrate(x)
        expected = (self.weights.shape[1] + self.weights @ (2 * x - 1)) / 2
        return (self.scale * expected + (self.offsets * self.temperature)[:, None]).T

    @torch.no_grad()
    def calibrate(self, bits: Tensor) -> Tensor:
        """Run the head as it will be frozen: bits, shape (in_width, batch), to integer scores."""
        counts = agreements(self.bits.to(bits), bits)
        return (self.scale * counts + self.biases[:, None]).T

    def measures(self) -> dict[str, float]:
        return {"doubt": self.doubt, "settled": self.settled.float().mean().item()}

    def freeze(self) -> ir.Scores:
        return ir.Scores(self.bits.numpy(), self.scale, self.biases.numpy().astype(np.int32))

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, context.classes, temperature=settings.temperature,
                   scale=settings.scale, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        width, classes, scale = (int(torch.randint(low, low + 6, (), generator=generator))
                                 for low in (3, 2, 1))
        head = cls(width, classes, temperature=3.0, scale=scale, generator=generator)
        with torch.no_grad():
            head.offsets.normal_(generator=generator)
        return head
