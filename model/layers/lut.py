"""A layer of trainable look-up tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitwright import ir
from bitwright.model import processes, wiring
from bitwright.model.base import BitLayer, Context, Trait
from bitwright.model.lookup import (
    Parametrisation,
    Renewal,
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

__all__ = ["LutLayer"]

OFFERED = 64
"""Bits of all that a node of learned wiring chooses from at a time, unless its recipe says."""


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a LUT layer."""

    width: int
    """Nodes."""
    fan_in: int = 4
    """Inputs of a node: 2 to 8; 4 where the fabric has LUT4, 6 where it has LUT6."""
    wiring: Literal["random", "serial", "depthwise", "butterfly", "window", "learnable", ""] = ""
    """Sources of all bits: drawn at random; one after the other; drawn at random from one channel,
    each node its own in turn; by the stages of a butterfly. Or of a window, at random. Or trained.
    Left out: from a window where one is given, else at random."""
    window: int = 0
    """Input sites nearest to a node that it may read, for "window" and "learnable"; 0 for all."""
    offered: int = 0
    """Bits that a node of learned wiring chooses from at a time. Where it may read more than that,
    they are renewed, see :class:`model.lookup.Renewal`. Left out: all of a window, 64 of all."""
    wire_cost: float = 0.0
    """Share in the loss of the mean wire of a layer of learned wiring, in sides of the field."""
    gradient: Literal["efd", "multilinear"] = "efd"
    """Slope of a table along its inputs."""
    table: str = "entries"
    """What trains of a table: every entry, the coefficients of its Walsh transform ("walsh"),
    logits of gates of two inputs ("gates"), a small neural network ("mlp"), or nothing ("majority",
    "or")."""
    start: Start = "random"
    """Tables before training: at random, or nearly all of a table passes its first input on."""

    def __post_init__(self) -> None:
        if not self.wiring:
            object.__setattr__(self, "wiring", "window" if self.window else "random")
        if self.width < 1:
            raise ValueError(f"width must be at least 1, not {self.width}")
        if not 2 <= self.fan_in <= 8:
            raise ValueError(f"fan_in must be between 2 and 8, not {self.fan_in}")
        if self.window < 0:
            raise ValueError(f"window must be at least 0, not {self.window}")
        if self.wiring == "window" and not self.window:
            raise ValueError("window must be at least 1 where wiring is 'window', not 0")
        if self.wiring not in ("window", "learnable") and self.window:
            raise ValueError(f"window must be 0 where wiring is {self.wiring!r}, "
                             f"not {self.window}")
        if self.offered and self.wiring != "learnable":
            raise ValueError(f"offered must be 0 where wiring is {self.wiring!r}, "
                             f"not {self.offered}")
        if self.offered and self.offered < 2 * self.fan_in:
            raise ValueError(f"offered must be at least {2 * self.fan_in}, twice fan_in, "
                             f"not {self.offered}")
        if not 0 <= self.wire_cost < math.inf:
            raise ValueError(f"wire_cost must be at least 0 and finite, not {self.wire_cost}")
        if self.wire_cost and self.wiring != "learnable":
            raise ValueError(f"wire_cost must be 0 where wiring is {self.wiring!r}, "
                             f"not {self.wire_cost}")
        check_table(self.table, self.start)


