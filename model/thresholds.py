"""Where something real becomes a whole number: thresholds of counts and of features."""

from __future__ import annotations

from statistics import NormalDist

import torch
from torch import Tensor

__all__ = ["crossing", "cuts", "least"]


def cuts(depth: int) -> Tensor:
    """Values that cut the normal distribution into ``depth + 1`` equal masses, ascending.

    0 for one; 0 and ±0.67 for three. Of float64.
    """
    values = [NormalDist().inv_cdf((d + 1) / (depth + 1)) for d in range(depth)]
    return torch.tensor(values, dtype=torch.float64)


@torch.no_grad()
def crossing(cuts: Tensor, mean: Tensor | float, deviation: Tensor | float,
             scale: Tensor | float = 1.0, shift: Tensor | float = 0.0) -> Tensor:
    """Absorb a normalisation: where ``scale * (x - mean) / deviation + shift`` is a cut.

    Parameters
    ----------
    cuts, mean, deviation, scale, shift : Tensor or float
        Shapes broadcast; no scale is 0.

    Returns
    -------
    Tensor of float64
        Values of ``x``.
    """
    return mean + (cuts.double() - shift) * deviation / scale


def least(bound: Tensor, lowest: int, highest: int, *, above: bool = False) -> Tensor:
    """Least whole numbers that reach a bound, or that are above it.

    Parameters
    ----------
    bound : Tensor
    lowest, highest : int
        What the numbers are cut to: one that everything reaches, one that nothing does.
    above : bool

    Returns
    -------
    Tensor of int32
    """
    whole = bound.floor() + 1 if above else bound.ceil()
    return whole.clamp(lowest, highest).to(torch.int32)
