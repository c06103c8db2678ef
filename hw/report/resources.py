"""Counting the cells of a netlist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bitwright.hw.families import Family
from bitwright.hw.families.resources import Resources

__all__ = ["OTHER", "Cells", "count", "logic_cells"]

OTHER = "other"
"""Part of the cells that belong to no named one: clock, reset, and glue between the parts."""

Cells = Mapping[str, Mapping[str, Any]]
"""Cells of a module as Yosys writes them to JSON."""


def count(cells: Cells, family: Family, label: str, parts: Sequence[str]) -> dict[str, Resources]:
    """Resources by part.

    Parameters
    ----------
    cells : mapping
    family : Family
    label : str
        Attribute of a cell that holds the number of its part, counted from 1.
    parts : sequence of str
        Names of the parts by that number. What has no label is counted as ``"other"``.

    Raises
    ------
    ValueError
        If there is a cell that the family knows nothing of, which would not be counted.
    """
    totals = dict.fromkeys((*parts, OTHER), Resources())
    for name, cell in cells.items():
        index = int(cell["attributes"].get(label, "0"), 2)
        part = parts[index - 1] if index else OTHER
        totals[part] += _cost(name, cell["type"], family)
    return totals


def _cost(name: str, kind: str, family: Family) -> Resources:
    if kind in family.costs:
        return family.costs[kind]
    if kind in family.free or kind.startswith("$"):  # $scopeinfo and the like: no logic
        return Resources()
    raise ValueError(f"Cell {name!r} has the type {kind!r}, which cannot be counted for "
                     f"{family.name}")


def logic_cells(cells: Cells, family: Family) -> int:
    """Logic cells that a netlist needs at least.

    Where a logic cell is a LUT and a flip-flop behind it, a flip-flop shares the cell of a LUT
    that drives nothing else, and any other needs a cell of its own. Elsewhere this is the number
    of LUTs or that of flip-flops, whichever is larger.
    """
    total = sum((_cost(name, cell["type"], family) for name, cell in cells.items()), Resources())
    pair = family.pair
    if pair is None:
        return max(total.luts, total.flip_flops)
    readers: dict[int, int] = {}
    for cell in cells.values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) == "input":
                for bit in bits:
                    readers[bit] = readers.get(bit, 0) + 1
    driven = {cell["connections"][pair.output][0] for cell in cells.values()
              if cell["type"] == pair.lut}
    data = [cell["connections"][pair.data][0] for cell in cells.values()
            if cell["type"] in pair.flip_flops]
    shared = sum(1 for bit in data if bit in driven and readers[bit] == 1)
    return total.luts + total.flip_flops - shared
