"""Thresholds drawn at random, as BinaryBrain's value generators draw them, in a table."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bitwright import ir

__all__ = ["DEVIATION", "Each", "drawn_thresholds"]

Each = Literal["pixel", "frame"]
"""What has a draw of its own: every feature in every frame, or every frame."""

DEVIATION = 12**-0.5
"""Standard deviation of numbers that are spread evenly from 0 to 1."""

_BITS = 16
"""Bits of a uniform number."""

_SUMMANDS = 12
"""Uniform numbers of which one is made that is as good as normal, of variance 1."""


def drawn_thresholds(features: int, full_scale: int, depth: int, frames: int, *,
                     normal: bool, each: Each, mean: float, deviation: float, seed: int,
                     highest: int) -> NDArray[np.int32]:
    """Draw thresholds, shape (frames, features, depth).

    With a draw ``v`` bit d is 1 where ``x / full_scale * depth - d > v``: the draw lies within each
    of ``depth`` equal steps at the same place. All of a table is told by the seed, and the first
    frames of one are the whole of a shorter one.

    Parameters
    ----------
    features, full_scale, depth, frames : int
    normal : bool
        Whether draws are normal; else they are spread evenly.
    each : Each
    mean, deviation : float
        Of the draws: a step goes from 0 to 1.
    seed : int
        See :class:`ir.Noise`.
    highest : int
        Highest feature value. A bit that it does not reach is always 0.
    """
    summands = _SUMMANDS if normal else 1
    count = features if each == "pixel" else 1
    words = ir.Noise(seed, _BITS, summands).numbers(frames * count).reshape(frames, count, 1)
    around = (words + summands / 2) / (1 << _BITS) - summands / 2  # of variance summands / 12
    draws = mean + deviation * around * (12 / summands) ** 0.5
    bounds = (draws + np.arange(depth)) * full_scale / depth
    limits = np.clip(np.floor(bounds) + 1, 0, highest + 1).astype(np.int32)
    return np.repeat(limits, features // count, axis=1)
