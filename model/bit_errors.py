"""Errors in the bits of a frozen network, as faults of a device would make them."""

from __future__ import annotations

import numpy as np

from bitwright.ir.bits import Words

__all__ = ["BitErrors"]

_DIGITS = 32
"""Binary digits of a rate: to 2^-32 exact."""


class BitErrors:
    """Bits that are inverted at random, each by itself.

    Parameters
    ----------
    rate : float
        Share of the bits, from 0 to 1.
    seed : int

    Raises
    ------
    ValueError
        If the rate is out of its range, or the seed is below 0.
    """

    def __init__(self, rate: float, seed: int = 0) -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"rate of bit errors must be from 0 to 1, not {rate}")
        if seed < 0:
            raise ValueError(f"seed of bit errors must be at least 0, not {seed}")
        self.rate = rate
        self._threshold = round(rate * (1 << _DIGITS))
        self._rng = np.random.default_rng(seed)

    def __call__(self, name: str, words: Words) -> Words:
        """Invert bits of what a node drives, shape (width, words)."""
        del name
        return words ^ self.mask(words.shape)

    def mask(self, shape: tuple[int, ...]) -> Words:
        """Draw words, of whose bits the share ``rate`` is 1.

        A bit is 1 where a number of random binary digits is below the rate: digit by digit, from
        the last, 64 numbers at once.
        """
        if self._threshold >> _DIGITS:
            return np.full(shape, ~np.uint64(0))
        below = np.zeros(shape, np.uint64)
        for place in range(_DIGITS):
            digits = self._rng.integers(1 << 64, size=shape, dtype=np.uint64)
            below = below | ~digits if self._threshold >> place & 1 else below & ~digits
        return below
