"""Look-ups in trees of tables: hard values forward, surrogate gradients backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from bitwright.model.lookup import tensors as tensor_operations
from bitwright.model.lookup.matches import Matches
from bitwright.model.lookup.renewal import Survey

if TYPE_CHECKING:
    from bitwright.model.layers.seen import Seen

__all__ = ["Trees", "chosen", "dependence", "first_preferences", "look_up", "slope_matrix"]

EFD_BETA = 1 / 3

_LITTLE = 1e-8

_CACHED, _BUFFERED = 1 << 18, 1 << 26
"""Look-ups that are worked on together: what stays in a processor's cache, which is several times
as fast as all at once, and what fits the memory of a GPU."""


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


def dependence(values: Tensor) -> Tensor:
    """How far tables depend on each of their inputs.

    Parameters
    ----------
    values : Tensor, shape (nodes, 2 ** fan_in)
        Relaxed tables, from -1 to +1.

    Returns
    -------
    Tensor, shape (nodes, fan_in)
        Root of the mean square of the difference that an input makes, as a share of the largest
        one: 0 where it makes none, 1 where it always decides. As a sum it draws few inputs all the
        way to 0, rather than all of them nearer to it.
    """
    nodes, entries = values.shape
    parts = []
    for slot in range(entries.bit_length() - 1):
        low, high = values.view(nodes, -1, 2, 1 << slot).unbind(2)
        # A little is added because a root has no slope at 0.
        parts.append((((high - low) / 2).square().mean((1, 2)) + _LITTLE).sqrt())
    return torch.stack(parts, 1)


@dataclass(frozen=True)
class Trees:
    """Trees of tables side by side, and what their leaves read.

    Every table has ``fan_in`` inputs. Those of level 0 read bits of the input; node j of another
    level reads nodes ``j * fan_in`` to ``(j + 1) * fan_in - 1`` of the level before.

    Parameters
    ----------
    hard : sequence of Tensor of bool, shape (nodes, 2 ** fan_in) each
        Tables as bits, level by level. The last level has a node a tree.
    sources : Tensor of int64, shape (nodes of level 0, fan_in)
    candidates : Tensor of int64, shape (nodes of level 0, offered), optional
        What the slots of a node might read; left out, every bit.
    slopes : Tensor, shape (fan_in, 2 ** fan_in, 2 ** fan_in)
        See :func:`slope_matrix`.
    survey : Survey, optional
        Filled by the pass back, where wiring is trained.
    costs : Tensor, shape (nodes of level 0, offered), optional
        Loss of a slot by what it reads, beside that of the task.
    kernels : bool
        Whether they are looked up by :mod:`model.lookup.kernels`, which want a GPU.
    """

    hard: Sequence[Tensor]
    sources: Tensor
    candidates: Tensor | None
    slopes: Tensor
    survey: Survey | None = None
    costs: Tensor | None = None
    kernels: bool = False

    @property
    def fan_in(self) -> int:
        return self.sources.shape[1]

    def slopes_of(self, tables: Tensor) -> Tensor:
        """Slope of each table along each input, by address: shape (nodes, fan_in, entries)."""
        # From -1..+1 to 0..1, as which the bits enter.
        found = tables * 0.5 @ self.slopes.to(tables).flatten(0, 1).T
        return found.view(len(tables), *self.slopes.shape[:2])

    def run(self, name: str, *tensors: Tensor) -> None:
        """Call a function of one of the three realisations."""
        loops = None if self.kernels or tensors[0].is_cuda else _loops()
        if loops is None:
            operations = _kernels() if self.kernels else tensor_operations
            getattr(operations, name)(*tensors)
        else:
            getattr(loops, name)(*(tensor.detach().numpy() for tensor in tensors))

    def parts(self, samples: int) -> Iterator[list[slice]]:
        """Cut the trees into parts small enough to work on: nodes of each level."""
        roots, leaves = len(self.hard[-1]), len(self.hard[0])
        most = _BUFFERED if self.sources.is_cuda else _CACHED
        step = max(1, most * roots // (leaves * samples))
        for start in range(0, roots, step):
            stop = min(start + step, roots)
            yield [slice(start * len(level) // roots, stop * len(level) // roots)
                   for level in self.hard]


def look_up(x: Tensor, trees: Trees, tables: Sequence[Tensor],
            preferences: Tensor | None = None, seen: Seen | None = None) -> Tensor:
    """Look bits up in trees of tables. Differentiable by tables, preferences and input.

    Outputs are those of the hard tables. Backward, a table entry receives the gradient of the
    samples that hit it, and an input that of the table's slope.

    Parameters
    ----------
    x : Tensor, shape (in_width, batch)
        Bits as numbers.
    trees : Trees
    tables : sequence of Tensor
        What the hard tables are relaxed to, within -1 to +1.
    preferences : Tensor, shape (nodes of level 0, fan_in, offered), optional
        Of wires that are trained. Its gradient is that of a slot that reads the softmax mixture of
        what it may read.
    seen : Seen, optional
        Windows in which the trees see an image; their positions are further samples.

    Returns
    -------
    Tensor, shape (trees, batch), or of the image of the positions
    """
    return _Lookup.apply(x, trees, seen, preferences, *tables)


def first_preferences(wires: Tensor, candidates: Tensor | None, width: int,
                      generator: torch.Generator) -> Tensor:
    """Preferences before training, of which the highest are the wires drawn at random.

    Parameters
    ----------
    wires : Tensor, shape (nodes, fan_in)
    candidates : Tensor, shape (nodes, offered), optional
        In ascending order; left out, all of ``width`` bits.
    width : int
    generator : torch.Generator

    Returns
    -------
    Tensor, shape (nodes, fan_in, offered)
    """
    offered = width if candidates is None else candidates.shape[1]
    values = torch.randn(*wires.shape, offered, generator=generator) * 0.1
    place = wires if candidates is None else torch.searchsorted(candidates, wires)
    return values.scatter_(2, place.unsqueeze(2), 0.5)


def chosen(wires: Tensor, preferences: Tensor | None, candidates: Tensor | None) -> Tensor:
    """Source of each slot, shape (nodes, fan_in). The one place where wiring is decided."""
    if preferences is None:
        return wires
    liked = preferences.detach()
    loops = None if liked.is_cuda else _loops()
    if loops is None:
        best = liked.argmax(2)
    else:
        best = liked.new_empty(liked.shape[:2], dtype=torch.int64)
        loops.highest(liked.numpy(), best.numpy())
    return best if candidates is None else candidates.gather(1, best)


class _Lookup(torch.autograd.Function):
    """Hard look-up, and its surrogate gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, trees: Trees, seen: Seen | None,
                preferences: Tensor | None, *tables: Tensor) -> Tensor:
        bits = x.to(torch.uint8)  # rows of bytes: a quarter of the traffic of floats
        rows = seen.columns(bits) if seen else bits.contiguous()
        samples = rows.shape[1]
        hard = [level.to(torch.uint8) for level in trees.hard]
        hits = [rows.new_empty(len(level), samples) for level in hard]
        y = rows.new_empty(len(hard[-1]), samples)
        last = len(hard) - 1
        for part in trees.parts(samples):
            values = rows
            for level, nodes in enumerate(part):
                found = y[nodes] if level == last else torch.empty_like(hits[level][nodes])
                if level:
                    trees.run("later", values, hard[level][nodes], hits[level][nodes], found)
                else:
                    trees.run("first", rows, trees.sources[nodes], hard[0][nodes],
                              hits[0][nodes], found)
                values = found
        ctx.trees, ctx.seen, ctx.shape = trees, seen, x.shape
        ctx.save_for_backward(*hits, *tables, preferences,
                              rows if preferences is not None else None)
        return (seen.image(y) if seen else y).to(tables[0])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        *kept, preferences, rows = ctx.saved_tensors
        hits, tables = kept[: len(kept) // 2], kept[len(kept) // 2 :]
        trees, seen = ctx.trees, ctx.seen
        g = (seen.channels(gradient) if seen else gradient).contiguous().to(tables[0])
        slopes = [trees.slopes_of(level) for level in tables]
        of_tables = [torch.zeros_like(level) for level in tables]
        of_rows = of_preferences = matches = None
        if ctx.needs_input_grad[0]:
            of_rows = g.new_zeros(seen.bits if seen else ctx.shape[0], g.shape[1])
        if preferences is not None:
            of_preferences = torch.empty_like(preferences)
            matches = Matches(trees.run, rows, g)
        for part in trees.parts(g.shape[1]):
            of_y = g[part[-1]]
            for level in range(len(tables) - 1, 0, -1):
                nodes = part[level]
                of_slots = g.new_empty(len(of_y), trees.fan_in, g.shape[1])
                trees.run("back", hits[level][nodes], of_y, of_tables[level][nodes],
                          slopes[level][nodes], of_slots)
                of_y = of_slots.flatten(0, 1)
            nodes = part[0]
            leaf = hits[0][nodes], of_y, of_tables[0][nodes], slopes[0][nodes]
            sources = trees.sources[nodes]
            if of_preferences is None and of_rows is not None:
                trees.run("back_to_rows", *leaf, sources, of_rows)
                continue
            samples = g.shape[1] if of_preferences is not None else 0
            of_slots = g.new_empty(len(of_y), trees.fan_in, samples)
            trees.run("back", *leaf, of_slots)
            if of_preferences is not None:
                if trees.survey is not None:
                    trees.survey.see(nodes, of_slots, matches)
                candidates = None if trees.candidates is None else trees.candidates[nodes]
                costs = None if trees.costs is None else trees.costs[nodes]
                # As if each slot read the softmax mixture of what it may read.
                match = matches.of(of_slots, candidates)
                if costs is not None:
                    match += costs.unsqueeze(1)
                trees.run("mixed", torch.softmax(preferences[nodes], dim=2), match)
                of_preferences[nodes] = match
                for slot in range(trees.fan_in if of_rows is not None else 0):
                    of_rows.index_add_(0, sources[:, slot], of_slots[:, slot])
        if of_rows is not None:
            of_rows = (seen.collect(of_rows) if seen else of_rows).to(gradient)
        return of_rows, None, None, of_preferences, *of_tables


@cache
def _loops() -> ModuleType | None:
    """Compiled on first use: importing numba takes a second that most commands need not spend."""
    if find_spec("numba") is None:
        return None
    from bitwright.model.lookup import loops

    return loops


def _kernels() -> ModuleType:
    from bitwright.model.lookup import kernels

    return kernels
