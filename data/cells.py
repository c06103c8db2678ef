"""Cells of a table of text: numbers, or the integers of a network, and nothing that looks like one.

``float`` and ``int`` of Python alone would take ``1_000``, digits of other alphabets and ``nan``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bitwright.data.samples import MISSING, NUMBER, REAL_LIMIT, quoted

__all__ = ["Integers", "Reals"]

_INTEGER = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)


@dataclass(frozen=True)
class Reals:
    """Numbers of binary32.

    Parameters
    ----------
    missing : bool
        Whether a missing one is taken, as not-a-number.
    hint : str
        What to do if it is not: the end of the message.
    words : str
        What to do where there is a word: the end of the message.
    """

    missing: bool
    hint: str = ""
    words: str = ""

    def row(self, cells: list[str]) -> list[float] | None:
        """Numbers of cells that hold nothing else, quickly; None if one may be something else."""
        text = "".join(cells)
        if not text.isascii() or "_" in text or "n" in text or "N" in text:
            return None
        try:
            numbers = list(map(float, cells))
        except ValueError:
            return None
        return None if max(numbers) >= REAL_LIMIT or min(numbers) <= -REAL_LIMIT else numbers

    def cell(self, text: str) -> float:
        """Number of one cell.

        Raises
        ------
        ValueError
            If it holds none. The message is the rule, and what is there.
        """
        if text.lower() in MISSING:
            if self.missing:
                return math.nan
            raise ValueError((f"is missing: {text!r}" if text else "is empty") + self.hint)
        if not NUMBER.fullmatch(text):
            if text.lower().lstrip("+-") in ("inf", "infinity"):
                raise ValueError(f"must be a finite number, not {text!r}")
            comma = NUMBER.fullmatch(text.replace(",", ".", 1))
            raise ValueError(f"must be a number, not {quoted(text)}"
                             + (" (decimals have a point, no comma)" if comma else "")
                             + (self.words if text.isalpha() else ""))
        value = float(text)
        if abs(value) >= REAL_LIMIT:
            raise ValueError(f"must be a number that binary32 holds, not {quoted(text)}")
        return value


@dataclass(frozen=True)
class Integers:
    """Integers of a range, both ends inclusive. ``3.0`` is one."""

    low: int
    high: int

    def row(self, cells: list[str]) -> list[float] | None:
        """As :meth:`Reals.row`."""
        text = "".join(cells)
        if not text.isascii() or "_" in text:
            return None
        try:
            numbers = list(map(int, cells))
        except ValueError:
            return None
        fits = min(numbers) >= self.low and max(numbers) <= self.high
        return list(map(float, numbers)) if fits else None

    def cell(self, text: str) -> float:
        """As :meth:`Reals.cell`."""
        if not text:
            raise ValueError("is empty")
        if not _INTEGER.fullmatch(text):
            raise ValueError(f"must be an integer, not {quoted(text)}")
        value = float(text)
        if not self.low <= value <= self.high:
            shown = text if len(text) <= 60 else f"{text[:60]}..."
            raise ValueError(f"must be between {self.low} and {self.high}, not {shown}")
        return value
