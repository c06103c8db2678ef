"""Frames: passes of a sample through the network, each with thresholds of its own.

They are merged into the batch: sample ``b`` in frame ``f`` is column ``f * batch + b``. Here is the
one place that knows.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["apart", "merged"]


def merged(values: Tensor) -> Tensor:
    """Merge frames into the batch: (n, depth, frames, batch) to (n * depth, frames * batch)."""
    return values.reshape(values.shape[0] * values.shape[1], -1)


def apart(values: Tensor, frames: int) -> Tensor:
    """Take frames apart: (width, frames * batch) to (width, frames, batch)."""
    return values.view(len(values), frames, -1)
