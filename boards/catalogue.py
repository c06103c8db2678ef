"""Every board by its name."""

import difflib
import importlib
import pkgutil

from bitwright.boards.board import Board, BoardError

__all__ = ["BOARDS", "DEFAULT", "get"]


def _discover() -> dict[str, Board]:
    """Boards of this folder: each module with a ``BOARD``, so that a new one is one new file."""
    package = __name__.rpartition(".")[0]
    folder = importlib.import_module(package).__path__
    modules = [importlib.import_module(f"{package}.{info.name}")
               for info in pkgutil.iter_modules(folder)
               # Each of these imports this module, or is imported by it.
               if info.name not in ("board", "catalogue", "list")]
    boards = sorted((module.BOARD for module in modules), key=lambda board: board.luts)
    return {board.name: board for board in boards}


BOARDS = _discover()
"""Boards by name, the smallest first."""

DEFAULT = "icebreaker"
"""The board that is meant where none is named."""


def get(name: str) -> Board:
    """Board of that name.

    Raises
    ------
    BoardError
        If there is none.
    """
    if name in BOARDS:
        return BOARDS[name]
    near = difflib.get_close_matches(name, BOARDS, n=2, cutoff=0.4)
    hint = (f"did you mean {' or '.join(repr(other) for other in near)}?" if near
            else f"there are {', '.join(BOARDS)}")
    raise BoardError(f"{name}: no such board; {hint}")
