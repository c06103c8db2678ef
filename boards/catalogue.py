"""Every board by its name."""

from __future__ import annotations

import collections
import difflib
import functools
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from bitwright.boards import dotted, own
from bitwright.boards.board import Board, BoardError, VendorBoard
from bitwright.boards.classes import PlatformClass, site
from bitwright.boards.reader import read, shown
from bitwright.extras import missing

__all__ = ["BOARDS", "DEFAULT", "VENDOR_BOARDS", "find", "get", "label"]

S = TypeVar("S", Board, VendorBoard)

DEFAULT = "icebreaker"
"""The board that is meant where none is named."""

_PACKAGE = "amaranth_boards"

_OWN = Path(__file__).parent / "platforms"


class _Boards(Mapping[str, S]):
    """Boards of a kind by name, which are read when they are first asked for."""

    def __init__(self, kind: type[S]) -> None:
        self._kind: type[S] = kind

    @functools.cached_property
    def _found(self) -> dict[str, S]:
        return {name: board for name, board in _all().items() if isinstance(board, self._kind)}

    def __getitem__(self, name: str) -> S:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


BOARDS: Mapping[str, Board] = _Boards(Board)
"""Boards for which the open tools make bitstreams by name, the smallest first."""

VENDOR_BOARDS: Mapping[str, VendorBoard] = _Boards(VendorBoard)
"""The others of amaranth-boards."""


@functools.cache
def _all() -> dict[str, Board | VendorBoard]:
    spec = importlib.util.find_spec(_PACKAGE)
    folders = [] if spec is None or spec.submodule_search_locations is None else [
        (Path(spec.submodule_search_locations[0]), _PACKAGE)]
    found = [platform for folder, package in [*folders, (_OWN, "bitwright.boards.platforms")]
             for platform in read(folder, package)]
    siblings = collections.Counter(platform.module for platform in found)
    boards = [site(shown(platform, siblings[platform.module]), platform,
                   PlatformClass(platform.module, platform.name)) for platform in found]
    boards.sort(key=lambda board: (board.part.luts if isinstance(board, Board) else 0, board.name))
    return {board.name: board for board in boards}


def get(text: str) -> Board:
    """The board that a text names, as :func:`find` does, for which the open tools make bitstreams.

    Raises
    ------
    BoardError
        As :func:`find` does, and if they do not.
    MissingError, OSError
        As :func:`find` does.
    """
    board = find(text)
    if isinstance(board, VendorBoard):
        raise BoardError(f"{text}: only {board.tool} makes bitstreams for {board.maker} "
                         f"{board.device}; write a project for it with --project DIR")
    return board


def find(text: str) -> Board | VendorBoard:
    """The board that a text names.

    Parameters
    ----------
    text : str
        A name that is known here, a file of one's own board (``NAME.toml``), or a Platform class
        (``MODULE:CLASS``).

    Raises
    ------
    BoardError
        If there is none, or something is wrong with it.
    MissingError
        If the package that has the boards is not installed.
    OSError
        If the file cannot be read.
    """
    if text.endswith(".toml"):
        return own.load(Path(text))
    if ":" in text:
        return dotted.load(text)
    return _named(text)


def label(text: str) -> str:
    """What the board that a text names is called, in names of folders: a name as it is, known or
    not. As :func:`find` where it is no name."""
    return find(text).name if ":" in text or text.endswith(".toml") else text


def _named(name: str) -> Board | VendorBoard:
    if name in _all():
        return _all()[name]
    if importlib.util.find_spec(_PACKAGE) is None:
        raise missing(_PACKAGE)
    near = difflib.get_close_matches(name, _all(), n=2, cutoff=0.4)
    hint = (f"did you mean {' or '.join(repr(other) for other in near)}?" if near
            else "`bitwright boards` lists those that there are")
    shown = name if name and name.isprintable() else repr(name)
    raise BoardError(f"{shown}: no such board; {hint}")
