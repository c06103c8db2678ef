"""Texts with places to fill."""

from __future__ import annotations

import re

__all__ = ["fill", "table"]


def fill(text: str, **values: object) -> str:
    """Put values in the places of a text. A place is a name between at signs.

    Verilog, Tcl and make are full of braces and dollar signs, and have no at sign before a name
    with another behind it.

    Raises
    ------
    KeyError
        If a place has no value.
    """
    return re.sub(r"@(\w+)@", lambda place: str(values[place[1]]), text)


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows as lines in which the columns stand below each other; the last one is not padded."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return ["".join(f"{cell:<{width}} " for cell, width in zip(row, [*widths, 0], strict=True)
                    ).rstrip() for row in rows]
