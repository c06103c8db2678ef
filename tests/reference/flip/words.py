"""Bits in words of eight: the tensors of flip backpropagation.

Bits of the last axis are packed, bit 0 of a row into the lowest bit of its first word. A row whose
length is no multiple of 8 ends in pad bits. They are 0 in every tensor here, and no operator
counts, flips or learns them: in the published code they took part in the popcount, as biases that
nobody had asked for.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["LANES", "occupied", "pack", "popcount", "random_words", "unpack"]

LANES = 8
"""Bits of a word."""

_COUNTS = torch.tensor([value.bit_count() for value in range(1 << LANES)])


def pack(bits: Tensor) -> Tensor:
    """Pack bits, shape (..., n), into words of uint8, shape (..., ceil(n / 8)).

    Anything but 0 is a 1.
    """
    return torch.from_numpy(np.packbits(bits.numpy() != 0, axis=-1, bitorder="little"))


def unpack(words: Tensor, n: int) -> Tensor:
    """Unpack words, shape (..., ceil(n / 8)), to bits of uint8, shape (..., n)."""
    bits = np.unpackbits(words.numpy(), axis=-1, count=n, bitorder="little")
    return torch.from_numpy(bits)


def occupied(n: int) -> Tensor:
    """Words of a row of ``n`` bits with a 1 for each of them, and 0 in the pad bits."""
    return pack(torch.ones(n))


def popcount(words: Tensor) -> Tensor:
    """Count the ones of the last axis: words, shape (..., w), to int64, shape (...)."""
    return _COUNTS[words.int()].sum(-1)


def random_words(shape: tuple[int, ...], suppressor: int,
                 generator: torch.Generator) -> Tensor:
    """Draw words of which each bit is 1 with probability ``2 ** -suppressor``.

    The conjunction of as many random words.
    """
    words = torch.full(shape, 255, dtype=torch.uint8)
    for _ in range(suppressor):
        words &= torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    return words
