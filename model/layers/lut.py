"""A layer of trainable look-up tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model import wiring
from bitwright.model.base import BitLayer, Context, Trait
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

__all__ = ["LutLayer"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a LUT layer."""

    width: int
    """Nodes."""
    fan_in: int = 4
    """Inputs of a node: 2 to 8; 4 where the fabric has LUT4, 6 where it has LUT6."""
    wiring: Literal["random", "window", "learnable", ""] = ""
    """Sources drawn at random from all bits, at random from a window, or trained. Left out: from a
    window where one is given, else from all bits."""
    window: int = 0
    """Input sites nearest to a node that it may read; 0 for all, which "window" refuses."""
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
        if self.wiring == "random" and self.window:
            raise ValueError(f"window must be 0 where wiring is 'random', not {self.window}")
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
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT})

    slopes: Tensor
    wires: Tensor
    candidates: Tensor | None

    def __init__(self, geometry: Geometry, settings: Settings, *, groups: int = 1,
                 generator: torch.Generator) -> None:
        super().__init__()
        rng = np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator)))
        count, fan_in = settings.width, settings.fan_in
        self.input = geometry
        self.geometry = Geometry(wiring.centres(count, geometry.dimensions, groups))
        allowed: Any = geometry.width
        if settings.window:
            allowed = wiring.windows(geometry, self.geometry.sites, settings.window)
        self.register_buffer("wires", torch.from_numpy(wiring.choose(allowed, count, fan_in, rng)))
        self.preferences: nn.Parameter | None = None
        self.register_buffer("candidates", None)
        if settings.wiring == "learnable":
            if settings.window:
                self.candidates = torch.from_numpy(allowed)
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

    def forward(self, x: Tensor) -> Tensor:
        trees = Trees([self.hard], self.sources, self.candidates, self.slopes)
        values = self.parametrisation.values(self.tables)
        return look_up(x, trees, [values], self.preferences)

    def constrain(self) -> None:
        self.parametrisation.constrain(self.tables)

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
        kind = ("random", "window", "learnable")[draw % 3]
        tables = [name for name, made in Parametrisation.kinds.items() if made.trains]
        settings = Settings(width=5, fan_in=2 + draw // 3 % 5, wiring=kind,
                            window=0 if kind == "random" else 4,
                            gradient=("efd", "multilinear")[draw // 15 % 2],
                            table=tables[draw // 30 % len(tables)])
        return cls(Geometry.of((3, 3), depth=2), settings, generator=generator)
