"""Pooling of bits: one function of each channel's bits in a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from bitwright import ir
from bitwright.model.base import BitLayer, Context, Trait
from bitwright.model.layers.windows import Sliding, output_geometry, picture, window_of
from bitwright.model.weights.surrogate import Sign
from bitwright.model.wiring import Geometry

__all__ = ["PoolLayer"]

Function = Literal["or", "and", "majority"]


@dataclass(frozen=True)
class Settings(Sliding):
    """What a recipe says about pooling."""

    function: Function = "or"
    """Of the bits that a channel has in the window: whether any is 1, all are, or more than half.
    They are trained as the maximum, the minimum and the sign of what the mean has above half."""


class PoolLayer(BitLayer, kind="pool"):
    """OR, AND or majority of each channel in a window. There is nothing to learn.

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
    traits = frozenset({Trait.PASSES})

    def __init__(self, geometry: Geometry, settings: Settings) -> None:
        super().__init__()
        self.window = window_of(geometry, settings.kernel, settings.stride)
        self.function = settings.function
        self.geometry = output_geometry(geometry, self.window, geometry.depth)

    def forward(self, x: Tensor) -> Tensor:
        image = picture(x.float(), self.window).permute(0, 3, 1, 2)
        how = self.window.kernel, self.window.stride
        if self.function == "or":
            y = max_pool2d(image, *how)
        elif self.function == "and":
            y = 1 - max_pool2d(1 - image, *how)
        else:
            # Whole numbers and the quarter below which nothing lies.
            size = self.window.kernel[0] * self.window.kernel[1]
            y = Sign.apply(avg_pool2d(image, *how, divisor_override=1) - size / 2 - 0.25)
        return y.permute(0, 2, 3, 1).reshape(len(y), -1).T

    def freeze(self) -> ir.Pool:
        return ir.Pool(self.window, self.function)

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        kernel, stride, depth, which = (
            int(torch.randint(low, high, (), generator=generator))
            for low, high in ((1, 4), (1, 4), (1, 4), (0, 3)))
        functions: tuple[Function, ...] = ("or", "and", "majority")
        return cls(Geometry.of((4, 5), depth), Settings(kernel=kernel, stride=stride,
                                                        function=functions[which]))

