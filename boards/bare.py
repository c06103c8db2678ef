"""A part without a board: whether a design fits it, and how fast it is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bitwright.boards.board import Board, BoardError, Lines
from bitwright.boards.own import OwnPlatform
from bitwright.hw import families
from bitwright.hw.rate import default

__all__ = ["CLOCK_HZ", "bare"]

CLOCK_HZ = 25_000_000
"""Clock that a design is made for where there is no oscillator."""


def bare(text: str, boards: Iterable[Board]) -> Board:
    """A part as a board whose pins nobody has chosen.

    Parameters
    ----------
    text : str
        Name of the part, see :func:`hw.families.part`.
    boards : iterable of Board
        Whose pins are taken where the tools of a family place none by themselves.

    Raises
    ------
    PartError
        If there is no such part.
    BoardError
        If its tools need pins, and no board with that part is known.
    """
    family, part = families.part(text)
    name = part.name.replace("/", "-")
    assert family.platform is not None
    assert family.parts is not None
    assert family.place is not None
    if family.place.free is None:
        for board in boards:
            if board.uart and (board.part.device, board.part.package) == (part.device,
                                                                          part.package):
                return replace(board, name=name, title=part.name, part=part, program=None,
                               estimate=True)
        raise BoardError(f"{part.name}: {family.title} needs pins to be placed, and no board with "
                         f"this part is known; give them in a file (docs/boards.md), and name that "
                         "with --board")
    pins = family.io.attributes()
    source = OwnPlatform(family.platform, family.parts.attributes_of(part), "clk", CLOCK_HZ,
                         pins=pins)
    return Board(name=name, title=part.name, clock_hz=CLOCK_HZ, baud=default(CLOCK_HZ),
                 uart=Lines("rx", "tx", pins), source=source, family=family, part=part,
                 program=None, estimate=True)
