"""Whether a design fits a board, and what to say when it does not."""

from __future__ import annotations

from collections.abc import Mapping

from bitwright.boards import BOARDS, Board
from bitwright.errors import UserError
from bitwright.hw.families import Resources
from bitwright.hw.report.resources import OTHER
from bitwright.hw.report.results import Synthesised

__all__ = ["FitError", "check_fit", "explain", "percent", "shortage"]

_ADVICE = {
    "encoder": "train with a lower depth, or fewer features",
    "core": "train with fewer or narrower layers, or fewer inputs a node",
    "head": "train with fewer bits a class (a narrower last layer)",
    "link": "take a larger board",
    OTHER: "take a larger board",
}
"""What to change, by the part that is the largest."""

_COMFORTABLE = 0.8
"""Share of a device that can usually be filled and still be routed."""


class FitError(UserError):
    """The design needs more than the device has. One line, which says what to change."""


def shortage(cells: int, total: Resources, board: Board) -> tuple[str, str, int, int] | None:
    """The resource that a board has the least of, relative to what is needed.

    Parameters
    ----------
    cells : int
        Logic cells needed, see :func:`hw.report.resources.logic_cells`.
    total : Resources
    board : Board

    Returns
    -------
    tuple or None
        What it is, the field of :class:`Resources` to blame parts by, needed, available.
        None if there is enough of each.
    """
    needs = [("logic cells", "luts" if total.luts >= total.flip_flops else "flip_flops", cells,
              board.part.luts),
             ("flip-flops", "flip_flops", total.flip_flops, board.part.flip_flops),
             ("block RAMs", "memories", total.memories, board.part.memories)]
    over = [need for need in needs if need[2] > need[3]]
    return max(over, key=lambda need: need[2] / need[3], default=None)


def check_fit(name: str, synthesised: Synthesised, board: Board, foldable: bool = False) -> None:
    """Refuse a design that a board cannot hold.

    Parameters
    ----------
    name : str
        Of the network.
    synthesised : Synthesised
    board : Board
    foldable : bool
        Whether a node is unrolled that could be folded.

    Raises
    ------
    FitError
        If it needs more than there is.
    """
    cells = synthesised.logic_cells
    short = shortage(cells, synthesised.total, board)
    if short is not None:
        raise FitError(explain(name, short, cells, synthesised.parts, board, foldable))


def explain(name: str, short: tuple[str, str, int, int], cells: int,
            parts: Mapping[str, Resources], board: Board, foldable: bool = False) -> str:
    """One line on a design that does not fit.

    Parameters
    ----------
    name : str
        Of the network.
    short : tuple
        As from :func:`shortage`.
    cells : int
        Logic cells needed.
    parts : mapping
        Resources by part.
    board, foldable
        As for :func:`check_fit`.
    """
    what, field, needed, available = short
    total = sum(parts.values(), Resources())
    largest = max(parts, key=lambda part: getattr(parts[part], field))
    of_all = getattr(total, field)
    share = f"{getattr(parts[largest], field):,} of {of_all:,} {_PLURAL[field]}" if of_all else ""
    larger = [other.name for other in BOARDS.values() if other.uart is not None
              and shortage(cells, total, other) is None and cells <= _COMFORTABLE * other.part.luts]
    folds = foldable and field != "memories"
    fold = "fold what can be folded (--fold CYCLES), or " if folds else ""
    boards = (f"boards that would hold it: {_few(larger)}" if larger
              else "no board here is large enough")
    return (f"{name} does not fit {board.name}: it needs {needed:,} {what}, there are "
            f"{available:,} ({percent(needed, available)}); the largest part is the {largest} "
            f"({share}): {fold}{_ADVICE[largest]}; {boards}")


def _few(names: list[str]) -> str:
    """The first of some names, and whether there are more."""
    more = " and others (see `bitwright boards`)" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


_NAMED = 4
"""Boards that a message names."""

_PLURAL = {"luts": "LUTs", "flip_flops": "flip-flops", "memories": "block RAMs"}


def percent(used: int, available: int) -> str:
    """Share in whole percent, rounded up, so that no overflow reads as 100 %."""
    return f"{-(-100 * used // available)} %"
