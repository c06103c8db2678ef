"""How a command begins and ends: arguments that several have, and the one place where errors become
one line and an exit status."""

from __future__ import annotations

import argparse
import io
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from bitwright.errors import UsageError, UserError
from bitwright.extras import named

__all__ = ["above_zero", "add_data_dir", "guarded", "natural", "positive", "share"]

logger = logging.getLogger(__name__)


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """The argument that says where data sets are looked for."""
    parser.add_argument("--data-dir", metavar="DIR", type=Path,
        help="look for the data set in DIR first (default: $BITWRIGHT_DATA, then "
             "~/.cache/bitwright)")


def positive(text: str) -> int:
    """An argument that counts something, at least 1."""
    return _at_least(1, text)


def natural(text: str) -> int:
    """An argument that counts something, at least 0."""
    return _at_least(0, text)


def above_zero(text: str) -> float:
    """An argument that is a number above 0."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from error
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be more than 0, not {text}")
    return value


def share(text: str) -> float:
    """An argument that is a part of something, above 0 and at most 1."""
    value = above_zero(text)
    if value > 1:  # such as percent
        raise argparse.ArgumentTypeError(f"must be at most 1, not {text}")
    return value


def _at_least(least: int, text: str) -> int:
    try:
        value = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be an integer, not {text!r}") from error
    if value < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, not {value}")
    return value


def guarded(work: Callable[[], int | None], *, interrupted: str = "interrupted") -> int:
    """Run the work of a command.

    Logs go to stderr, a line each. A character that the terminal's encoding lacks is escaped.

    Parameters
    ----------
    work : callable
        Returns the exit status, or None for 0.
    interrupted : str
        What to say after Ctrl-C: how to go on.

    Returns
    -------
    int
        0 done, 1 failed with one line that a user can act on, 2 arguments that do not go together.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not in a notebook
            stream.reconfigure(errors="backslashreplace")
    try:
        with named():
            return work() or 0
    except UserError as error:
        logger.error("%s", error)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        logger.error("%s%s", name, error.strerror or error)
        return 1
    except KeyboardInterrupt:
        logger.error("%s", interrupted)
        return 1
