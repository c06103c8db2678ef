"""What tables cost that have more inputs than a LUT of the device: counts of their cofactors."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["costs"]

WIDEST = 8
"""Inputs up to which cofactors are looked at."""


def costs(tables: NDArray[np.bool_], lut_size: int,
          wide: int = 0) -> tuple[float, float, float]:
    """Tables that one LUT holds, and the work in the others.

    Parameters
    ----------
    tables : array of bool, shape (tables, 2 ** fan_in)
        Column ``p`` is the answer to pattern ``p``, input 0 in bit 0.
    lut_size : int
    wide : int
        Inputs up to which what chooses between LUTs costs nothing.

    Returns
    -------
    small : float
        Tables that read 2 to ``lut_size`` inputs. What reads fewer is a wire.
    large : float
        Over the others, LUTs of a split by the inputs that leave the fewest different functions
        (a function and its inverse being the same): those, and what chooses between them.
    full : float
        LUTs of those which such a split would need more for than the free choice between all of
        their parts.
    """
    count, size = tables.shape
    fan_in = size.bit_length() - 1
    if fan_in > WIDEST:
        return 0.0, float(count * (3 << (fan_in - lut_size)) // 2), 0.0
    support = _support(tables, fan_in)
    inputs = support.sum(axis=1)
    small = float(((inputs >= 2) & (inputs <= lut_size)).sum())
    rest = inputs > lut_size
    if not rest.any():
        return small, 0.0, 0.0
    split = _split(tables[rest], support[rest], lut_size)
    parts = np.where(inputs[rest] <= wide, 2.0 ** (inputs[rest] - lut_size), np.inf)
    return small, float(split[split <= parts].sum()), float(parts[split > parts].sum())


def _support(tables: NDArray[np.bool_], fan_in: int) -> NDArray[np.bool_]:
    """Which inputs matter, shape (tables, fan_in)."""
    shaped = tables.reshape((len(tables), *(2,) * fan_in))
    found = [(np.take(shaped, 0, axis=axis) != np.take(shaped, 1, axis=axis))
             .reshape(len(tables), -1).any(axis=1) for axis in range(fan_in, 0, -1)]
    return np.stack(found, axis=1)


def _split(tables: NDArray[np.bool_], support: NDArray[np.bool_],
           lut_size: int) -> NDArray[np.float64]:
    """LUTs of each table, all of which are too large for one."""
    count, fan_in = support.shape
    # Axis 1 + i is input i.
    cubes = tables.reshape((count, *(2,) * fan_in)).transpose(0, *range(fan_in, 0, -1))
    best = np.full(count, np.inf)
    for chosen in combinations(range(fan_in), fan_in - lut_size):
        rest = [axis for axis in range(fan_in) if axis not in chosen]
        order = [0, *(1 + axis for axis in (*chosen, *rest))]
        parts = cubes.transpose(order).reshape(count, 1 << len(chosen), -1)
        packed = np.packbits(parts ^ parts[:, :, :1], axis=2)
        words = np.zeros((*packed.shape[:2], 8), np.uint8)
        words[:, :, : packed.shape[2]] = packed
        kinds = np.sort(words.view(np.uint64)[:, :, 0], axis=1)
        different = (kinds[:, 0] != 0) + (kinds[:, 1:] != kinds[:, :-1]).sum(axis=1)
        choices = (2.0 ** support[:, list(chosen)].sum(axis=1) - 1) / 2
        best = np.minimum(best, different + choices)
    return best
