"""A table of text to train on, read character by character, as docs/own-data.md says."""

from __future__ import annotations

import math
import re
import struct

__all__ = ["Refused", "read"]


NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


class Refused(Exception):
    """The page forbids it."""


def read(content: bytes) -> tuple[list[list[float]], list[str]]:
    """Numbers of each row, as binary32 has them, and labels: the last column.

    Raises
    ------
    Refused
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("no UTF-8") from error
    text = text.removeprefix("\ufeff")
    rows = [row for row in split(text, separator(text))
            if len(row) > 1 or (row and row[0].strip())]
    if not rows:
        raise Refused("empty")
    names = None
    first = [cell.strip() for cell in rows[0]]
    if len(first) > 1 and first in ([str(n) for n in range(len(first))],
                                    [str(n + 1) for n in range(len(first))]):
        raise Refused("counts")
    if not any(NUMBER.fullmatch(cell) or cell.lower() in ("?", "na", "nan") for cell in first):
        names = first[:-1]
        rows = rows[1:]
    if len(first) < 2 or not rows:
        raise Refused("too few")
    if names is not None and not first[-1]:
        raise Refused("names")
    if names is not None and (len(set(names)) < len(names) or not all(
            0 < len(name) <= 1000 and name.isprintable() for name in names)):
        raise Refused("names")
    values, labels = [], []
    for row in rows:
        if len(row) != len(first):
            raise Refused("width")
        numbers = [number(cell.strip()) for cell in row[:-1]]
        if None in numbers:
            raise Refused("number")
        label = row[-1].strip()
        if label.lower() in ("", "?", "na", "nan") or not label.isprintable() or len(label) > 1000:
            raise Refused("label")
        values.append(numbers)
        labels.append(label)
    if len(set(labels)) < 2 or min(map(labels.count, labels)) < 2:
        raise Refused("classes")
    return values, labels


def number(cell: str) -> float | None:
    """What a cell holds, rounded to binary32; None if that is no finite number."""
    if not NUMBER.fullmatch(cell):
        return None
    try:
        value = struct.unpack("<f", struct.pack("<f", float(cell)))[0]
    except OverflowError:
        return None
    return None if math.isinf(value) else value


def separator(text: str) -> str:
    line = next((line for line in re.split("\r\n|\r|\n", text) if line.strip()), "")
    outside, quoted = "", False
    parts = line.strip().split('"')
    for index, part in enumerate(parts):  # every second one lies between two quotes
        quoted = index % 2 == 1 and index < len(parts) - 1
        if not quoted:
            outside += part
    return next((mark for mark in "\t;," if mark in outside), ",")


def split(text: str, mark: str) -> list[list[str]]:
    """Rows of cells. A cell that begins with a quote ends with one, and two of them mean one."""
    rows, row, cell = [], [], ""
    state = "start"  # of a cell; then "plain", "quoted", "closed"
    position, begun = 0, False
    while position < len(text):
        char = text[position]
        position += 1
        if state == "quoted":
            if char == '"':
                state = "closed"
            else:
                cell += char
        elif char in "\r\n":
            if char == "\r" and text[position : position + 1] == "\n":
                position += 1
            if begun:
                rows.append([*row, cell])
            row, cell, state, begun = [], "", "start", False
            continue
        elif char == mark:
            row.append(cell)
            cell, state = "", "start"
        elif state == "closed":
            if char != '"':
                raise Refused("behind a quote")
            cell += char
            state = "quoted"
        elif state == "start" and char == '"':
            state = "quoted"
        else:
            cell += char
            state = "plain"
        begun = True
        if len(cell) > 131072:
            raise Refused("long")
    if state == "quoted":
        raise Refused("open quote")
    if begun:
        rows.append([*row, cell])
    return rows
