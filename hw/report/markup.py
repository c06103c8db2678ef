"""Pieces of the page."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["MISSING", "cell", "deep", "drawing", "escaped", "scaled", "svg", "table"]

MISSING = "not measured"


def escaped(value: object) -> str:
    """Text of the page."""
    return html.escape(str(value))


def cell(value: float | None, form: str = ",.0f", unit: str = "") -> str:
    """A figure for a cell; what was not measured is never shown as a number."""
    if value is None:
        return f'<span class="none">{MISSING}</span>'
    return f"{value:{form}}{unit}"


def scaled(value: float | None, scale: float, form: str, unit: str) -> str:
    """A figure for a cell, in another unit."""
    return cell(None if value is None else value * scale, form, unit)


def deep(value: Any, *path: str) -> Any:
    """A value deep inside the report, None as soon as anything on the way is."""
    for key in path:
        if value is None:
            return None
        value = value.get(key)
    return value


def table(head: Sequence[str], rows: Sequence[Sequence[str]], total: bool = False) -> str:
    """A table of cells; ``total`` sets the last row apart."""
    lines = ["<table>"]
    if head:
        lines.append("<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>")
    for index, row in enumerate(rows):
        kind = ' class="total"' if total and index == len(rows) - 1 else ""
        lines.append(f"<tr{kind}>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>")
    return "\n".join([*lines, "</table>"])


def drawing(width: float, height: float) -> tuple[Any, Any]:
    """An empty figure, and its axes. The figure belongs to nobody: there is no global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def svg(figure: Any, label: str) -> str:
    """The figure as an element of the page, the same bytes each time."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": label, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", transparent=True,
                       metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    # Names of glyphs and paths must not meet those of the page's other pictures.
    prefix = re.sub(r"\W+", "-", label)
    text = re.sub(r'\b(id=")', rf"\1{prefix}-", text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{prefix}-", text)
    return text[text.index("<svg"):].replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
