"""The head of LUT networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import BitHead, Context, Trait

__all__ = ["GroupSumHead"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a group-sum head."""

    temperature: float = 10.0
    """Scores are divided by it to become logits. For regression: steps of the score that make one
    standard deviation of the targets."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")


class GroupSumHead(BitHead, kind="group_sum"):
    """Popcount of equal groups of bits, one a class.

    Raises
    ------
    ValueError
        If the classes do not divide the width.
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT})
    grouped = True

    def __init__(self, width: int, classes: int, *, temperature: float) -> None:
        super().__init__()
        self.node = ir.GroupSum(width, classes)
        self.temperature = temperature
        self.middle = self.node.group / 2

    def forward(self, x: Tensor) -> Tensor:
        sums = x.float().view(self.node.classes, self.node.group, -1).sum(1).T
        return sums if self.training else sums.long()

    def freeze(self) -> ir.GroupSum:
        return self.node

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, context.classes, temperature=settings.temperature)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        return cls(12, 3, temperature=1.0)
