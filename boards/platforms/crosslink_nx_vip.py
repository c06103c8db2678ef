"""Lattice CrossLink-NX VIP sensor input board, LIFCL-VIP-SI-EVN.

Pins from its user guide (FPGA-EB-02029); the 12 MHz need jumper JP2.
"""

from __future__ import annotations

import subprocess
from typing import Any

from amaranth.build import Attrs, Clock, Connector, Pins, PinsN, Resource, Subsignal
from amaranth.vendor import LatticePlatform

__all__ = ["CrossLinkNXVIPPlatform"]


class CrossLinkNXVIPPlatform(LatticePlatform):
    device = "LIFCL-40"
    package = "BG400"
    speed = "9"
    default_clk = "clk12"
    resources = [
        Resource("clk12", 0, Pins("L16", dir="i"), Clock(12e6), Attrs(IO_TYPE="LVCMOS33")),
        Resource("uart", 0,
                 Subsignal("rx", Pins("F14", dir="i")),
                 Subsignal("tx", Pins("F16", dir="o")),
                 Attrs(IO_TYPE="LVCMOS33")),
        *(Resource("led", number, PinsN(pin, dir="o"), Attrs(IO_TYPE="LVCMOS33"))
          for number, pin in enumerate("G14 G15 L13 L14".split())),
        *(Resource("button", number, PinsN(pin, dir="i"), Attrs(IO_TYPE="LVCMOS33"))
          for number, pin in enumerate("L20 L19".split())),
    ]
    connectors = [
        Connector("pmod", 0, "D10 D9 D7 D8 - - D6 D5 D4 D3 - -"),
        Connector("pmod", 1, "E10 E9 E7 E8 - - E4 E3 E2 F1 - -"),
        Connector("pmod", 2, "J2 J1 K2 K1 - - K3 K4 E17 F13 - -"),
    ]

    def toolchain_program(self, products: Any, name: str) -> None:
        with products.extract(f"{name}.bit") as bitstream:
            subprocess.check_call(["ecpprog", "-S", bitstream])
