"""The head of Bernoulli networks: expected agreement counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright.model.base import Trait
from bitwright.model.heads import counts
from bitwright.model.heads.counts import BiasedHead
from bitwright.model.weights.probabilities import Probabilities

__all__ = ["ExpectationHead"]


@dataclass(frozen=True)
class Settings(counts.Settings):
    """What a recipe says about an expectation head."""

    temperature: float = 8.0
    """Scores are divided by it to become logits."""


class ExpectationHead(BiasedHead, kind="expectation"):
    """Expectation of a scaled agreement count, and a bias, a class.

    Where all is certain the expectation is the count itself. Biases are rounded in evaluation
    alone.
    """

    Settings = Settings
    traits = frozenset({Trait.DOUBT})

    weights: Probabilities

    def product(self, x: Tensor) -> Tensor:
        return super().product(x.to(self.weights.values))

    def activate(self, sums: Tensor) -> Tensor:
        return (self.scale * sums + (self.offsets * self.temperature)[:, None]).T

    @classmethod
    def make(cls, width: int, classes: int, settings: counts.Settings, *,
             generator: torch.Generator) -> Self:
        return cls(Probabilities(classes, width, generator=generator), settings, classes)
