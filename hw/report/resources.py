"""Counting the cells of a netlist."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["OTHER", "Resources", "count", "logic_cells"]

OTHER = "other"
"""Part of the cells that belong to no named one: clock, reset, and glue between the parts."""


@dataclass(frozen=True)
class Resources:
    """What logic needs of a device.

    Parameters
    ----------
    luts : int
        Look-up tables, those that serve as carry logic or small memories on ECP5 and Xilinx
        included.
    flip_flops : int
    carries : int
        Carry cells: on iCE40 beside a LUT each, on ECP5 two LUTs each (which are in ``luts``).
    memories : int
        Block RAMs.
    memory_kbit : int
        Capacity of those, in kbit.
    """

    luts: int = 0
    flip_flops: int = 0
    carries: int = 0
    memories: int = 0
    memory_kbit: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(getattr(self, field.name) + getattr(other, field.name)
                           for field in dataclasses.fields(self)))


_LUT = Resources(luts=1)
_FF = Resources(flip_flops=1)

_CELLS: dict[str, dict[str, Resources]] = {
    "ice40": {
        "SB_LUT4": _LUT,
        "SB_CARRY": Resources(carries=1),
        "SB_RAM40_4K": Resources(memories=1, memory_kbit=4),
    },
    "ecp5": {
        "LUT4": _LUT,
        "TRELLIS_FF": _FF,
        "CCU2C": Resources(luts=2, carries=1),
        # Two LUTs hold the contents, and the slice that writes them is of no other use.
        "TRELLIS_DPR16X4": Resources(luts=4),
        "DP16KD": Resources(memories=1, memory_kbit=18),
        "PDPW16KD": Resources(memories=1, memory_kbit=18),
    },
    "xilinx": {
        **{f"LUT{inputs}": _LUT for inputs in range(1, 7)},
        "SRL16E": _LUT,
        "SRLC32E": _LUT,
        "RAM32X1D": Resources(luts=2),
        "RAM64X1D": Resources(luts=2),
        "RAM128X1D": Resources(luts=4),
        "RAM32M": Resources(luts=4),
        "RAM64M": Resources(luts=4),
        **dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), _FF),
        "CARRY4": Resources(carries=1),
        "RAMB18E1": Resources(memories=1, memory_kbit=18),
        "RAMB36E1": Resources(memories=1, memory_kbit=36),
    },
}

_FREE = {
    # Wide multiplexers lie between the LUTs, and pads and clocks are no logic.
    "ice40": {"SB_IO", "SB_GB", "SB_GB_IO"},
    "ecp5": {"PFUMX", "L6MUX21", "TRELLIS_IO", "GSR", "SGSR", "IB", "OB", "OBZ", "BB"},
    "xilinx": {"MUXF7", "MUXF8", "INV", "BUFG", "IBUF", "OBUF"},
}

Cells = Mapping[str, Mapping]
"""Cells of a module as Yosys writes them to JSON."""


def count(cells: Cells, family: str, label: str, parts: Sequence[str]) -> dict[str, Resources]:
    """Resources by part.

    Parameters
    ----------
    cells : mapping
    family : str
    label : str
        Attribute of a cell that holds the number of its part, counted from 1.
    parts : sequence of str
        Names of the parts by that number. What has no label is counted as ``"other"``.

    Raises
    ------
    ValueError
        If there is a cell that this module knows nothing of, which would not be counted.
    """
    totals = dict.fromkeys((*parts, OTHER), Resources())
    for name, cell in cells.items():
        index = int(cell["attributes"].get(label, "0"), 2)
        part = parts[index - 1] if index else OTHER
        totals[part] += _cost(name, cell["type"], family)
    return totals


def _cost(name: str, kind: str, family: str) -> Resources:
    if kind in _CELLS[family]:
        return _CELLS[family][kind]
    if family == "ice40" and kind.startswith("SB_DFF"):
        return _FF
    if kind in _FREE[family] or kind.startswith("$"):  # $scopeinfo and the like: no logic
        return Resources()
    raise ValueError(f"Cell {name!r} has the type {kind!r}, which cannot be counted for {family}")


def logic_cells(cells: Cells, family: str) -> int:
    """Logic cells that a netlist needs at least.

    On iCE40 a logic cell is a LUT and a flip-flop behind it: a flip-flop shares the cell of a LUT
    that drives nothing else, and any other needs a cell of its own. Elsewhere this is the number
    of LUTs or that of flip-flops, whichever is larger.
    """
    total = sum((_cost(name, cell["type"], family) for name, cell in cells.items()), Resources())
    if family != "ice40":
        return max(total.luts, total.flip_flops)
    readers: dict[int, int] = {}
    for cell in cells.values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) == "input":
                for bit in bits:
                    readers[bit] = readers.get(bit, 0) + 1
    driven = {cell["connections"]["O"][0] for cell in cells.values() if cell["type"] == "SB_LUT4"}
    shared = sum(1 for cell in cells.values() if cell["type"].startswith("SB_DFF")
                 and cell["connections"]["D"][0] in driven
                 and readers[cell["connections"]["D"][0]] == 1)
    return total.luts + total.flip_flops - shared
