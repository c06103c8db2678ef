"""The head of real-valued networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright.model.base import Context, RealHead
from bitwright.model.layers.dense import uniform
from bitwright.model.weights.feedback import Weighted, product

__all__ = ["LinearHead"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a linear head: nothing."""


class LinearHead(RealHead, Weighted, kind="linear"):
    """Matrix product and bias.

    Parameters
    ----------
    width, classes : int
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings

    def __init__(self, width: int, classes: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.weights = uniform((classes, width), width, generator)
        self.bias = uniform((classes,), width, generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x))

    @property
    def matrix(self) -> Tensor:
        return self.weights.detach()

    def product(self, x: Tensor) -> Tensor:
        return product(self.weights, x, self.feedback)

    def activate(self, sums: Tensor) -> Tensor:
        return sums.T + self.bias

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, context.classes, generator=generator)
