"""Steps towards a smaller network: each a change of many bits, kept as far as it may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.minimise.complete import complete
from bitwright.minimise.size import Size
from bitwright.minimise.thresholds import Thresholds

__all__ = ["Change", "Step", "applied", "completed", "readers", "tried"]

TRIALS = 40
"""Evaluations that a step may take to find the part of it that can be kept."""

Change = ir.Signal | int | Thresholds
"""What becomes of a bit: it is taken for another or a constant, its table is that function, or its
comparison has those thresholds, one a frame."""


@dataclass(frozen=True)
class Step:
    """What was done, what it saved and what it cost.

    Parameters
    ----------
    name : str
    wanted, kept : int
        Bits that it would change, and does.
    network : ir.Network
        What came out.
    size : Size
        Of that.
    quality : float or None
        Of that, on the validation split, as :func:`tried` was told to measure it. None: nothing was
        measured, as no answer can have changed.
    """

    name: str
    wanted: int
    kept: int
    network: ir.Network
    size: Size
    quality: float | None

    def plain(self) -> dict[str, Any]:
        """Without the network."""
        return {"step": self.name, "wanted": self.wanted, "kept": self.kept, **self.size.plain(),
                **({} if self.quality is None else {"validation": self.quality})}


def tried(name: str, network: ir.Network, changes: Mapping[ir.Bit, Change],
          quality: Callable[[ir.Network], float], least: float) -> Step:
    """Make changes, as many as leave the quality at a limit or above.

    Where all of them together go below, halves are tried, and halves of those, for as long as there
    are trials left.

    Parameters
    ----------
    name : str
    network : ir.Network
        Its own quality is no less than the limit.
    changes : mapping
    quality : callable
    least : float
    """
    kept: dict[ir.Bit, Change] = {}
    best, found = network, None
    open_, trials = [list(changes.items())] if changes else [], TRIALS
    while open_ and trials:
        group = open_.pop()
        candidate = applied(network, kept | dict(group))
        trials -= 1
        reached = quality(candidate)
        if reached >= least:
            kept.update(group)
            best, found = candidate, reached
        elif len(group) > 1:
            open_ += [group[len(group) // 2 :], group[: len(group) // 2]]
    return Step(name, len(changes), len(kept), best, Size.of(best),
                quality(network) if found is None else found)


def applied(network: ir.Network, changes: Mapping[ir.Bit, Change]) -> ir.Network:
    """The network with changes, simplified."""
    tables: dict[str, dict[int, int]] = {}
    thresholds = network.modulate.thresholds.copy()
    for (name, index), change in changes.items():
        if isinstance(change, int):
            tables.setdefault(name, {})[index] = change
        elif isinstance(change, tuple):
            thresholds[:, index // thresholds.shape[2], index % thresholds.shape[2]] = change
    first = network.entries[0]
    if (thresholds != network.modulate.thresholds).any():
        first = replace(first, node=replace(network.modulate, thresholds=thresholds))
    entries = [first]
    for entry in network.entries[1:]:
        if entry.name in tables:
            assert isinstance(entry.node, ir.Lut)
            contents = entry.node.tables.copy()
            for index, change in tables[entry.name].items():
                contents[index] = _values(change, entry.node.fan_in)
            entry = replace(entry, node=replace(entry.node, tables=contents))
        entries.append(entry)
    return ir.simplify(replace(network, entries=tuple(entries)), claims={
        bit: change for bit, change in changes.items() if isinstance(change, ir.Signal)})


def completed(network: ir.Network, name: str, free: NDArray[np.bool_]) -> dict[ir.Bit, Change]:
    """Simpler tables of a node, where some of their contents are free.

    Parameters
    ----------
    network : ir.Network
    name : str
        Of a layer of tables.
    free : array of bool, shape (out_width, 2 ** fan_in)

    Returns
    -------
    dict
        The tables that change.
    """
    node = network.entry(name).node
    assert isinstance(node, ir.Lut)
    worth = readers(network, name)
    changes: dict[ir.Bit, Change] = {}
    for index in np.flatnonzero(free.any(axis=1)).tolist():
        table, fixed = node.tables[index], ~free[index]
        was = _function(table)
        found = complete(_function(table & fixed), _function(~table & fixed), node.fan_in,
                         [int(worth[source]) for source in node.sources[index]])
        if found != was:
            changes[name, index] = found
    return changes


def readers(network: ir.Network, name: str) -> NDArray[np.int64]:
    """How many tables read each bit that a node reads, shape (in_width + 1,): the last is no bit.

    A bit that more than tables read is worth more than any.
    """
    counts: dict[str, NDArray[np.int64]] = {entry.name: np.zeros(entry.node.out_width, np.int64)
                                            for entry in network.entries}
    for entry in network.entries[1:]:
        node, offset = entry.node, 0
        counted = (np.bincount(node.sources[node.sources >= 0], minlength=node.in_width)
                   if isinstance(node, ir.Lut) else node.reads * (1 << 32))
        for source in entry.inputs:
            width = len(counts[source])
            counts[source] += counted[offset : offset + width]
            offset += width
    return np.concatenate([*(counts[source] for source in network.entry(name).inputs), [0]])


def _function(table: Sequence[bool] | NDArray[np.bool_]) -> int:
    """A table as :mod:`minimise.complete` has it."""
    return int.from_bytes(np.packbits(table, bitorder="little").tobytes(), "little")


def _values(function: int, inputs: int) -> NDArray[np.bool_]:
    """The inverse of :func:`_function`."""
    size = 1 << inputs
    packed = np.frombuffer(function.to_bytes(-(-size // 8), "little"), np.uint8)
    return np.unpackbits(packed, bitorder="little", count=size).astype(bool)
