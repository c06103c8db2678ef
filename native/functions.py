"""Boolean functions as few operations on words.

A table is split by one input after another (Shannon). Where a half is constant, or the halves are
inverse to each other, one or two operations are enough; else a multiplexer is, which is three. The
order of the inputs is free in every branch, and the cheapest is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

__all__ = ["Steps"]

_MOST = 6
"""Inputs of a table up to which every order is tried: a millisecond for a table of six. Of a table
with more the last one is split off first."""

_INVERTED = bytes([1, 0]) + bytes(range(2, 256))


class Steps:
    """Operations of one table, each on what is there before it, and equal ones only once.

    Parameters
    ----------
    table : bytes
        Contents by address, 0 or 1 each.
    sources : sequence of str
        What the inputs are called, slot 0 first.

    Attributes
    ----------
    lines : list of (str, str)
        Name of each step, and its expression in C.
    result : str
        Expression of the output.
    """

    def __init__(self, table: bytes, sources: Sequence[str]) -> None:
        self.lines: list[tuple[str, str]] = []
        self._known: dict[tuple[bytes, tuple[str, ...]], str] = {}
        self.result = self._term(table, tuple(sources))

    def _term(self, table: bytes, sources: tuple[str, ...]) -> str:
        """Name of what a table makes of its inputs, or a constant or an input itself."""
        if table == bytes(len(table)):
            return "ZERO"
        if table == b"\1" * len(table):
            return "ONES"
        if table == b"\0\1":
            return sources[0]
        key = table, sources
        if key not in self._known:
            expression, name = self._expression(table, sources), f"t{len(self.lines)}"
            if expression.isalnum():  # an input that does not matter: the step is another's
                return expression
            self.lines.append((name, expression))
            self._known[key] = name
        return self._known[key]

    def _expression(self, table: bytes, sources: tuple[str, ...]) -> str:
        if table == b"\1\0":
            return f"~{sources[0]}"
        _, place = _plan(table)
        low, high = _halves(table, place)
        x, rest = sources[place], sources[:place] + sources[place + 1 :]
        if low == high:
            return self._term(low, rest)
        if high == low.translate(_INVERTED):
            return f"{x} ^ {self._term(low, rest)}"
        first, second = self._term(low, rest), self._term(high, rest)
        if first == "ZERO":
            return f"{x} & {second}"
        if first == "ONES":
            return f"~{x} | {second}"
        if second == "ZERO":
            return f"~{x} & {first}"
        if second == "ONES":
            return f"{x} | {first}"
        return f"{first} ^ ({x} & ({first} ^ {second}))"


@lru_cache(1 << 17)
def _plan(table: bytes) -> tuple[int, int]:
    """Operations of a table, were none shared, and the input to split it by."""
    size = len(table)
    if size == 1 or table == b"\0\1":
        return 0, 0
    if size == 2:
        return int(table == b"\1\0"), 0
    inputs = size.bit_length() - 1
    best = size * 4, 0
    for place in range(inputs) if inputs <= _MOST else (inputs - 1,):
        low, high = _halves(table, place)
        if low == high:
            return _plan(low)[0], place
        best = min(best, (_cost(low, high), place))
    return best


def _cost(low: bytes, high: bytes) -> int:
    zero, one = bytes(len(low)), b"\1" * len(low)
    of_low = _plan(low)[0]
    if high == low.translate(_INVERTED):
        return of_low + 1
    cost = of_low + _plan(high)[0]
    if low == zero or high == one:
        return cost + 1
    return cost + (2 if low == one or high == zero else 3)


def _halves(table: bytes, place: int) -> tuple[bytes, bytes]:
    """The tables for an input that is 0, and that is 1."""
    step = 1 << place
    if step == 1:
        return table[0::2], table[1::2]
    starts = range(0, len(table), 2 * step)
    return (b"".join([table[start : start + step] for start in starts]),
            b"".join([table[start + step : start + 2 * step] for start in starts]))
