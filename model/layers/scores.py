"""The head of XNOR networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

import ir

from .base import Context, Head
from .surrogate import Sign
from .weighted import Weighted
from .xnor import agreements

__all__ = ["ScoresHead"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a head of binary weights."""

    temperature: float = 10.0
    """Scores are divided by it to become logits."""
    scale: int = 2
    """Factor of the agreement counts. Biases are integers, so that it is their finest step."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")
        if not 1 <= self.scale <= 1 << 15:
            raise ValueError(f"scale must be between 1 and 32768, not {self.scale}")


class ScoresHead(Head, Weighted, kind="scores"):
    """Dense head of binary weights: a scaled agreement count and an integer bias a class.

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
        super().__init__()
        self.temperature = temperature
        self.scale = scale
        # Latent weights, within -1 to +1; the bit is 1 from 0 up.
        self.weights = nn.Parameter(torch.rand(classes, width, generator=generator) * 2 - 1)
        # In units of the temperature, so that one learning rate fits all parameters.
        self.offsets = nn.Parameter(torch.zeros(classes))

    @property
    def biases(self) -> Tensor:
        """Biases as whole numbers. The one place where they are rounded."""
        return (self.offsets.detach() * self.temperature).round()

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x))

    @property
    def matrix(self) -> Tensor:
        return 2 * (self.weights.detach() >= 0).to(self.weights) - 1

    def product(self, x: Tensor) -> Tensor:
        """Count agreements, shape (classes, batch)."""
        return agreements(Sign.apply(self.weights), x.to(self.weights), self.feedback)

    def activate(self, sums: Tensor) -> Tensor:
        """Map agreement counts to scores, shape (batch, classes)."""
        real = self.offsets * self.temperature
        biases = real + (self.biases - real).detach() if self.training else self.biases
        return (self.scale * sums + biases[:, None]).T

    def constrain(self) -> None:
        with torch.no_grad():
            self.weights.clamp_(-1, 1)

    def freeze(self) -> ir.Scores:
        return ir.Scores((self.weights >= 0).detach().numpy(), self.scale,
                         self.biases.numpy().astype(np.int32))

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
