"""The head of real-valued networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import linear

from .base import Context, RealHead
from .dense import uniform

__all__ = ["LinearHead"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a linear head: nothing."""


class LinearHead(RealHead, kind="linear"):
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
        return linear(x.T, self.weights, self.bias)

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, context.classes, generator=generator)
