"""The head of LUT networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import BitHead, Context, Trait

__all__ = ["GroupSumHead", "temperature_of"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a group-sum head."""

    temperature: float | Literal["auto"] = 10.0
    """Scores are divided by it to become logits. For regression: steps of the score that make one
    standard deviation of the targets. "auto": by a law of the nodes of a class, see
    :func:`temperature_of`."""

    def __post_init__(self) -> None:
        if self.temperature != "auto" and not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")


def temperature_of(group: int) -> float:
    """Temperature for groups of so many nodes.

    ``3.33 (group / 100) ** 0.57``: the law of dwn-fpga-study, which fitted ``3.33 (nodes / 1000) **
    0.57`` to one layer of 100 to 2,000 nodes on MNIST, of ten classes. What it divides is the sum
    of one class, so that the nodes of a class are what counts, however many classes there are.
    """
    return 10 / 3 * (group / 100) ** 0.57


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
        width, classes, temperature = context.geometry.width, context.classes, settings.temperature
        if temperature == "auto":
            if classes == 1:
                raise ValueError("temperature must be a number for regression, not 'auto'")
            temperature = temperature_of(width // classes)
        return cls(width, classes, temperature=temperature)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        return cls(12, 3, temperature=1.0)
