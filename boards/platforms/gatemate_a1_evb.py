"""Olimex GateMateA1-EVB.

Pins from its schematic (github.com/OLIMEX/GateMateA1-EVB, revision A): an RP2040 configures the
device and is its serial line over USB.
"""

from __future__ import annotations

import subprocess
from typing import Any

from amaranth.build import Attrs, Clock, Connector, Pins, PinsN, Resource, Subsignal

from bitwright.boards.platforms.gatemate import GateMatePlatform

__all__ = ["GateMateA1EVBPlatform"]


class GateMateA1EVBPlatform(GateMatePlatform):
    device = "CCGM1A1"
    default_clk = "clk10"
    resources = [
        Resource("clk10", 0, Pins("IO_SB_A8", dir="i"), Clock(10e6),
                 Attrs(SCHMITT_TRIGGER="true")),
        Resource("led", 0, PinsN("IO_SB_B6", dir="o")),
        Resource("button", 0, PinsN("IO_SB_B7", dir="i")),
        Resource("uart", 0,
                 Subsignal("rx", Pins("IO_SA_A6", dir="i")),
                 Subsignal("tx", Pins("IO_SA_B6", dir="o"))),
    ]
    connectors = [
        Connector("pmod", 0, "IO_EA_A4 IO_EA_A5 IO_EA_A6 IO_EA_A7 - - "
                             "IO_EA_B4 IO_EA_B5 IO_EA_B6 IO_EA_B7 - -"),
    ]

    def toolchain_program(self, products: Any, name: str) -> None:
        with products.extract(f"{name}.bit") as bitstream:
            subprocess.check_call(["openFPGALoader", "-c", "dirtyJtag", bitstream])
