"""Pooling of bits: one function of each channel's bits in a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, get_args

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import BitLayer
from bitwright.model.layers.real_pool import maximum
from bitwright.model.layers.windows import Pools, Sliding, sample_place, windows
from bitwright.model.weights.surrogate import Sign

__all__ = ["PoolLayer"]

Function = Literal["or", "and", "majority"]
FUNCTIONS: tuple[Function, ...] = get_args(Function)


@dataclass(frozen=True)
class Settings(Sliding):
    """What a recipe says about pooling."""

    function: Function = "or"
    """Of the bits that a channel has in the window: whether any is 1, all are, or more than half.
    They are trained as the maximum, the minimum and the sign of what the mean has above half."""


class PoolLayer(Pools, BitLayer, kind="pool"):
    """OR, AND or majority of each channel in a window.

    The gradient of an OR and of an AND goes to one of the bits that decide it.

    Parameters
    ----------
    geometry : Geometry
        Of the input, which must be an image.
    settings : Settings

    Raises
    ------
    ValueError
        If the input is no image, or the kernel is larger than it.
    """

    Settings = Settings

    def forward(self, x: Tensor) -> Tensor:
        bits = x if x.is_floating_point() else x.float()
        if self.function == "majority":
            bound = self.window.pixels / 2 + 0.25  # a quarter above the half lies no whole number
            above = windows(bits, self.window).sum((4, 5)) / bound - 1  # slopes reach from -1 to 1
            return Sign.apply(above).flatten(1).T
        return maximum(bits, self.window, least=self.function == "and")

    def freeze(self) -> ir.Pool:
        return ir.Pool(self.window, self.function)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        geometry, sliding = sample_place(generator)
        which = int(torch.randint(len(FUNCTIONS), (), generator=generator))
        return cls(geometry, Settings(**sliding, function=FUNCTIONS[which]))

