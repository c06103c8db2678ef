"""Noise on bits in training: errors, and bits that drop out. A frozen network has none of it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model import processes
from bitwright.model.base import BitLayer, Context, Trait
from bitwright.model.wiring import Geometry

__all__ = ["BitErrorLayer", "DropoutLayer", "NoiseLayer"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about noise."""

    rate: float
    """Share of the bits of every sample that it hits, each by itself."""

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"rate must be from 0 to below 1, not {self.rate}")


class NoiseLayer(BitLayer):
    """Bits of which some are hit in training, and none in evaluation.

    Parameters
    ----------
    geometry : Geometry
    settings : Settings
    """

    Settings = Settings
    traits = frozenset({Trait.PASSES})
    vanishes = True
    draws = True
    settles = True  # what follows has to see its inputs without noise

    def __init__(self, geometry: Geometry, settings: Settings) -> None:
        super().__init__()
        self.geometry, self.rate = geometry, settings.rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        chance = processes.mine(torch.rand(
            len(x), processes.everyone(x.shape[1]), generator=self.generator, device=x.device), 1)
        return self.hit(x if x.is_floating_point() else x.float(), chance < self.rate)

    @abstractmethod
    def hit(self, x: Tensor, mask: Tensor) -> Tensor:
        """Values of 0 to 1 with those of a mask of bool hit."""

    def freeze(self) -> ir.BitNode:
        raise TypeError(f"Layer of kind {self.kind!r} has no node")

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        del generator  # what is drawn is drawn in training
        return cls(context.geometry, settings)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        return cls(Geometry.line(int(torch.randint(1, 9, (), generator=generator))), Settings(0.5))


class BitErrorLayer(NoiseLayer, kind="bit_error"):
    """Bits are inverted, and so is the gradient of those that are.

    BinaryBrain's InsertBitError. On average a bit's gradient is ``1 - 2 * rate`` of what it was.
    """

    def hit(self, x: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask, 1 - x, x)


class DropoutLayer(NoiseLayer, kind="dropout"):
    """Bits become 0, and have no gradient (BinaryBrain's InsertBitError in its mask mode).

    There is no scale that would make up for them in evaluation: what follows takes statistics of
    its inputs, which are measured without noise before the network is evaluated.
    """

    def hit(self, x: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask, 0, x)
