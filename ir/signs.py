"""Counts of agreeing bits as products of signs, which is what a BLAS does fast.

With -1 for 0 and +1 for 1, a product of two vectors is their agreements less their disagreements.
float32 holds every partial sum exactly up to 2^24, which no layer is as wide as.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import LANES, Bits, Words

__all__ = ["CHUNK", "Signs", "products", "reached", "signs", "signs_of_words"]

CHUNK = 1 << 24
"""Signs of weights, or of inputs, that there are at the same time, of 4 bytes each."""

Signs = NDArray[np.float32]
"""-1 or +1 for each bit."""

_BYTES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")


def signs(bits: Bits | NDArray[np.uint8]) -> Signs:
    """Signs of bits, of the same shape."""
    return bits.astype(np.float32) * 2 - 1


_SIGNS = signs(_BYTES)
"""Signs of the bits of each byte."""


def signs_of_words(x: Words) -> Signs:
    """Signs of bit-sliced vectors, shape (width, 64 * words)."""
    as_bytes = np.ascontiguousarray(x).astype("<u8", copy=False).view(np.uint8)
    return _SIGNS.take(as_bytes, axis=0).reshape(len(x), -1)


def products(weights: Bits, x: Words) -> Signs:
    """Products of every weight vector with every input vector.

    Parameters
    ----------
    weights : array of bool, shape (neurons, width)
    x : Words, shape (width, words)

    Returns
    -------
    Signs, shape (neurons, 64 * words)
        Whole numbers, agreements less disagreements.
    """
    (neurons, width), words = weights.shape, x.shape[1]
    total = np.zeros((neurons, words * LANES), np.float32)
    many = max(1, CHUNK // max(neurons, LANES))
    for first in range(0, width, many):
        own = signs(weights[:, first : first + many])
        step = max(1, CHUNK // (own.shape[1] * LANES))
        for start in range(0, words, step):
            part = x[first : first + many, start : start + step]
            total[:, start * LANES : (start + step) * LANES] += own @ signs_of_words(part)
    return total


def reached(products: Signs, thresholds: NDArray[np.int32], width: int) -> Words:
    """Which counts of agreements reach thresholds.

    Parameters
    ----------
    products : Signs, shape (..., neurons, 64 * words)
        Of vectors of ``width`` signs.
    thresholds : array of int32, shape (neurons, depth)
    width : int

    Returns
    -------
    Words, shape (..., neurons * depth, words)
    """
    # agreements >= threshold, with product = 2 * agreements - width.
    ends = (2 * thresholds.astype(np.int64) - width).astype(np.float32)
    bits = products[..., None, :] >= ends[:, :, None]
    packed = np.packbits(bits, axis=-1, bitorder="little").view("<u8")
    return packed.reshape(*products.shape[:-2], ends.size, -1).astype(np.uint64, copy=False)
