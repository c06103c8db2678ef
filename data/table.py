"""Tables of text: .csv, .tsv, .txt. Every cell is a number as it is read here, or is refused."""

from __future__ import annotations

import csv
import difflib
import itertools
import logging
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitwright.data.cells import Integers, Reals
from bitwright.data.dataset import DataError
from bitwright.data.precision import check_precision
from bitwright.data.samples import MISSING, NUMBER, Samples, check_size, quoted, told
from bitwright.data.source import Source
from bitwright.ir.names import sound

logger = logging.getLogger(__name__)

__all__ = ["COMMENT", "SUFFIXES", "Layout", "find_column", "labelled", "read_table"]

SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".dat")

MAX_TEXT = 1 << 30
"""Bytes of a file."""

MAX_COLUMNS = (1 << 24) - 1

_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " "}

COMMENT = "; line 1 begins with #, and a table has no comments: take it out"
"""What to say where such a line was taken for another."""

_HOW_WORDS = "; source.label names the column of the labels, source.ignore leaves columns out"

_HOW_MISSING = ('; source.missing = "median" puts the median of its column there, "drop" leaves '
                "the line out")


@dataclass(frozen=True)
class Layout:
    """Which columns of a table are what, each by its index.

    Parameters
    ----------
    features : tuple of int
    label, group : int, optional
    """

    features: tuple[int, ...]
    label: int | None = None
    group: int | None = None


Choose = Callable[[tuple[str, ...], int], Layout]
"""Finds the columns, given the header (empty where there is none) and how many columns there are.
"""


def labelled(path: Path, source: Source) -> Choose:
    """Columns of a file to train on: a label column, and all that is not left out."""

    def choose(header: tuple[str, ...], width: int) -> Layout:
        def find(text: str, key: str) -> int:
            return find_column(path, header, width, text, key)

        ignored = {find(text.strip(), "ignore") for text in source.ignore.split(",")
                   if text.strip()}
        if source.label:
            label = find(source.label, "label")
        else:
            label = max(set(range(width)) - ignored, default=width - 1)
            if header and not header[label]:  # a line that ends with a separator
                raise _nameless(path, label)
        group = find(source.group, "group") if source.group else None
        if group == label:
            raise DataError(f"{path}: column {group + 1} cannot be source.group and the label")
        left = [index for index in range(width) if index not in {label, group, *ignored}]
        if not left:
            raise DataError(f"{path}: must have a column beside the label that source.ignore does "
                            f"not leave out, of {width} in all")
        return Layout(tuple(left), label, group)

    return choose


def _nameless(path: Path, index: int) -> DataError:
    return DataError(f"{path}: column {index + 1} must have a name, as the others; "
                     f'source.ignore = "{index + 1}" leaves it out')


def find_column(path: Path, header: tuple[str, ...], width: int, text: str, key: str) -> int:
    """Index of the column that a setting names, by its name or else its number from 1.

    Raises
    ------
    DataError
        If there is none, or there are two of that name.
    """
    if header.count(text) > 1:
        raise DataError(f"{path}: source.{key} = {quoted(text)} names {header.count(text)} "
                        "columns; give a number from 1")
    if text in header:
        return header.index(text)
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= width:
        return int(text) - 1
    near = difflib.get_close_matches(text, header, n=1)
    hint = (f"did you mean {near[0]!r}?" if near else f"there are {width} columns"
            + (f", the first is {quoted(header[0])}" if header else " without names"))
    raise DataError(f"{path}: source.{key} = {quoted(text)} names no column; {hint}")


def read_table(path: Path, source: Source, choose: Choose,
               cells: Reals | Integers | None = None) -> Samples:
    """Read a table.

    Parameters
    ----------
    path : Path
    source : Source
        ``header``, ``separator`` and ``missing`` say how.
    choose : callable
        See :data:`Choose`.
    cells : Reals or Integers, optional
        What features are. Left out, for a file to train on: numbers, and missing ones as the source
        says.

    Raises
    ------
    DataError
        If it is no table, or a cell that is needed is not as it must be. Names line and column.
    OSError
        If it cannot be read.
    """
    try:
        check_size(path, "a table", path.stat().st_size, MAX_TEXT)
        with path.open(encoding="utf-8-sig", newline="") as file:
            how = cells or Reals(source.missing != "refuse", _HOW_MISSING, _HOW_WORDS)
            return _Reader(path, source, choose, how, file, labelled=cells is None).read()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: must be text in UTF-8") from error


