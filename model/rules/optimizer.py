"""The optimizer of every rule that follows a gradient."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn import Parameter

__all__ = ["adam", "set_rate"]


def adam(parameters: Iterable[Parameter], rate: float = 1e-3) -> torch.optim.Adam:
    """Make an Adam in its fused form, which reads and writes each value once.

    It is several times as fast as the other one on large parameters, and rounds otherwise.
    """
    return torch.optim.Adam(parameters, lr=rate, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
