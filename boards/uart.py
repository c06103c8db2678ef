"""Pins of a serial line on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bitwright.boards.board import BoardError, Lines
from bitwright.hw.families.family import Io

__all__ = ["lines"]

_KEYS = ("rx", "tx", "standard")
_PIN = re.compile(r"\w+(:[\w+-]+)?", re.ASCII)
_STANDARD = re.compile(r"\w+", re.ASCII)


def lines(text: str, io: Io) -> Lines:
    """Pins that a text names.

    Parameters
    ----------
    text : str
        ``rx=PIN,tx=PIN``, and ``standard=NAME`` behind it where the voltage is another than usual.
    io : Io
        How the pins of the board say their voltage.

    Raises
    ------
    BoardError
        If it is of another form.
    """
    words: Mapping[str, str] = dict(
        word.partition("=")[::2] for word in text.replace(" ", "").split(","))
    if not {"rx", "tx"} <= set(words) <= set(_KEYS) or words["rx"] == words["tx"] \
            or not all(_PIN.fullmatch(words[key]) for key in ("rx", "tx")) \
            or not _STANDARD.fullmatch(words.get("standard", "usual")):
        raise BoardError(f"--uart must be rx=PIN,tx=PIN or rx=PIN,tx=PIN,standard=NAME, with two "
                         f"pins as seen from the device, not {text!r}")
    return Lines(words["rx"], words["tx"], io.attributes(words.get("standard")))
