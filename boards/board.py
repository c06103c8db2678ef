"""What the tools need to know about a board."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from bitwright.errors import UsageError
from bitwright.hw.families import Family

__all__ = ["Board", "BoardError"]


class BoardError(UsageError):
    """There is no such board. The message names the nearest ones."""


@dataclass(frozen=True)
class Board:
    """A board: pins and clock by its platform, and the capacity of its device.

    Parameters
    ----------
    name : str
        What ``--board`` is given.
    title : str
        The board and its device, for people.
    family : Family
        Whose tools place and route.
    device, package, speed : str
        The part, as its maker writes it. The speed grade is empty where there is one only.
    luts, flip_flops, memories : int
        Capacity as nextpnr counts it: LUT4, flip-flops, block RAMs.
    memory_kbit : int
        Size of one block RAM in kbit (1024 bits).
    clock_hz : int
        The board's oscillator, which clocks the design.
    baud : int
        Default rate of the serial link. It divides the clock exactly.
    platform_class : str
        ``module:class`` of amaranth-boards.
    nextpnr : tuple of str
        Options that select the part.
    program : tuple of str
        Options of the family's programmer.
    uart : tuple of (str, int)
        Platform resource of the serial port.
    """

    name: str
    title: str
    family: Family
    device: str
    package: str
    speed: str
    luts: int
    flip_flops: int
    memories: int
    memory_kbit: int
    clock_hz: int
    baud: int
    platform_class: str
    nextpnr: tuple[str, ...]
    program: tuple[str, ...] = ()
    uart: tuple[str, int] = ("uart", 0)

    def platform(self) -> Any:
        """New instance of the amaranth-boards platform, for one build.

        Imported here, since a list of boards must not wait for Amaranth.
        """
        module, _, name = self.platform_class.partition(":")
        return getattr(importlib.import_module(module), name)()
