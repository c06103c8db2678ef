"""What heads of scaled agreement counts have in common, and their trained bias a class."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model.base import BitHead, Context, Summing
from bitwright.model.weights.product import agreements
from bitwright.model.weights.weights import BinaryWeights

__all__ = ["BiasedHead", "CountHead", "Settings"]

MOST = 1 << 30
"""Largest magnitude of a bias: that of the frozen node."""


class CountHead(Summing, BitHead):
    """Agreement count of one binary neuron a class, times a whole number, and a whole bias.

    Attributes
    ----------
    weights : BinaryWeights
    scale : int
    """

    weights: BinaryWeights
    scale: int

    @property
    @abstractmethod
    def biases(self) -> Tensor:
        """Biases as int64, shape (classes,). The one place where they are rounded."""

    def evaluate(self, x: Tensor) -> Tensor:
        """Run the head as it will be frozen: bits, shape (in_width, batch), to int64 scores."""
        x = x.float()
        with torch.no_grad():
            counts = agreements(self.weights.bits.to(x), x)
            return (self.scale * counts.long() + self.biases[:, None]).T

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x)) if self.training else self.evaluate(x)

    def constrain(self) -> None:
        self.weights.constrain()

    def measures(self) -> dict[str, float]:
        return self.weights.measures()

    def freeze(self) -> ir.Scores:
        weights, biases = (tensor.cpu().numpy() for tensor in (self.weights.bits, self.biases))
        return ir.Scores(np.ascontiguousarray(weights), self.scale, biases.astype(np.int32))


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a head of scaled agreement counts with trained biases."""

    temperature: float = 10.0
    """Scores are divided by it to become logits."""
    scale: int = 2
    """Factor of the agreement counts. Biases are integers, so that it is their finest step."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")
        if not 1 <= self.scale <= 1 << 15:
            raise ValueError(f"scale must be between 1 and 32768, not {self.scale}")


class BiasedHead(CountHead):
    """Head of counts with a trained bias a class.

    Parameters
    ----------
    weights : BinaryWeights
    settings : Settings
    """

    Settings = Settings

    def __init__(self, weights: BinaryWeights, settings: Settings, classes: int) -> None:
        super().__init__()
        self.weights = weights
        self.temperature, self.scale = settings.temperature, settings.scale
        self.middle = settings.scale * weights.matrix.shape[1] / 2
        # In units of the temperature, so that one learning rate fits all parameters.
        self.offsets = nn.Parameter(torch.zeros(classes))

    @classmethod
    @abstractmethod
    def make(cls, width: int, classes: int, settings: Settings, *,
             generator: torch.Generator) -> Self:
        """Make a head with weights drawn at random."""

    @property
    def biases(self) -> Tensor:
        return (self.offsets.detach() * self.temperature).round().clamp(-MOST, MOST).long()

    def activate(self, sums: Tensor) -> Tensor:
        """Map counts to scores, shape (batch, classes), through the rounding of the biases."""
        real = self.offsets * self.temperature
        biases = real + (self.biases.to(real) - real).detach()
        return (self.scale * sums + biases[:, None]).T

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls.make(context.geometry.width, context.classes, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        width, classes, scale = (int(torch.randint(low, low + 6, (), generator=generator))
                                 for low in (3, 2, 1))
        head = cls.make(width, classes, cls.Settings(3.0, scale), generator=generator)
        with torch.no_grad():
            head.offsets.normal_(generator=generator)
        return head
