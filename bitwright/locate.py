"""Finding the frozen network that a command's NETWORK argument means."""

from __future__ import annotations

import difflib
from pathlib import Path

import bitwright
from bitwright.errors import UserError

__all__ = ["FILE_NAME", "HELP", "LocateError", "locate", "name"]

FILE_NAME = "network.safetensors"
"""Name of the frozen network in a run folder."""

RUNS = Path("runs")
ZOO = next((folder / "zoo" for folder in map(Path, bitwright.__path__)
            if (folder / "zoo").is_dir()), Path("zoo"))

HELP = ("a frozen network: a file, a run folder, or a name of the zoo "
        "(default: the newest run)")
"""Help text of the argument, the same for every command."""


class LocateError(UserError):
    """There is no such network. The message says what there is, or what to run."""


def locate(argument: str | None) -> Path:
    """Path of the frozen network that a user means.

    Parameters
    ----------
    argument : str, optional
        A file, a folder that holds ``network.safetensors``, or a name of the zoo, with or without
        ``zoo/`` before it. Left out: the newest run of the folder ``runs``.

    Raises
    ------
    LocateError
        If there is no such network. The message says what to run.
    """
    if argument is None:
        return _newest()
    path = Path(argument)
    if path.is_file():
        return path
    if path.is_dir():
        if (path / FILE_NAME).is_file():
            return path / FILE_NAME
        raise LocateError(f"{path}: the folder holds no {FILE_NAME}; a run that was stopped goes "
                          f"on with `bitwright train --resume --out {path}`")
    wanted = argument.removeprefix("zoo/").removesuffix(".safetensors")
    if (ZOO / f"{wanted}.safetensors").is_file():
        return ZOO / f"{wanted}.safetensors"
    zoo = sorted(file.stem for file in ZOO.glob("*.safetensors"))
    near = difflib.get_close_matches(wanted, zoo, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; the zoo has {', '.join(zoo) or 'none'}"
    raise LocateError(f"{argument}: no such file, run folder or zoo network{hint}")


def name(path: Path) -> str:
    """What a network that :func:`locate` found is called: its run, or its file."""
    return path.parent.name if path.name == FILE_NAME else path.stem


def _newest() -> Path:
    found = sorted(RUNS.glob(f"*/{FILE_NAME}"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise LocateError("no network yet: run `bitwright train` first, or name one of "
                          "the zoo, such as zoo/digits")
    return found[-1]
