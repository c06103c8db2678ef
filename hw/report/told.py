"""What the provenance of a network tells a report.

Another tool may have written what it likes there. What has not the form that training gives it is
not known, then, rather than a reason to fail.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bitwright import ir

__all__ = ["told"]


def told(network: ir.Network) -> dict[str, Any]:
    """``accuracy``, ``figures``, ``curve``, ``confusion`` and ``data``, each None if not known."""
    given = network.provenance
    figures = given.get("figures")
    return {
        "accuracy": _numbers(given.get("accuracy")),
        "figures": None if not isinstance(figures, Mapping) else {
            part: _figures(figures.get(part), network.classes) for part in ("validation", "test")},
        "curve": _curve(given.get("curve")),
        "confusion": None if network.answer else _matrix(given.get("confusion"), network.classes),
        "data": given.get("data") if isinstance(given.get("data"), Mapping) else None,
    }


def _number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _numbers(value: object) -> dict[str, float] | None:
    """Numbers by name, of an object."""
    if not isinstance(value, Mapping):
        return None
    return {name: number for name, number in value.items() if _number(number)}


def _figures(value: object, size: int) -> dict[str, Any] | None:
    """Numbers by name, and those of each class."""
    if not isinstance(value, Mapping):
        return None
    figures: dict[str, Any] = _numbers(value) or {}
    classes = value.get("per_class")
    if isinstance(classes, Mapping) and all(
            isinstance(row, list | tuple) and len(row) == size
            and all(number is None or _number(number) for number in row)
            for row in classes.values()):
        figures["per_class"] = {name: list(row) for name, row in classes.items()}
    return figures


def _curve(value: object) -> list[dict[str, float]] | None:
    """Numbers of each epoch."""
    if not isinstance(value, list | tuple):
        return None
    points = [_numbers(point) for point in value]
    return [point for point in points if point and "epoch" in point] or None


def _matrix(value: object, size: int) -> list[list[int]] | None:
    """Counts, a row a label."""
    if not isinstance(value, list | tuple) or len(value) != size:
        return None
    rows = [list(row) for row in value if isinstance(row, list | tuple) and len(row) == size]
    if len(rows) != size or not all(type(count) is int and count >= 0
                                    for row in rows for count in row):
        return None
    return rows
