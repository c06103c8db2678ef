"""How settings change as the epochs pass."""

from __future__ import annotations

import math

__all__ = ["half_cosine"]


def half_cosine(progress: float) -> float:
    """Fall from 1 to 0 along half a cosine, as the progress goes from 0 to 1."""
    return (1 + math.cos(math.pi * progress)) / 2
