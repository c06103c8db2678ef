"""Nodes at places that shorten wires: another order of the tables, and the same function.

What a layer of tables computes does not depend on the order of its tables, as long as their readers
follow. In front of a head that counts they stay among those of their class; which of them are
neighbours decides which bits an adder of the head joins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir

__all__ = ["arranged", "groups", "layers", "length", "ordered"]

ROUNDS = 4
"""Times that every layer is arranged anew, between what it reads and what reads it."""

Places = NDArray[np.float64]
"""Coordinates from 0 to 1, shape (bits, 1 or 2)."""


def arranged(network: ir.Network) -> ir.Network:
    """Give every node the place of its layer where the wires are shortest; no score changes.

    Bits of the input lie where their pixels do, or in a row where there is no picture. The places
    of a layer are a grid over the same field, row by row; in front of a head that counts, a grid
    for each class. Which node takes which place is an assignment with the least sum of squared
    lengths, of the wires to what it reads and to what reads it.

    Parameters
    ----------
    network : ir.Network

    Returns
    -------
    ir.Network
        Nodes that others than tables and counting heads read are where they were.
    """
    from scipy.optimize import linear_sum_assignment

    at = _places(network)
    orders = {name: np.arange(len(at[name])) for name in layers(network)}
    for _ in range(ROUNDS):
        for name, order in orders.items():
            wires, sums = _pull(network, name, at)
            for group in groups(network, name):
                grid = _grid(len(group), sums.shape[1])
                wanted = sums[group] / np.maximum(wires[group], 1)[:, None]
                cost = ((wanted[:, None] - grid) ** 2).sum(axis=2) * wires[group, None]
                place = linear_sum_assignment(cost)[1]
                at[name][group] = grid[place]
                order[group[place]] = group
    return ordered(network, orders)


def length(network: ir.Network) -> float:
    """Mean distance from a node to what it reads, where the field has side 1, over all layers."""
    at = _places(network)
    found = [np.zeros(0)]
    for name in layers(network):
        entry = network.entry(name)
        assert isinstance(entry.node, ir.Lut)
        read = np.concatenate([at[source] for source in entry.inputs])
        node, slot = np.nonzero(entry.node.sources >= 0)
        away = read[entry.node.sources[node, slot]] - at[name][node]
        found.append(np.sqrt((away**2).sum(axis=1)))
    wires = np.concatenate(found)
    return float(wires.mean()) if len(wires) else 0.0


def layers(network: ir.Network) -> list[str]:
    """Layers of tables that only tables and counting heads read."""
    return [entry.name for entry in network.entries if isinstance(entry.node, ir.Lut) and all(
        isinstance(reader.node, ir.Lut | ir.GroupSum) for reader in network.entries
        if entry.name in reader.inputs)]


def groups(network: ir.Network, name: str) -> list[NDArray[np.int64]]:
    """Nodes of a layer that may change places, an array a group."""
    nodes = np.arange(network.entry(name).node.out_width)
    return np.split(nodes, network.classes) if name in network.entries[-1].inputs else [nodes]


def ordered(network: ir.Network, orders: Mapping[str, NDArray[np.int64]]) -> ir.Network:
    """The network with the bits of some nodes in another order.

    Parameters
    ----------
    network : ir.Network
    orders : mapping
        By name of a layer of tables: what becomes its node ``i`` is node ``order[i]``. Of another
        node only its readers are told.
    """
    entries = []
    for entry in network.entries:
        node: Any = entry.node
        if isinstance(node, ir.Lut):
            moved, start = [], 0
            for source in entry.inputs:
                width = network.entry(source).node.out_width
                moved.append(start + np.argsort(orders.get(source, np.arange(width))))
                start += width
            places = np.append(np.concatenate(moved), -1).astype(np.int32)  # -1 reads no bit
            order = orders.get(entry.name, np.arange(node.out_width))
            node = ir.Lut(node.width, places[node.sources[order]], node.tables[order])
        entries.append(replace(entry, node=node))
    return replace(network, entries=tuple(entries))


def _places(network: ir.Network) -> dict[str, Places]:
    """Where the bits of each node lie, by name."""
    first, picture = network.entries[0], network.preparation
    pixels = ((np.arange(network.features) + 0.5) / network.features)[:, None]
    if isinstance(picture, ir.Picture):
        rows, columns = np.indices((picture.height, picture.width)).reshape(2, -1) + 0.5
        pixels = np.stack([rows / picture.height, columns / picture.width], axis=1)
    at = {first.name: np.repeat(pixels, first.node.out_width // len(pixels), axis=0)}
    for entry in network.entries[1:-1]:
        at[entry.name] = np.concatenate([_grid(len(group), pixels.shape[1])
                                         for group in groups(network, entry.name)])
    return at


def _grid(count: int, dimensions: int) -> Places:
    """Places in a row, or in rows of nearly a square, each spread over its own length."""
    one = np.arange(count)
    if dimensions == 1:
        return ((one + 0.5) / count)[:, None]
    side = max(1, round(count**0.5))
    row = one * side // count
    size = np.bincount(row, minlength=side)
    column = one - (np.cumsum(size) - size)[row]
    return np.stack([(row + 0.5) / side, (column + 0.5) / size[row]], axis=1)


def _pull(network: ir.Network, name: str, at: Mapping[str, Places]
          ) -> tuple[NDArray[np.float64], Places]:
    """Of each node of a layer: how many wires it has, and the sum of the places at their ends."""
    own = network.entry(name)
    assert isinstance(own.node, ir.Lut)
    wires = (own.node.sources >= 0).sum(axis=1).astype(np.float64)
    read = np.concatenate([*(at[source] for source in own.inputs), np.zeros_like(at[name][:1])])
    sums: Places = read[own.node.sources].sum(axis=1)
    for entry in network.entries:
        if name in entry.inputs and isinstance(entry.node, ir.Lut):
            start = sum(len(at[source]) for source in entry.inputs[: entry.inputs.index(name)])
            sources = entry.node.sources
            reader, slot = np.nonzero((sources >= start) & (sources < start + len(wires)))
            ends = sources[reader, slot] - start
            np.add.at(wires, ends, 1)
            np.add.at(sums, ends, at[entry.name][reader])
    return wires, sums
