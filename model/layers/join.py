"""Values of several origins side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import BitLayer, Context, Trait
from bitwright.model.wiring import Geometry

__all__ = ["JoinLayer"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a join: nothing but where it stands."""


class JoinLayer(BitLayer, kind="join"):
    """Images of one size become one, whose pixels have the channels of all; other values are put
    one after the other.

    Parameters
    ----------
    parts : sequence of Geometry
        Of each input, at least two.

    Raises
    ------
    ValueError
        If there are fewer, or only some of them are images, or images differ in size.
    """

    Settings = Settings
    traits = frozenset({Trait.PASSES})

    def __init__(self, parts: tuple[Geometry, ...]) -> None:
        super().__init__()
        if len(parts) < 2:
            raise ValueError(f"inputs must be at least two for a join, not {len(parts)}")
        shapes = {part.shape for part in parts}
        if len(shapes) > 1:
            told = ", ".join(" by ".join(map(str, part.shape)) or f"{part.width} bits"
                             for part in parts)
            raise ValueError(f"inputs of a join must be images of one size, or none, not {told}")
        first = parts[0]
        if first.shape:
            self.channels = tuple(part.depth for part in parts)
            self.geometry = Geometry(first.sites, sum(self.channels), first.shape)
        else:
            self.channels = tuple(part.width for part in parts)
            self.geometry = Geometry.line(sum(self.channels))
        self.pixels = self.geometry.width // sum(self.channels)

    def forward(self, x: Tensor) -> Tensor:
        images = x.split([self.pixels * channels for channels in self.channels])
        # Whichever lies together, the values of a sample or those of a bit, does so behind it too.
        if x.stride(0) == 1:
            return torch.cat([image.T.unflatten(1, (self.pixels, -1)) for image in images],
                             2).flatten(1).T
        return torch.cat([image.unflatten(0, (self.pixels, -1)) for image in images],
                         1).flatten(0, 1)

    def freeze(self) -> ir.Join:
        return ir.Join(*(self.geometry.shape or (1, 1)), self.channels)

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        del settings, generator
        return cls(context.parts)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        height, width, count, images = (int(torch.randint(low, low + 3, (), generator=generator))
                                        for low in (1, 1, 2, 0))
        depths = torch.randint(1, 4, (count,), generator=generator).tolist()
        if not images:
            return cls(tuple(Geometry.line(3, depth) for depth in depths))
        return cls(tuple(Geometry.of((height, width), depth) for depth in depths))
