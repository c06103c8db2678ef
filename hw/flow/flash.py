"""The contents of a board's flash, beside its bitstream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bitwright import ir
from bitwright.boards import Board, BoardError
from bitwright.errors import UserError
from bitwright.hw.contents import Contents
from bitwright.hw.link.record import OFFSET, record
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.report.results import Written

__all__ = ["FILE", "FlashError", "WriteRecord", "check_bitstream", "check_board"]

FILE = "contents.bin"
"""What is written to the flash at :data:`hw.link.record.OFFSET`."""


class FlashError(UserError):
    """Bitstream and contents do not go into one flash."""


@dataclass(frozen=True)
class WriteRecord:
    """Write ``contents.bin``: the record of a network, see :mod:`hw.link.record`.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
    """

    name: ClassVar[str] = "contents"
    Result: ClassVar[type[Written]] = Written

    network: ir.Network
    plan: Plan

    def run(self, folder: Path, logs: Path) -> Written:
        """See :class:`hw.flow.cache.Stage`.

        Raises
        ------
        PlanError
            If nothing can be written.
        """
        contents = Contents(self.network, self.plan)
        if not contents.nodes:
            raise PlanError("--contents flash needs a node whose contents can be written: --fold "
                            "CYCLES with --large, or writable = true in its table of the plan")
        (folder / FILE).write_bytes(record(contents, self.network))
        return Written()


def check_board(board: Board) -> None:
    """Refuse a board whose flash a design does not reach.

    Raises
    ------
    BoardError
    """
    place = board.family.place
    if place is None or not place.flash:
        raise BoardError(f"{board.name}: --contents flash is for boards of an iCE40; the clock of "
                         f"the flash of {board.family.title} is no pin that a design has; leave it "
                         "out, and write the contents over the link")
    _ = board.flash_resource


def check_bitstream(size: int) -> None:
    """Refuse a bitstream that reaches into the contents.

    Raises
    ------
    FlashError
    """
    if size > OFFSET:
        raise FlashError(f"Bitstream must end before the contents in the flash, at byte "
                         f"{OFFSET:,}, not at byte {size:,}; build it without --contents flash")
