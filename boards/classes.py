"""Boards of Platform classes: those of a package that were read, and one by its dotted name."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitwright.boards.board import Board, VendorBoard
from bitwright.boards.program import BITSTREAM
from bitwright.boards.reader import Platform
from bitwright.hw.families import FAMILIES, Family, Part, PartError
from bitwright.hw.families.family import Io
from bitwright.hw.rate import default

__all__ = ["PlatformClass", "site"]

_XILINX = ("Xilinx", "Vivado", Io("IOSTANDARD", "LVCMOS33"))
_ALTERA = ("Altera", "Quartus", Io("io_standard", "3.3-V LVTTL"))
_GOWIN = ("Gowin", "Gowin EDA", Io("IO_TYPE", "LVCMOS33"))
_QUICKLOGIC = ("QuickLogic", "QORC SDK", Io("IO_STANDARD", None))
_LATTICE = ("Lattice", "Diamond", Io("IO_TYPE", "LVCMOS33"))
_ICE40 = ("Lattice", "iCEcube2", Io("IO_STANDARD", None))

MAKERS = {
    "XilinxPlatform": _XILINX, "IntelPlatform": _ALTERA, "AlteraPlatform": _ALTERA,
    "GowinPlatform": _GOWIN, "QuicklogicPlatform": _QUICKLOGIC, "LatticeICE40Platform": _ICE40,
    "SiliconBluePlatform": _ICE40, "LatticeECP5Platform": _LATTICE,
    "LatticeMachXO2Platform": _LATTICE, "LatticeMachXO3LPlatform": _LATTICE,
    "LatticePlatform": _LATTICE,
}
"""By class of ``amaranth.vendor``: the maker of its devices, his program, and how pins say their
voltage."""

_OTHER_TOOLS = (("xc3s", "ISE"), ("xc6s", "ISE"), ("lifcl-", "Radiant"), ("lfd2nx-", "Radiant"),
                ("lfcpnx-", "Radiant"))
"""Beginnings of the names of devices that another program of their maker is for."""

# Of boards whose platform does more than run one program: arguments that it puts together, or files
# for OpenOCD that a build here does not make.
PROGRAMS = {
    "icebreaker-bitsy": ("dfu-util", "-d", ",1d50:6146", "-a", "0", "-R", "-D", BITSTREAM),
    "ecp5-5g-evn": ("openFPGALoader", "-b", "ecp5_evn", BITSTREAM),
}


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

    @property
    def chosen(self) -> Mapping[str, str]:
        """See :class:`boards.board.Source`."""
        return {}

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
    known: dict[str, Any] = {
        "name": name, "clock_hz": clock, "baud": default(clock) if clock else 0,
        "uart": ("uart", 0) if found.uart else None, "source": source}
    title = found.name.removesuffix("Platform").strip("_").replace("_", " ")
    for family, part in _parts(values):
        return Board(**known, title=f"{title}, {part.name}", family=family, part=part,
                     program=PROGRAMS.get(name, found.program))
    maker, tool, io = MAKERS[found.base]
    tool = next((other for start, other in _OTHER_TOOLS if device.lower().startswith(start)), tool)
    return VendorBoard(**known, title=f"{title}, {device}", device=device, maker=maker, tool=tool,
                       io=io)


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
