"""Vectors for a network that nobody has data for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.network import Network

__all__ = ["DEFAULT_COUNT", "draw"]

DEFAULT_COUNT = 200
"""Vectors that a command draws if it is not told how many."""


def draw(network: Network, count: int, seed: int) -> NDArray[np.int32]:
    """Draw features at random, with the corners of the input among them.

    The first vector has every feature at its lowest value, the second at its highest. Of the
    others every second one is spread evenly over the domain, and the rest lie at thresholds of the
    network, or one below or above: there a comparison that is off by one shows.

    Returns
    -------
    array of int32, shape (count, network.features)
    """
    rng = np.random.default_rng(seed)
    low, high = network.modulate.domain
    shape = count, network.features
    even = rng.integers(low, high + 1, size=shape)
    thresholds = network.modulate.thresholds.transpose(1, 0, 2).reshape(network.features, -1)
    columns = np.arange(network.features)
    close = (thresholds[columns, rng.integers(thresholds.shape[1], size=shape)]
             + rng.integers(-1, 2, size=shape))
    found = np.where((np.arange(count) % 2 == 0)[:, None], even, np.clip(close, low, high))
    found[0:1], found[1:2] = low, high
    return found.astype(np.int32)
