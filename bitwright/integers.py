"""Integers of so many bits."""

from __future__ import annotations

__all__ = ["domain"]


def domain(bits: int, signed: bool) -> tuple[int, int]:
    """Smallest and largest integer of so many bits, both inclusive; signed in two's complement."""
    low = -(1 << bits - 1) if signed else 0
    return low, low + (1 << bits) - 1
