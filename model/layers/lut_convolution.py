"""Convolutions of trees of look-up tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitwright import ir
from bitwright.model import wiring
from bitwright.model.base import BitLayer, Context, Trait
from bitwright.model.layers.seen import Seen
from bitwright.model.layers.windows import Sliding, output_geometry, sample_place
from bitwright.model.lookup import (
    Parametrisation,
    Start,
    Trees,
    check_table,
    chosen,
    dependence,
    first_preferences,
    look_up,
    slope_matrix,
)
from bitwright.model.wiring import Geometry

__all__ = ["LutConvolutionLayer"]


@dataclass(frozen=True, kw_only=True)
class Settings(Sliding):
    """What a recipe says about a convolution of look-up tables."""

    channels: int
    """Trees, of which each makes a bit of a position."""
    fan_in: int = 6
    """Inputs of a table: 2 to 8; 4 where the fabric has LUT4, 6 where it has LUT6."""
    levels: int = 2
    """Tables from a leaf to the root: a tree reads up to fan_in ** levels bits of the window."""
    wiring: Literal["random", "serial", "depthwise", "learnable"] = "random"
    """Bits that the leaves read: drawn at random; one after the other, tree by tree; drawn at
    random from one channel, that of the tree's number; or trained."""
    reads: int = 0
    """Channels, drawn at random, that a tree reads; 0 for all."""
    gradient: Literal["efd", "multilinear"] = "efd"
    """Slope of a table along its inputs."""
    table: str = "entries"
    """What trains of a table, as in a layer of kind ``lut``."""
    start: Start = "random"
    """Tables before training: at random, or nearly all of a table passes its first input on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("channels", "levels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 2 <= self.fan_in <= 8:
            raise ValueError(f"fan_in must be between 2 and 8, not {self.fan_in}")
        if self.reads < 0:
            raise ValueError(f"reads must be at least 0, not {self.reads}")
        if self.reads and self.wiring in ("serial", "depthwise"):
            raise ValueError(f"reads must be 0 where wiring is {self.wiring!r}, not {self.reads}")
        check_table(self.table, self.start)


class LutConvolutionLayer(BitLayer, kind="lut_convolution"):
    """The same trees of trainable look-up tables at every position of a window.

    A tree of tables over the window is the convolution of BinaryBrain. Trees of few channels with
    a pooling by OR behind them, and tables that start by passing a bit on, are that of
    convolutional logic gate networks (arXiv:2411.04732).

    Parameters
    ----------
    geometry : Geometry
        Of the input, which must be an image. Its depth is the number of input channels.
    settings : Settings
    generator : torch.Generator
        Source of the wiring and of the initial tables.

    Raises
    ------
    ValueError
        If the input is no image, the kernel is larger than it, or a table has more inputs than
        bits to choose from.

    Attributes
    ----------
    kernels : bool
        Whether tables are looked up by Triton's kernels, see :mod:`model.lookup.kernels`.
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT})
    kernels = False

    slopes: Tensor
    wires: Tensor
    candidates: Tensor | None

    def __init__(self, geometry: Geometry, settings: Settings, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        rng = np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator)))
        self.window = settings.window(geometry)
        self.geometry = output_geometry(geometry, self.window, settings.channels)
        fan_in, channels = settings.fan_in, settings.channels
        leaves = channels * fan_in ** (settings.levels - 1)
        allowed = _allowed(self.window, settings, leaves, rng)
        if settings.wiring == "serial":
            wires = wiring.serial(self.window.bits, leaves, fan_in)
        else:
            wires = wiring.choose(self.window.bits if allowed is None else allowed, leaves, fan_in,
                                  rng)
        self.register_buffer("wires", torch.from_numpy(wires))
        self.register_buffer("candidates", None)
        self.preferences: nn.Parameter | None = None
        if settings.wiring == "learnable":
            self.candidates = None if allowed is None else torch.from_numpy(allowed)
            self.preferences = nn.Parameter(first_preferences(
                self.wires, self.candidates, self.window.bits, generator))
        self.parametrisation = Parametrisation.kinds[settings.table](fan_in)
        self.tables = nn.ParameterList(
            nn.Parameter(self.parametrisation.first(channels * fan_in**level, settings.start,
                                                    generator),
                         requires_grad=self.parametrisation.trains)
            for level in reversed(range(settings.levels)))
        matrix = slope_matrix(fan_in, settings.gradient).float()
        self.register_buffer("slopes", matrix, persistent=False)

    @property
    def in_width(self) -> int:
        return self.window.in_width

    @property
    def hard(self) -> list[Tensor]:
        """Tables of each level as bits, shape (nodes, 2 ** fan_in)."""
        return [self.parametrisation.bits(tables) for tables in self.tables]

    @property
    def sources(self) -> Tensor:
        """Bit of the window that each slot of a leaf reads, shape (leaves, fan_in)."""
        return chosen(self.wires, self.preferences, self.candidates)

    @torch.compiler.disable  # look-ups write into arguments: not allowed in it
    def forward(self, x: Tensor) -> Tensor:
        trees = Trees(self.hard, self.sources, self.candidates, self.slopes,
                      kernels=self.kernels)
        values = [self.parametrisation.values(tables) for tables in self.tables]
        return look_up(x, trees, values, self.preferences, Seen(self.window))

    def constrain(self) -> None:
        for tables in self.tables:
            self.parametrisation.constrain(tables)

    @property
    def decaying(self) -> list[nn.Parameter]:
        return [tables for tables in self.tables if tables.requires_grad]

    def dependences(self) -> list[Tensor]:
        return [dependence(self.parametrisation.values(each)) for each in self.decaying]

    def freeze(self) -> ir.Convolution:
        width, body = self.window.bits, []
        sources = self.sources.cpu().numpy().astype(np.int32)
        for tables in self.hard:
            if body:
                width = body[-1].out_width
                sources = np.arange(width, dtype=np.int32).reshape(len(tables), -1)
            body.append(ir.Lut(width, sources, tables.cpu().numpy()))
        return ir.Convolution(tuple(body), self.window)

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        geometry, place = sample_place(generator)
        draw = int(torch.randint(1 << 16, (), generator=generator))
        kind = ("random", "serial", "depthwise", "learnable")[draw % 4]
        fan_in = 2 + draw // 4 % 3
        if Sliding(**place).window(geometry).pixels < fan_in:
            kind = "serial"  # the one that may read a bit twice
        reads = draw // 12 % (1 + geometry.depth) if kind in ("random", "learnable") else 0
        tables = [name for name, made in Parametrisation.kinds.items() if made.trains]
        settings = Settings(**place, channels=geometry.depth * (1 + draw // 60 % 2), fan_in=fan_in,
                            levels=1 + draw // 120 % 3, wiring=kind, reads=reads,
                            gradient=("efd", "multilinear")[draw // 360 % 2],
                            table=tables[draw // 720 % len(tables)])
        return cls(geometry, settings, generator=generator)


def _allowed(window: ir.Window, settings: Settings, leaves: int,
             rng: np.random.Generator) -> NDArray[np.int64] | None:
    """Bits of the window that each leaf may read, shape (leaves, offered); none where all are."""
    trees, channels = settings.channels, window.channels
    if settings.reads > channels:
        raise ValueError(f"reads must be at most {channels}, the channels of the input, "
                         f"not {settings.reads}")
    if settings.wiring == "depthwise":
        read = (np.arange(trees) * channels // trees)[:, None]
        if trees % channels:
            raise ValueError(f"channels must be a multiple of the input's {channels} for "
                             f"depthwise wiring, not {trees}")
    elif settings.reads:
        read = np.sort(wiring.choose(channels, trees, settings.reads, rng), axis=1)
    else:
        return None
    bits = wiring.of_channels(window.bits // channels, channels, read)
    return np.repeat(bits, leaves // trees, axis=0)