class LutLayer(BitLayer, kind="lut"):
    """Layer of trainable look-up tables.

    Outputs are those of the hard tables. Backward, a table entry receives the gradient of the
    samples that hit it, and an input that of the table's slope. What becomes of the gradient of an
    entry is a matter of how tables are made, see :mod:`model.lookup.parametrisations`.

    Parameters
    ----------
    geometry : Geometry
        Where the input bits lie.
    settings : Settings
    groups : int
        Equal groups of nodes of which each is spread over the whole field.
    generator : torch.Generator
        Source of the wiring and of the initial tables.

    Raises
    ------
    ValueError
        If the window is larger than the input, a node has more inputs than bits to choose from,
        or the groups do not divide the nodes.

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
    costs: Tensor | None

    def __init__(self, geometry: Geometry, settings: Settings, *, groups: int = 1,
                 generator: torch.Generator) -> None:
        super().__init__()
        rng = np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator)))
        count, fan_in = settings.width, settings.fan_in
        self.input = geometry
        self.geometry = Geometry(wiring.centres(count, geometry.dimensions, groups))
        wires, offered, self.renewal = _wired(geometry, self.geometry, settings, groups, rng)
        self.register_buffer("wires", torch.from_numpy(wires))
        self.register_buffer("candidates", offered)
        costs = None
        if settings.wire_cost:
            length = wiring.distances(geometry, self.geometry.sites)
            costs = torch.from_numpy(length * settings.wire_cost / (count * fan_in)).float()
        self.register_buffer("costs", costs, persistent=False)
        self.preferences: nn.Parameter | None = None
        if settings.wiring == "learnable":
            self.preferences = nn.Parameter(first_preferences(
                self.wires, self.candidates, geometry.width, generator))
        self.parametrisation = Parametrisation.kinds[settings.table](fan_in)
        self.tables = nn.Parameter(
            self.parametrisation.first(count, settings.start, generator),
            requires_grad=self.parametrisation.trains)
        matrix = slope_matrix(fan_in, settings.gradient).float()
        self.register_buffer("slopes", matrix, persistent=False)

    @property
    def in_width(self) -> int:
        return self.input.width

    @property
    def hard(self) -> Tensor:
        """Tables as bits, shape (nodes, 2 ** fan_in)."""
        return self.parametrisation.bits(self.tables)

    @property
    def sources(self) -> Tensor:
        """Input bit of each slot, shape (nodes, fan_in)."""
        return chosen(self.wires, self.preferences, self.candidates)

    @torch.compiler.disable  # look-ups write into arguments: not allowed in it
    def forward(self, x: Tensor) -> Tensor:
        survey = self.renewal.survey() if self.renewal and self.training else None
        costs = self.costs
        if costs is not None and self.candidates is not None:
            costs = costs.gather(1, self.candidates)
        if costs is not None:
            costs = processes.weighed(costs)
        trees = Trees([self.hard], self.sources, self.candidates, self.slopes, survey, costs,
                      self.kernels)
        values = self.parametrisation.values(self.tables)
        return look_up(x, trees, [values], self.preferences)

    def constrain(self) -> None:
        self.parametrisation.constrain(self.tables)
        if self.renewal is not None:
            self.renewal.renew(self.preferences, self.candidates, self.costs)

    @property
    def decaying(self) -> list[nn.Parameter]:
        return [self.tables] if self.tables.requires_grad else []

    def dependences(self) -> list[Tensor]:
        return [dependence(self.parametrisation.values(each)) for each in self.decaying]

    def measures(self) -> dict[str, float]:
        length = wiring.wire_length(self.input, self.geometry.sites, self.sources.cpu().numpy())
        return {"wire_length": round(length, 4)}

    def freeze(self) -> ir.Lut:
        return ir.Lut(self.in_width, self.sources.cpu().numpy().astype(np.int32),
                      self.hard.cpu().numpy())

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry, settings, groups=context.groups, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        draw = int(torch.randint(1 << 16, (), generator=generator))
        kind = ("random", "serial", "depthwise", "butterfly", "window", "learnable")[draw % 6]
        tables = [name for name, made in Parametrisation.kinds.items() if made.trains]
        settings = Settings(width=5, fan_in=2 + draw // 6 % 5, wiring=kind,
                            window=4 if kind in ("window", "learnable") else 0,
                            gradient=("efd", "multilinear")[draw // 30 % 2],
                            table=tables[draw // 60 % len(tables)])
        return cls(Geometry.of((3, 3), depth=2), settings, generator=generator)


def _wired(geometry: Geometry, nodes: Geometry, settings: Settings, groups: int,
           rng: np.random.Generator) -> tuple[NDArray[np.int64], Tensor | None, Renewal | None]:
    """Wires of a layer before training, what the slots may choose from, and how that changes."""
    width, count, fan_in = geometry.width, settings.width, settings.fan_in
    if settings.wiring in ("serial", "butterfly"):
        make = getattr(wiring, settings.wiring)
        return make(width, count, fan_in, groups), None, None
    allowed: NDArray[np.int64] | int = width
    if settings.wiring == "depthwise":
        if not geometry.shape:
            raise ValueError("depthwise wiring needs a picture, whose channels it reads")
        read = np.arange(count)[:, None] % geometry.depth
        allowed = wiring.of_channels(len(geometry.sites), geometry.depth, read)
    elif settings.window:
        allowed = wiring.windows(geometry, nodes.sites, settings.window)
    renewal = None
    most = width if isinstance(allowed, int) else allowed.shape[1]
    offered = settings.offered or (most if settings.window else OFFERED)
    if settings.wiring == "learnable" and offered < most:
        renewal = Renewal(count, most - offered,
                          None if isinstance(allowed, int) else torch.from_numpy(allowed))
        allowed = np.sort(wiring.choose(allowed, count, offered, rng), axis=1)
    wires = wiring.choose(allowed, count, fan_in, rng)
    learns = settings.wiring == "learnable" and not isinstance(allowed, int)
    return wires, torch.from_numpy(allowed) if learns else None, renewal
