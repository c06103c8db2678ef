"""Several bits made one: residual connections of networks whose every value is a bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model.base import BitLayer, Context, Trait
from bitwright.model.weights.surrogate import Sign
from bitwright.model.wiring import Geometry

__all__ = ["LearnedMergeLayer", "MergeLayer"]

MOST = 6
"""Parts that are merged, at most: a table of them is one LUT6."""

START = 0.1
"""Magnitude of an initial table entry."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a recipe says about any merge."""

    parts: int = 2
    """Equal parts of the input's channels, or of its bits where it is no image. Bit c of the output
    is a function of bits c of all parts."""

    def __post_init__(self) -> None:
        if not 2 <= self.parts <= MOST:
            raise ValueError(f"parts must be between 2 and {MOST}, not {self.parts}")


@dataclass(frozen=True, kw_only=True)
class Settings(Parts):
    """What a recipe says about a merge by a function."""

    function: Literal["and", "or", "majority", "xor"] = "and"
    """Of the bits: whether all are 1, any is, more than half are, or an odd number."""


class _Merge(BitLayer):
    """A table for every channel, the same for all pixels.

    In training a table is its multilinear extension, whose slopes are the differences that one bit
    makes: of bits a bit, and of probabilities, if they are independent, the probability of a 1.

    Parameters
    ----------
    geometry : Geometry
    parts : int

    Raises
    ------
    ValueError
        If the parts do not divide the channels.
    """

    def __init__(self, geometry: Geometry, parts: int) -> None:
        super().__init__()
        total = geometry.depth if geometry.shape else geometry.width
        if total % parts:
            what = "channels of a pixel" if geometry.shape else "bits"
            raise ValueError(f"parts must divide the {total} {what} of the input, not be {parts}")
        self.parts, self.channels = parts, total // parts
        self.shape = geometry.shape
        self.geometry = (Geometry(geometry.sites, self.channels, geometry.shape)
                         if geometry.shape else Geometry(geometry.places[: self.channels]))

    @property
    def tables(self) -> Tensor:
        """Entries of 0 and 1, shape (channels, 2 ** parts). Bit p of an address is that of part p.

        The one place where what is trained becomes a bit.
        """
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.to(self.tables.dtype).unflatten(0, (-1, self.parts, self.channels))
        values = self.tables[None, :, :, None]  # (pixel, channel, entry, sample)
        for part in pixels.unbind(1):
            low, high = values[:, :, 0::2], values[:, :, 1::2]
            values = low + (high - low) * part[:, :, None]
        return values[:, :, 0].flatten(0, 1)

    def freeze(self) -> ir.BitNode:
        sources = np.arange(self.parts * self.channels, dtype=np.int32).reshape(self.parts, -1).T
        lut = ir.Lut(sources.size, np.ascontiguousarray(sources),
                     self.tables.detach().bool().cpu().numpy())
        if not self.shape:
            return lut
        return ir.Convolution((lut,), ir.Window(*self.shape, sources.size, (1, 1)))

    @classmethod
    def _place(cls, generator: torch.Generator) -> tuple[Geometry, int]:
        """A small geometry, and parts of it."""
        height, parts, depth, image = (int(torch.randint(low, low + 3, (), generator=generator))
                                       for low in (1, 2, 1, 0))
        if not image:
            return Geometry.line(parts * depth), parts
        return Geometry.of((height, 2), parts * depth), parts


class MergeLayer(_Merge, kind="merge"):
    """AND, OR, majority or XOR of the bits of several parts: there is nothing to learn.

    Parameters
    ----------
    geometry : Geometry
    settings : Settings
    """

    Settings = Settings
    traits = frozenset({Trait.PASSES})

    fixed: Tensor

    def __init__(self, geometry: Geometry, settings: Settings) -> None:
        super().__init__(geometry, settings.parts)
        ones = torch.tensor([address.bit_count() for address in range(1 << settings.parts)])
        table = {"xor": ones % 2 == 1, "and": ones == settings.parts, "or": ones > 0,
                 "majority": 2 * ones > settings.parts}[settings.function]
        self.register_buffer("fixed", table.float()[None], persistent=False)

    @property
    def tables(self) -> Tensor:
        return self.fixed.expand(self.channels, -1)

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        del generator
        return cls(context.geometry, settings)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        geometry, parts = cls._place(generator)
        functions: tuple[Any, ...] = ("xor", "and", "or", "majority")
        which = int(torch.randint(len(functions), (), generator=generator))
        return cls(geometry, Settings(parts=parts, function=functions[which]))


class LearnedMergeLayer(_Merge, kind="learned_merge"):
    """A trained table of the bits of several parts for every channel.

    Parameters
    ----------
    geometry : Geometry
    settings : Parts
    generator : torch.Generator
        Source of the initial tables.
    """

    Settings = Parts
    traits = frozenset({Trait.GRADIENT})

    def __init__(self, geometry: Geometry, settings: Parts, *, generator: torch.Generator) -> None:
        super().__init__(geometry, settings.parts)
        start = torch.rand(self.channels, 1 << settings.parts, generator=generator) * 2 - 1
        self.entries = nn.Parameter(START * start)

    @property
    def tables(self) -> Tensor:
        return Sign.apply(self.entries)

    def constrain(self) -> None:
        with torch.no_grad():
            self.entries.clamp_(-1, 1)

    @classmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        geometry, parts = cls._place(generator)
        return cls(geometry, Parts(parts=parts), generator=generator)
