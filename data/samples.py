"""Samples as a file holds them, before anything is fitted or split."""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright.data.dataset import DataError

__all__ = ["DAMAGED", "MAX_BYTES", "MISSING", "NUMBER", "REAL_LIMIT", "Samples", "check_size",
           "quoted", "told"]

MAX_BYTES = 1 << 31
"""Memory that the raw values of a file may take."""

NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
"""A number of a text file, in decimal digits."""

DAMAGED = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error,
           lzma.LZMAError, OSError, MemoryError)
"""What Python raises where a member of a zip file cannot be unpacked: bz2 an OSError without a
name."""

MISSING = ("", "?", "na", "nan")
"""What stands for a missing number, in small letters."""

REAL_LIMIT = float(2**128 - 2**103)
"""The least number that is rounded to no finite one of binary32."""

_SHOWN = 60
"""Characters of a value that a message shows."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Raw samples.

    Parameters
    ----------
    path : str
        Of the file or folder, for messages.
    values : array
        Numbers: float32, shape (samples, steps, columns), a missing one not-a-number. Pictures:
        uint8, shape (samples, height, width) or (samples, height, width, 3).
    labels : sequence of str, optional
        As text, whatever the task.
    places : sequence of str
        Where each sample is, for messages: ``line 7``, ``cat/3.png``.
    columns : tuple of str
        Names of the columns of numbers, or none.
    label : str
        What the column of the labels is called.
    groups : sequence of str, optional
        Recording of each sample.
    breaks : frozenset of int
        Rows of a table before which others were dropped: no window goes over them.
    """

    path: str
    values: NDArray[Any]
    labels: Sequence[str] | None
    places: Sequence[str]
    columns: tuple[str, ...] = ()
    label: str = "label"
    groups: Sequence[str] | None = None
    breaks: frozenset[int] = frozenset()

    @property
    def pictures(self) -> bool:
        """Whether they are pictures, not numbers."""
        return self.values.dtype == np.uint8

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: NDArray[np.int64]) -> Samples:
        """Some of them, in the order given."""
        def some(values: Sequence[str] | None) -> list[str] | None:
            return None if values is None else [values[int(index)] for index in indices]

        return replace(self, values=self.values[indices], labels=some(self.labels),
                       places=some(self.places) or [], groups=some(self.groups),
                       breaks=frozenset())


def quoted(text: str) -> str:
    """A value as a message shows it: one line, and not all of a long one."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def told(error: BaseException) -> str:
    """What another library says of a file, as a part of one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = text if len(text) <= 2 * _SHOWN else f"{text[: 2 * _SHOWN]}..."
    return text if text.isprintable() else ascii(text)[1:-1]


def check_size(path: Path | str, what: str, size: int, limit: int = MAX_BYTES) -> None:
    """Refuse what would take too much memory, before it takes it.

    Raises
    ------
    DataError
    """
    if size > limit:
        raise DataError(f"{path}: {what} must have at most {limit:,} bytes, not {size:,}")
