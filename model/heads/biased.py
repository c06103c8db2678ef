"""What heads of scaled agreement counts have in common: a whole bias a class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from bitwright.model.base import Context

__all__ = ["Biased", "Settings"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a head of scaled agreement counts."""

    temperature: float = 10.0
    """Scores are divided by it to become logits."""
    scale: int = 2
    """Factor of the agreement counts. Biases are integers, so that it is their finest step."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")
        if not 1 <= self.scale <= 1 << 15:
            raise ValueError(f"scale must be between 1 and 32768, not {self.scale}")


class Biased(nn.Module):
    """Part of a head: the factor of its counts, and a trained bias a class that is rounded.

    A head's own ``__init__`` takes ``(width, classes, *, temperature, scale, generator)``, and
    calls :meth:`add_biases` behind its weights.
    """

    def add_biases(self, classes: int, temperature: float, scale: int) -> None:
        """Give the head its biases, all of them 0."""
        self.temperature = temperature
        self.scale = scale
        # In units of the temperature, so that one learning rate fits all parameters.
        self.offsets = nn.Parameter(torch.zeros(classes))

    @property
    def biases(self) -> Tensor:
        """Biases as whole numbers. The one place where they are rounded."""
        return (self.offsets.detach() * self.temperature).round()

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
