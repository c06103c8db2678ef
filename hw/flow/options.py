"""Settings of a build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright.boards import Board
from bitwright.hw.families import FAMILIES, Family

if TYPE_CHECKING:
    from bitwright.hw.flow.elsewhere import Elsewhere
    from bitwright.hw.plan import Plan

__all__ = ["STAGES", "TARGETS", "Options"]

STAGES = ("verilog", "synth", "route")
"""Where a build can stop."""

TARGETS = tuple(name for name, family in FAMILIES.items() if family.place is None)
"""Families that are synthesised for without a board."""


@dataclass(frozen=True)
class Options:
    """Settings of a build.

    Parameters
    ----------
    board : Board or None
        None to stop after synthesis for ``family``.
    family : Family
        The board's, if there is one.
    plan : Plan
    out : Path
        The build folder.
    stop_after : str
        One of :data:`STAGES`.
    clock_hz : float or None
        Clock that the design shall run at. None: the fastest that is reached, with a PLL where
        there is one.
    baud : int or None
        Rate of the serial line.
    seed : int
        Of the placer.
    seeds : int
        How many seeds are tried, from that one on, where a clock is missed.
    simplify : bool
        Whether the network is simplified first.
    allow_timing_fail : bool
        Whether a bitstream that misses the clock is made.
    module : str or None
        Name of the block's module; None for one that is made of the network's name.
    reset : str
        Of the block: one of :data:`hw.naming.RESETS`.
    elsewhere : Elsewhere or None
        Does the placements. None: this machine.
    flash : bool
        Whether contents that can be written come from the board's flash first.
    """

    board: Board | None
    family: Family
    plan: Plan
    out: Path
    stop_after: str = "route"
    clock_hz: float | None = None
    baud: int | None = None
    seed: int = 1
    seeds: int = 1
    simplify: bool = True
    allow_timing_fail: bool = False
    module: str | None = None
    reset: str = "rst"
    elsewhere: Elsewhere | None = None
    flash: bool = False

    @property
    def target(self) -> str:
        """Name of the board, or of the family without one."""
        return self.family.name if self.board is None else self.board.name
