"""How many of random words differ: what is alike is built once."""

from __future__ import annotations

__all__ = ["UNKNOWN", "different", "varying"]

UNKNOWN = 30
"""Bits of a word from which on no two words are taken to be alike; also said of words that can be
written, of which nobody knows."""


def different(count: int, bits: int) -> float:
    """How many are different of so many words of so many random bits, on average."""
    kinds = 2.0 ** min(bits, UNKNOWN)
    return kinds * (1 - (1 - 1 / kinds) ** count)


def varying(count: int, bits: int) -> float:
    """How many of those are not the same bit over and over, which is a constant."""
    return different(count, bits) * (1 - 0.5 ** (bits - 1))
