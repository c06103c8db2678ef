"""The same network in orders that chance decides, to see what order is worth."""

import dataclasses

import numpy as np

from bitwright import ir
from bitwright.minimise.arrange import groups, layers, ordered

__all__ = ["features_shuffled", "nodes_shuffled"]


def nodes_shuffled(network, rng):
    """Nodes in another order, those of a class among themselves."""
    return ordered(network, {name: np.concatenate(
        [rng.permutation(group) for group in groups(network, name)]) for name in layers(network)})


def features_shuffled(network, rng):
    """Features that arrive in another order.

    Provenance, preparation and golden vectors, which are of the other order, are left out.
    """
    first, *rest = network.entries
    order, depth = rng.permutation(first.node.features), first.node.depth
    node = dataclasses.replace(first.node, thresholds=first.node.thresholds[:, order])
    bare = ir.Network((dataclasses.replace(first, node=node), *rest), answer=network.answer)
    return ordered(bare, {first.name: (order[:, None] * depth + np.arange(depth)).reshape(-1)})
