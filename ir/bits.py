"""Bit vectors, the words that carry them, and the one convention on their order.

Column 0 of a bit array is bit 0 (the least significant bit) of a word, slot 0 of a LUT is the
least significant bit of its address, and element 0 of a payload sits at its least significant
end. Every other module relies on this page instead of restating it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["LANES", "ONES", "Bits", "Words", "pack", "pack_rows", "slice_bits", "unpack",
           "unpack_rows", "unslice", "with_constants"]

Bits = NDArray[np.bool_]
"""Bit vectors, shape (batch, width)."""

Words = NDArray[np.uint64]
"""Bit-sliced vectors, shape (width, ceil(batch / 64)): sample ``b`` is bit ``b % 64`` of word
``b // 64`` of each row, so that one machine instruction works on 64 samples."""

LANES = 64
"""Samples in one word of :data:`Words`."""

ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
"""A word with every bit set."""


def pack(vectors: Bits) -> list[int]:
    """Convert bit vectors to one (big) integer each."""
    rows = np.packbits(vectors, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def unpack(words: Iterable[int], width: int) -> Bits:
    """Convert integers to bit vectors of ``width`` columns. The inverse of :func:`pack`."""
    size = max(1, (width + 7) // 8)
    rows = [np.frombuffer(word.to_bytes(size, "little"), np.uint8) for word in words]
    packed = np.array(rows, dtype=np.uint8).reshape(len(rows), size)
    return np.unpackbits(packed, axis=1, bitorder="little", count=width).astype(bool)


def pack_rows(rows: Bits) -> NDArray[np.uint8]:
    """Pack each row to bytes, shape (rows, ceil(columns / 8)); column 0 is bit 0 of byte 0."""
    return np.packbits(rows, axis=1, bitorder="little")


def unpack_rows(packed: NDArray[np.uint8], columns: int) -> Bits:
    """Inverse of :func:`pack_rows`.

    Raises
    ------
    ValueError
        If the shape is not ``(rows, ceil(columns / 8))``, or a padding bit is set.
    """
    expected = (columns + 7) // 8
    if packed.ndim != 2 or packed.shape[1] != expected:
        raise ValueError(f"Packed rows of {columns} bits must have {expected} bytes, "
                         f"not shape {packed.shape}")
    rows = np.unpackbits(packed, axis=1, bitorder="little")
    if rows[:, columns:].any():
        raise ValueError(f"Padding bits of packed rows of {columns} bits must be 0")
    return rows[:, :columns].astype(bool)


def slice_bits(vectors: Bits) -> Words:
    """Convert bit vectors to bit-sliced form. Lanes past the batch are 0."""
    batch, width = vectors.shape
    words = -(-batch // LANES)
    packed = np.zeros((width, words * (LANES // 8)), np.uint8)
    packed[:, : (batch + 7) // 8] = np.packbits(vectors.T, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64, copy=False)


def with_constants(words: Words) -> Words:
    """Bit-sliced vectors with two bits more, the constants 0 and 1."""
    constants = np.array([[0], [ONES]], np.uint64)
    return np.vstack([words, constants.repeat(words.shape[1], axis=1)])


def unslice(words: Words, batch: int) -> Bits:
    """Convert bit-sliced form to bit vectors. The inverse of :func:`slice_bits`."""
    as_bytes = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8)
    columns = np.unpackbits(as_bytes, axis=1, bitorder="little", count=batch)
    return np.ascontiguousarray(columns.T).astype(bool)
