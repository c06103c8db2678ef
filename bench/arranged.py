"""The same network with its nodes, or its features, in another order.

What a layer of tables computes does not depend on the order of its tables, as long as their readers
follow. In front of a head that counts they must stay among those of their class; and features may
arrive in any order that the host knows.
"""

import dataclasses

import numpy as np
from scipy.optimize import linear_sum_assignment

from bitwright import ir
from bitwright.model.wiring import Geometry, centres, wire_length

__all__ = ["arranged", "features_shuffled", "length", "nodes_shuffled"]

ROUNDS = 4
"""Times that every layer is arranged anew, between what it reads and what reads it."""


def arranged(network):
    """Nodes at places that shorten wires.

    Bits of the input lie where their pixels do, nodes on a grid over the same field, each class of
    the last layer on a grid of its own, see :func:`model.wiring.centres`. Which node takes which
    place of its grid is an assignment with the least sum of squared lengths, of the wires to what
    the node reads and to what reads it.
    """
    at = _places(network)
    orders = {name: np.arange(len(at[name])) for name in _layers(network)}
    for _ in range(ROUNDS):
        for name in orders:
            wires, sums = _pull(network, name, at)
            for group in _groups(network, name):
                grid = centres(len(group), sums.shape[1])
                wanted = sums[group] / np.maximum(wires[group], 1)[:, None]
                cost = ((wanted[:, None] - grid) ** 2).sum(axis=2) * wires[group, None]
                place = linear_sum_assignment(cost)[1]
                at[name][group] = grid[place]
                orders[name][group[place]] = group
    return _ordered(network, orders)


def nodes_shuffled(network, rng):
    """Nodes in an order that chance decides, those of a class among themselves."""
    orders = {}
    for name in _layers(network):
        orders[name] = np.concatenate([rng.permutation(group) for group in _groups(network, name)])
    return _ordered(network, orders)


def features_shuffled(network, rng):
    """Features that arrive in an order that chance decides.

    Provenance, preparation and golden vectors, which are of the other order, are left out.
    """
    first, *rest = network.entries
    order, depth = rng.permutation(first.node.features), first.node.depth
    node = dataclasses.replace(first.node, thresholds=first.node.thresholds[:, order])
    bare = ir.Network((dataclasses.replace(first, node=node), *rest), answer=network.answer)
    bits = (order[:, None] * depth + np.arange(depth)).reshape(-1)
    return _ordered(bare, {first.name: bits})


def length(network):
    """Mean distance from a node to what it reads, where the field has side 1, of all layers."""
    at, found, wires = _places(network), 0.0, 0
    for name in _layers(network):
        entry = network.entry(name)
        read = np.concatenate([at[source] for source in entry.inputs])
        node, slot = np.nonzero(entry.node.sources >= 0)
        sources = entry.node.sources[node, slot]
        found += len(node) * wire_length(Geometry(read), at[name][node], sources[:, None])
        wires += len(node)
    return found / wires


def _layers(network):
    """Layers of tables that only tables and counting heads read."""
    return [entry.name for entry in network.entries if isinstance(entry.node, ir.Lut) and all(
        isinstance(reader.node, ir.Lut | ir.GroupSum) for reader in network.entries
        if entry.name in reader.inputs)]


def _groups(network, name):
    """Nodes that may change places, an array a group."""
    nodes = np.arange(network.entry(name).node.out_width)
    head = network.entries[-1]
    return np.split(nodes, network.classes) if name in head.inputs else [nodes]


def _places(network):
    """Where the bits of each node lie, by name."""
    modulate, picture = network.entries[0], network.preparation
    shape = (network.features,)
    if isinstance(picture, ir.Picture):
        shape = (picture.height, picture.width, *([3] if picture.colour else []))
    at = {modulate.name: Geometry.of(shape, modulate.node.depth).places}
    for entry in network.entries[1:-1]:
        grids = [centres(len(group), at[modulate.name].shape[1])
                 for group in _groups(network, entry.name)]
        at[entry.name] = np.concatenate(grids)
    return at


def _pull(network, name, at):
    """Of each node of a layer: how many wires it has, and the sum of the places at their ends."""
    own = network.entry(name)
    wires = (own.node.sources >= 0).sum(axis=1).astype(float)
    read = np.concatenate([*(at[source] for source in own.inputs), np.zeros_like(at[name][:1])])
    sums = read[own.node.sources].sum(axis=1)
    for entry in network.entries:
        if name in entry.inputs and isinstance(entry.node, ir.Lut):
            start = sum(len(at[source]) for source in entry.inputs[: entry.inputs.index(name)])
            reader, slot = np.nonzero((entry.node.sources >= start)
                                      & (entry.node.sources < start + len(wires)))
            ends = entry.node.sources[reader, slot] - start
            np.add.at(wires, ends, 1)
            np.add.at(sums, ends, at[entry.name][reader])
    return wires, sums


def _ordered(network, orders):
    """The network with the bits of some nodes in another order: place ``i`` has what was at
    ``order[i]``."""
    entries = []
    for entry in network.entries:
        node = entry.node
        if isinstance(node, ir.Lut):
            moved = np.concatenate([_moved(network, source, orders) for source in entry.inputs])
            starts = np.cumsum([0, *(network.entry(source).node.out_width
                                     for source in entry.inputs)])
            begin = np.repeat(starts[:-1], np.diff(starts))
            order = orders.get(entry.name, np.arange(node.out_width))
            table = np.append(moved + begin, -1).astype(np.int32)  # the last is what -1 reads
            node = ir.Lut(node.width, table[node.sources[order]], node.tables[order])
        entries.append(dataclasses.replace(entry, node=node))
    return dataclasses.replace(network, entries=tuple(entries))


def _moved(network, name, orders):
    """Where each bit of a node is now."""
    if name not in orders:
        return np.arange(network.entry(name).node.out_width)
    return np.argsort(orders[name])
