"""The parts of a design whose resources are counted apart: exact places in its hierarchy."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BOARD", "PATHS", "modules", "part_of"]

BOARD = "board"
"""Module of a board's whole design."""

_INSIDE = {part: f"ip.{part}" for part in ("encoder", "core", "head")}

PATHS = {**{part: f"serial.axi.{path}" for part, path in _INSIDE.items()}, "link": "serial.link"}
"""Instance of each part below a board's module, as cells of a flattened netlist name it."""


def modules(name: str) -> dict[str, str]:
    """Module of each part, where the block's own has the name.

    Amaranth names a module by its place, so that no node of a network, whatever it is called, has
    the name of a part, and no two blocks have a module in common.
    """
    return {**{part: f"{name}.{path}" for part, path in _INSIDE.items()},
            "link": f"{BOARD}.serial.link"}


def part_of(cell: str, paths: Mapping[str, str], other: str) -> str:
    """Part that a cell of a flattened netlist belongs to."""
    return next((part for part, path in paths.items() if cell.startswith(f"{path}.")), other)
