"""The serial top on a board's pins."""

from __future__ import annotations

import re
from dataclasses import dataclass

from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io

from bitwright.boards import Board

__all__ = ["BoardTop", "Prepared", "constrain", "prepare"]

TOP = "top"
"""Name of the top module."""

CONSTRAINTS = {"ice40": "pcf", "ecp5": "lpf"}
"""Suffix of the constraint file of a family."""

_CLOCK = {
    "ice40": (re.compile(r"^(set_frequency \S+) \S+$", re.MULTILINE),
              lambda hertz: f"{hertz / 1e6}"),
    "ecp5": (re.compile(r"^(FREQUENCY PORT \S+) \S+(?= HZ;$)", re.MULTILINE),
             lambda hertz: f"{float(hertz)}"),
}
"""Constraint of the clock, and how its frequency is written."""


class BoardTop(Elaboratable):
    """A design with ports ``rx`` and ``tx``, on the serial port of a board.

    The platform adds the clock and a reset that lasts until the device has settled.

    Parameters
    ----------
    design : Component
        With the ports ``rx`` and ``tx``, asynchronous to the clock.
    board : Board
    """

    def __init__(self, design, board: Board) -> None:
        self._design = design
        self._board = board

    def elaborate(self, platform):
        m = Module()
        pins = platform.request(*self._board.uart, dir="-")
        m.submodules.rx = rx = io.Buffer("i", pins.rx)
        m.submodules.tx = tx = io.Buffer("o", pins.tx)
        m.submodules.serial = self._design
        m.d.comb += [self._design.rx.eq(rx.i), tx.o.eq(self._design.tx)]
        return m


@dataclass(frozen=True)
class Prepared:
    """A design ready for synthesis.

    Parameters
    ----------
    rtlil : str
        Its text, the top module being :data:`TOP`.
    constraints : str
        Pins and clock, in the language of the family's nextpnr.
    """

    rtlil: str
    constraints: str


def prepare(design, board: Board) -> Prepared:
    """Put a design on a board. Equal designs give equal texts."""
    plan = board.platform().prepare(BoardTop(design, board), TOP, emit_src=False)
    texts = {name: text if isinstance(text, str) else text.decode()
             for name, text in plan.files.items()}
    return Prepared(texts[f"{TOP}.il"], texts[f"{TOP}.{CONSTRAINTS[board.family]}"])


def constrain(constraints: str, family: str, hertz: float) -> str:
    """The same constraints with another frequency to reach."""
    pattern, write = _CLOCK[family]
    text, clocks = pattern.subn(lambda match: f"{match[1]} {write(hertz)}", constraints)
    assert clocks == 1, f"one clock expected, not {clocks}"
    return text
