"""Thresholds moved to where a comparison looks at fewer bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir

__all__ = ["Thresholds", "compared", "rounded"]

Thresholds = tuple[int, ...]
"""Of a comparison, one a frame."""


def compared(modulate: ir.Modulate) -> NDArray[np.int64]:
    """Bits of its feature that each comparison needs, shape (frames, features, depth).

    Those from the lowest one of its threshold upwards; none where the outcome is always the same.
    """
    low, high = modulate.domain
    numbers = modulate.thresholds.astype(np.int64) - low
    needed = modulate.bits - _zeros(numbers)
    return np.where((numbers > 0) & (numbers <= high - low), needed, 0)


def rounded(network: ir.Network, learnt: NDArray[Any], few: float) -> dict[ir.Bit, Thresholds]:
    """Thresholds with fewer bits that tell the samples apart as those of the network do.

    Parameters
    ----------
    network : ir.Network
    learnt : array of integers, shape (samples, features)
    few : float
        In how many frames of the samples a comparison may come out otherwise.

    Returns
    -------
    dict
        New thresholds of the comparisons that some node reads and that can do with fewer bits.
        None, where thresholds come from a noise: hardware makes those without a table.
    """
    name, modulate = network.entries[0].name, network.modulate
    if modulate.noise is not None:
        return {}
    low, high = modulate.domain
    before, per_frame = compared(modulate), int(few / modulate.frames)
    changes = {}
    for feature, read in enumerate(network.read_mask(name).reshape(-1, modulate.depth)):
        if not read.any():
            continue
        values = np.sort(learnt[:, feature].astype(np.int64)) - low
        for d in np.flatnonzero(read).tolist():
            was = modulate.thresholds[:, feature, d] - low
            found = [_rounded(int(threshold), values, per_frame, high - low) for threshold in was]
            needed = modulate.bits - _zeros(np.array(found))
            if (needed < before[:, feature, d]).any():
                changes[name, feature * modulate.depth + d] = tuple(
                    threshold + low for threshold in found)
    return changes


def _rounded(threshold: int, values: NDArray[Any], few: int, high: int) -> int:
    """The number with the most zeros at its end that parts sorted values nearly as a threshold.

    No more than ``few`` values may lie between the two. Of several the nearest.
    """
    if not 0 < threshold <= high:
        return threshold
    below = int(np.searchsorted(values, threshold))
    least = int(values[below - 1 - few]) + 1 if below > few else 1
    most = int(values[below + few]) if below + few < len(values) else high
    for zeros in reversed(range(high.bit_length())):
        step = 1 << zeros
        first, last = -(-least // step) * step, most // step * step
        if first <= last:
            nearest = (threshold + step // 2) // step * step
            return min(max(nearest, first), last)
    return threshold


def _zeros(numbers: NDArray[Any]) -> NDArray[np.int64]:
    """Zeros at the low end of positive numbers."""
    lowest = np.maximum(numbers & -numbers, 1)
    places: NDArray[np.int64] = np.frexp(lowest)[1].astype(np.int64) - 1
    return places
