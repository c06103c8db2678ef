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
from bitwright.model.wiring import Geometry

__all__ = ["LutLayer", "slope_matrix"]

EFD_BETA = 1 / 3

START = 0.1
"""Largest magnitude of an initial table entry."""

_CHUNK = 16
"""Nodes whose candidate rows are gathered together: few enough to stay in cache, which is four
times faster than all at once."""


def slope_matrix(fan_in: int, gradient: str) -> Tensor:
    """Weights by which a table gives the slope of its output along each input.

    With 0/1 inputs the slope depends on nothing but the address hit and the table, and linearly
    on the table: ``slope[l, a] = sum_b matrix[l, a, b] * table[b]``.

    Parameters
    ----------
    fan_in : int
    gradient : str
        ``"efd"``: the extended finite difference of DWN (arXiv:2410.11112), in which entries count
        the less the more bits of their address differ. ``"multilinear"``: the derivative of the
        multilinear extension, in which only the two entries that differ in that input count.

    Returns
    -------
    Tensor, shape (fan_in, 2 ** fan_in, 2 ** fan_in)
    """
    alpha, beta = (0.5 * 0.75 ** (fan_in - 1), EFD_BETA) if gradient == "efd" else (1.0, 0.0)
    addresses = np.arange(1 << fan_in)
    matrix = np.empty((fan_in, 1 << fan_in, 1 << fan_in))
    for slot in range(fan_in):
        other = (addresses[:, None] ^ addresses[None, :]) & ~(1 << slot)
        distance = np.array([int(value).bit_count() for value in other.flat]).reshape(other.shape)
        sign = np.where(addresses >> slot & 1, 1, -1)
        matrix[slot] = alpha * sign * np.power(beta, distance)
    return torch.from_numpy(matrix)


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


class LutLayer(BitLayer, kind="lut"):
    """Layer of trainable look-up tables.

    Outputs are those of the hard tables. Backward, a table entry receives the gradient of the
    samples that hit it, and an input that of the table's slope.

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
            self.preferences = nn.Parameter(self._prefer(generator))
        # Within -1 to +1; the bit is 1 from 0 up. Starting near 0 lets every entry change its mind
        # in the first steps, which trains faster than starting all over the range.
        start = torch.rand(count, 1 << fan_in, generator=generator) * 2 - 1
        self.tables = nn.Parameter(START * start)
        matrix = slope_matrix(fan_in, settings.gradient).float()
        self.register_buffer("slopes", matrix, persistent=False)

    def _prefer(self, generator: torch.Generator) -> Tensor:
        """Initial preferences, of which the highest are the wires drawn at random."""
        count, fan_in = self.wires.shape
        offered = self.in_width if self.candidates is None else self.candidates.shape[1]
        values = torch.randn(count, fan_in, offered, generator=generator) * 0.1
        place = self.wires
        if self.candidates is not None:
            place = torch.searchsorted(self.candidates, self.wires)
        return values.scatter_(2, place.unsqueeze(2), 0.5)

    @property
    def in_width(self) -> int:
        return self.input.width

    @property
    def hard(self) -> Tensor:
        """Tables as bits. The one place where a trained value becomes one."""
        return self.tables >= 0

    @property
    def sources(self) -> Tensor:
        """Input bit of each slot, shape (nodes, fan_in). The one place where wiring is decided."""
        if self.preferences is None:
            return self.wires
        best = self.preferences.detach().argmax(2)
        return best if self.candidates is None else self.candidates.gather(1, best)

    def forward(self, x: Tensor) -> Tensor:
        return _Lookup.apply(x, self.tables, self.preferences, self.hard, self.sources,
                             self.candidates, self.slopes)

    def constrain(self) -> None:
        with torch.no_grad():
            self.tables.clamp_(-1, 1)

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
        settings = Settings(width=5, fan_in=2 + draw // 3 % 5, wiring=kind,
                            window=0 if kind == "random" else 4,
                            gradient=("efd", "multilinear")[draw // 15 % 2])
        return cls(Geometry.of((3, 3), depth=2), settings, generator=generator)


class _Lookup(torch.autograd.Function):
    """Hard look-up, and its surrogate gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, tables: Tensor, preferences: Tensor | None, hard: Tensor,
                sources: Tensor, candidates: Tensor | None, slopes: Tensor) -> Tensor:
        bits = x.to(torch.uint8)  # rows of bytes: a quarter of the traffic of floats
        address = bits.index_select(0, sources[:, 0])
        for slot in range(1, sources.shape[1]):
            address |= bits.index_select(0, sources[:, slot]) << slot
        index = address.long()  # what gather wants
        ctx.save_for_backward(index, tables, sources, candidates, slopes, preferences,
                              bits if preferences is not None else None)
        ctx.width = len(x)
        return hard.to(tables).gather(1, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        index, tables, sources, candidates, slopes, preferences, bits = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_tables = torch.zeros_like(tables).scatter_add_(1, index, gradient)
        of_x = of_preferences = None
        if ctx.needs_input_grad[0] or preferences is not None:
            if ctx.needs_input_grad[0]:
                of_x = gradient.new_zeros(ctx.width, gradient.shape[1])
            # From -1..+1 to 0..1, as which the bits enter.
            by_slot = torch.einsum("lab,nb->lna", slopes, tables * 0.5)
            of_slots = []
            for slot in range(sources.shape[1]):
                part = by_slot[slot].contiguous().gather(1, index).mul_(gradient)
                if of_x is not None:
                    of_x.index_add_(0, sources[:, slot], part)
                if preferences is not None:
                    of_slots.append(part)
            if preferences is not None:
                of_preferences = _wiring_gradient(preferences, torch.stack(of_slots, 1), bits,
                                                  candidates)
        return of_x, of_tables, of_preferences, None, None, None, None


def _wiring_gradient(preferences: Tensor, of_slots: Tensor, bits: Tensor,
                     candidates: Tensor | None) -> Tensor:
    """Gradient of the preferences, as if each slot read the softmax mixture of what it may read.

    Parameters
    ----------
    preferences : Tensor, shape (nodes, fan_in, offered)
    of_slots : Tensor, shape (nodes, fan_in, batch)
    bits : Tensor of uint8, shape (in_width, batch)
    candidates : Tensor, shape (nodes, offered), optional
    """
    signs = bits.to(of_slots).mul_(2).sub_(1)
    nodes, fan_in, batch = of_slots.shape
    if candidates is None:
        match = (of_slots.reshape(-1, batch) @ signs.T).view(nodes, fan_in, -1)
    else:
        match = of_slots.new_empty(nodes, fan_in, candidates.shape[1])
        for start in range(0, nodes, _CHUNK):
            part = slice(start, start + _CHUNK)
            rows = signs.index_select(0, candidates[part].reshape(-1))
            rows = rows.view(-1, candidates.shape[1], batch)
            torch.bmm(of_slots[part], rows.transpose(1, 2), out=match[part])
    share = torch.softmax(preferences, dim=2)
    return share * (match - (share * match).sum(2, keepdim=True))
