"""The head of real-valued networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright.model.base import Context, RealHead, Summing, Trait
from bitwright.model.weights.reals import Reals, uniform

__all__ = ["LinearHead"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a linear head: nothing."""


class LinearHead(Summing, RealHead, kind="linear"):
    """Matrix product and bias.

    Parameters
    ----------
    width, classes : int
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT, Trait.MATRIX})

    def __init__(self, width: int, classes: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.weights = Reals(classes, width, generator=generator)
        self.bias = uniform((classes,), width, generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x))

    def activate(self, sums: Tensor) -> Tensor:
        return sums.T + self.bias

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, context.classes, generator=generator)
