"""Rates of a serial line that a clock can make."""

from __future__ import annotations

import contextlib

__all__ = ["FEWEST_CYCLES", "default", "divisor"]

FEWEST_CYCLES = 4
"""Cycles of the device's clock in the shortest bit that there is."""

TOLERANCE = 0.02
"""Deviation from the baud rate that each side may have. docs/link.md has what was measured."""

_RATES = (1_000_000, 921_600, 460_800, 230_400, 115_200, 57_600, 38_400, 19_200, 9_600)
"""From the highest."""


def divisor(clock_hz: float, baud: float) -> int:
    """Clock cycles of a bit.

    Raises
    ------
    ValueError
        If the clock cannot make the baud rate within 2 %.
    """
    cycles = round(clock_hz / baud) if baud > 0 else 0  # not for NaN either
    if cycles < FEWEST_CYCLES or abs(clock_hz / cycles / baud - 1) > TOLERANCE:
        raise ValueError(f"Baud rate must be a fraction of the clock of {clock_hz:g} Hz, at most "
                         f"a quarter and within {100 * TOLERANCE:g} %, not {baud:g}")
    return cycles


def default(clock_hz: float) -> int:
    """The rate that is taken where none is named: the highest of those that every serial port has,
    from 1 Mbaud down, that the clock can make.

    Raises
    ------
    ValueError
        If the clock makes none of them.
    """
    for baud in _RATES:
        with contextlib.suppress(ValueError):
            divisor(clock_hz, baud)
            return baud
    raise ValueError(f"Clock of {clock_hz:g} Hz makes none of the usual rates, from "
                     f"{_RATES[-1]:,} to {_RATES[0]:,} baud")
