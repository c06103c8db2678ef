"""Finding the frozen network that a command's NETWORK argument means."""

from __future__ import annotations

import difflib
import logging
import os
from pathlib import Path
from typing import NoReturn

import bitwright
from bitwright.errors import UserError

__all__ = ["FILE_NAME", "HELP", "LocateError", "locate", "name", "title"]

logger = logging.getLogger(__name__)

FILE_NAME = "network.safetensors"
"""Name of the frozen network in a run folder."""

SUFFIX = ".safetensors"
RUNS = Path("runs")
ZOO = next((folder / "zoo" for folder in map(Path, bitwright.__path__)
            if (folder / "zoo").is_dir()), Path("zoo"))

HELP = ("a frozen network: a file, a run folder, or the name of a run or of one of the zoo "
        "(default: the newest run)")
"""Help text of the argument, the same for every command."""


class LocateError(UserError):
    """There is no such network. The message says what there is, or what to run."""


def locate(argument: str | None) -> Path:
    """Path of the frozen network that a user means.

    A run goes before a network of the zoo: it is the user's own. Where both have the name, a line
    of the log says which was taken.

    Parameters
    ----------
    argument : str, optional
        A file, a folder that holds ``network.safetensors``, the name of a run (a folder of
        ``runs``), or a name of the zoo, with or without ``zoo/`` before it. Left out: the newest
        run.

    Raises
    ------
    LocateError
        If there is no such network, or the file is of another kind. The message says what to run.
    OSError
        If the file cannot be read.
    """
    if argument is None:
        return _newest()
    path = Path(argument)
    if path.is_file():
        if path.suffix != SUFFIX and not _begins_well(path):
            raise LocateError(f"{argument}: a file of another kind; the first argument is {HELP}")
        return path
    found = [file for file in _candidates(argument) if file.is_file()]
    if not found:
        _refuse(argument)
    if len(found) > 1:
        logger.info("%s: took %s; also of that name: %s", argument, found[0],
                    ", ".join(map(str, found[1:])))
    return found[0]


def _begins_well(path: Path) -> bool:
    """Whether a file begins as safetensors do: a length of eight bytes, then an object of JSON."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _candidates(argument: str) -> list[Path]:
    """Files that a name may mean, the first of them before the others."""
    path = Path(argument)
    zoo = ZOO / f"{argument.removeprefix('zoo/').removesuffix('.safetensors')}.safetensors"
    own = [path / FILE_NAME]
    if len(path.parts) == 1:
        own.append(RUNS / path / FILE_NAME)
    return [*own, zoo]


def _refuse(argument: str) -> NoReturn:
    for folder in (Path(argument), RUNS / argument):
        if folder.is_dir():
            raise LocateError(f"{folder}: the folder holds no {FILE_NAME}; a run that was stopped "
                              f"goes on with `bitwright train --resume --out {folder}`")
    wanted = argument.removeprefix("zoo/").removesuffix(".safetensors")
    zoo = sorted(file.stem for file in ZOO.glob("*.safetensors"))
    near = difflib.get_close_matches(wanted, zoo, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; the zoo has {', '.join(zoo) or 'none'}"
    raise LocateError(f"{argument}: no such file, run folder or zoo network{hint}")


def name(path: Path) -> str:
    """What a network that :func:`locate` found is called: its run, or its file."""
    return path.parent.name if path.name == FILE_NAME else path.stem


def title(path: Path) -> str:
    """Its name as text, whatever letters the locale has: what is no UTF-8 is escaped."""
    return os.fsencode(name(path)).decode("utf-8", "backslashreplace")


def _newest() -> Path:
    found = sorted(RUNS.glob(f"*/{FILE_NAME}"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise LocateError("no network yet: run `bitwright train` first, or name one of "
                          "the zoo, such as zoo/digits")
    return found[-1]
