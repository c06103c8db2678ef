"""Boards of Platform classes: those of a package that were read, and one by its dotted name."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitwright.boards.board import Board, VendorBoard
from bitwright.boards.reader import Platform
from bitwright.hw.families import FAMILIES, Family, Part, PartError
from bitwright.hw.rate import default

__all__ = ["PlatformClass", "site"]

MAKERS = {
    "XilinxPlatform": ("Xilinx", "Vivado"),
    "IntelPlatform": ("Altera", "Quartus"), "AlteraPlatform": ("Altera", "Quartus"),
    "GowinPlatform": ("Gowin", "Gowin EDA"),
    "QuicklogicPlatform": ("QuickLogic", "QORC SDK"),
    "LatticeICE40Platform": ("Lattice", "iCEcube2"), "SiliconBluePlatform": ("Lattice", "iCEcube2"),
    "LatticeECP5Platform": ("Lattice", "Diamond"),
    "LatticeMachXO2Platform": ("Lattice", "Diamond"),
    "LatticeMachXO3LPlatform": ("Lattice", "Diamond"),
    "LatticePlatform": ("Lattice", "Radiant"),
}
"""Class of ``amaranth.vendor``, the maker of its devices and his program."""

_BEFORE_VIVADO = ("xc3s", "xc6s")

# Of boards whose platform does more than run one program, or runs none.
PROGRAMS: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True)
class PlatformClass:
    """A platform class that can be imported.

    Parameters
    ----------
    module, name : str
    sources : tuple of Path
        Files of one's own that it is made of: part of what a build is known by.
    """

    module: str
    name: str
    sources: tuple[Path, ...] = ()

    def platform(self, toolchain: str | None) -> Any:
        """See :class:`boards.board.Source`."""
        cls = getattr(importlib.import_module(self.module), self.name)
        return cls() if toolchain is None else cls(toolchain=toolchain)


def site(name: str, found: Platform, source: PlatformClass) -> Board | VendorBoard:
    """The board of a platform class.

    Parameters
    ----------
    name : str
        What it is called.
    found : Platform
        What is known of the class.
    source : PlatformClass
    """
    values = found.values
    device = values.get("part") or values["device"]
    clock = 0 if found.clock_hz is None else round(found.clock_hz)
    known = {"name": name, "clock_hz": clock, "baud": default(clock) if clock else 0,
             "uart": ("uart", 0) if found.uart else None, "source": source}
    title = found.name.removesuffix("Platform").strip("_").replace("_", " ")
    for family, part in _parts(values):
        return Board(**known, title=f"{title}, {part.name}", family=family, part=part,
                     program=PROGRAMS.get(name, found.program))
    maker, tool = MAKERS[found.base]
    if device.lower().startswith(_BEFORE_VIVADO):
        tool = "ISE"
    return VendorBoard(**known, title=f"{title}, {device}", device=device, maker=maker, tool=tool)


def _parts(values: Any) -> Iterator[tuple[Family, Part]]:
    """The part of a platform, if a family has it."""
    for family in FAMILIES.values():
        if "part" in values:
            part = family.named(values["part"])
            if part is not None:
                yield family, part
        elif family.parts is not None:
            with contextlib.suppress(PartError):
                yield family, family.part(values["device"], values.get("package", ""),
                                          values.get("speed", ""))