class _Reader:
    """One table while it is read."""

    def __init__(self, path: Path, source: Source, choose: Choose, cells: Reals | Integers,
                 lines: Iterator[str], *, labelled: bool) -> None:
        self.path, self.source, self.choose = path, source, choose
        self.cells, self.lines, self.labelled = cells, lines, labelled
        self.header: tuple[str, ...] = ()
        # As they are in the file where it is seen what binary32 makes of them.
        self.values = array("d" if labelled else "f")
        self.labels, self.groups = list[str](), list[str]()
        self.places, self.breaks, self.dropped = list[str](), set[int](), 0

    def read(self) -> Samples:
        rows = self._rows()
        number, first = next(rows, (0, []))
        if not first:
            raise DataError(f"{self.path}: holds no sample")
        width = len(first)
        if self._is_header(first):
            self.header = tuple(cell.strip() for cell in first)
        else:
            rows = itertools.chain([(number, first)], rows)
        if width == 1 and self.labelled:
            raise self._one_column(first[0])
        layout = self.choose(self.header, width)
        columns = self._names(layout)
        for number, row in rows:
            if len(row) != width:
                raise DataError(f"{self.path}: line {number} must have {width} columns, not "
                                f"{len(row)}" + (COMMENT if first[0].startswith("#") else ""))
            self._take(number, row, layout)
        if not self.places:
            raise DataError(f"{self.path}: holds no sample")
        if self.dropped:
            logger.info("%s: %d of %d lines dropped: a value is missing", self.path, self.dropped,
                        self.dropped + len(self.places))
        values = np.frombuffer(self.values, self.values.typecode).reshape(
            len(self.places), len(layout.features))
        if self.labelled:
            check_precision(str(self.path), values, columns, self.source.bits)
        return Samples(str(self.path), values.astype(np.float32, copy=False)[:, None],
                       None if layout.label is None else self.labels, self.places, columns,
                       self._title(layout.label), None if layout.group is None else self.groups,
                       frozenset(self.breaks))

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number of the line, and cells, of each line that is not empty."""
        first = ""
        before = []
        for line in self.lines:
            before.append(line)
            if line.strip():
                first = line
                break
        separator = self.separator = self._separator(first)
        lines: Iterator[str] = itertools.chain(before, self.lines)
        if separator == " ":
            lines = (f"{line.strip()}\n" for line in lines)
        reader = csv.reader(lines, delimiter=separator, strict=True,
                            skipinitialspace=separator == " ")
        try:
            for row in reader:
                if len(row) > 1 or (row and row[0].strip()):
                    yield reader.line_num, row
        except csv.Error as error:
            raise DataError(f"{self.path}: line {reader.line_num}: {told(error)}") from error

    def _one_column(self, cell: str) -> DataError:
        """What is wrong with a table of one column, as far as its first cell tells."""
        what = f"{self.path}: must have a column beside the label, not 1 in all"
        if not all(char.isprintable() or char.isspace() for char in cell):
            return DataError(f"{what}; the first line holds characters of no text")
        if cell.startswith("#"):
            return DataError(f"{what}{COMMENT}")
        mark = next(name for name, mark in _SEPARATORS.items() if mark == self.separator)
        return DataError(f"{what}; its separator was taken to be a {mark}, source.separator names "
                         "another")

    def _separator(self, line: str) -> str:
        if self.source.separator != "auto":
            return _SEPARATORS[self.source.separator]
        bare = re.sub(r'"[^"]*"', "", line.strip())
        near = [one for one in "\t;," if one in bare]
        if not near and self.path.suffix.lower() != ".csv" and " " in bare:
            return " "
        return near[0] if near else ","

    def _is_header(self, row: list[str]) -> bool:
        if self.source.header != "auto":
            return self.source.header == "yes"
        cells = [cell.strip() for cell in row]
        if self.labelled and len(cells) > 1 and cells in ([str(n) for n in range(len(cells))],
                                        [str(n + 1) for n in range(len(cells))]):
            raise DataError(f"{self.path}: line 1 counts its columns; say whether it names them "
                            'with source.header = "yes" or "no"')
        # "Na" is sodium, and no number that is missing.
        return not any(NUMBER.fullmatch(cell) or (cell.lower() in MISSING[1:] and cell != "Na")
                       for cell in cells)

    def _names(self, layout: Layout) -> tuple[str, ...]:
        names = [self.header[index] for index in layout.features] if self.header else []
        counts = Counter(names)
        for index, name in zip(layout.features, names, strict=False):
            if not name:
                raise _nameless(self.path, index)
            if not sound(name):
                raise DataError(f"{self.path}: name of column {index + 1} must be text of at most "
                                f"1000 characters on one line, not {quoted(name)}")
            if counts[name] > 1:
                raise DataError(f"{self.path}: names of columns must differ, and {quoted(name)} is "
                                f"there {counts[name]} times")
        return tuple(names)

    def _title(self, index: int | None) -> str:
        return (self.header[index] if self.header and index is not None else "") or "label"

    def _take(self, number: int, row: list[str], layout: Layout) -> None:
        """Keep a row, unless it is dropped."""
        numbers = self.cells.row([row[index] for index in layout.features])
        if numbers is None:
            numbers = [self._number(number, index, row[index]) for index in layout.features]
        lacks = any(value != value for value in numbers)
        label = None if layout.label is None else row[layout.label].strip()
        group = None if layout.group is None else row[layout.group].strip()
        for index, text in ((layout.label, label), (layout.group, group)):
            if index is not None and text is not None and text.lower() in MISSING:
                if index == layout.label and not self.labelled:
                    label = ""  # what a network is asked, nobody has to know
                    continue
                if self.source.missing != "drop":
                    found = repr(text) if text else "nothing"
                    what = "label" if index == layout.label else "recording"
                    raise self._wrong(number, index, f"must name a {what}, not be {found}")
                lacks = True
        if lacks and self.source.missing == "drop":
            self.breaks.add(len(self.places))
            self.dropped += 1
            return
        self.values.extend(numbers)
        self.places.append(f"line {number}")
        if label is not None:
            self.labels.append(label)
        if group is not None:
            self.groups.append(group)

    def _number(self, line: int, index: int, cell: str) -> float:
        try:
            return self.cells.cell(cell.strip())
        except ValueError as error:
            raise self._wrong(line, index, str(error)) from error

    def _wrong(self, line: int, index: int, rule: str) -> DataError:
        name = f" {quoted(self.header[index])}" if self.header and self.header[index] else ""
        return DataError(f"{self.path}: line {line}, column {index + 1}{name} {rule}")
