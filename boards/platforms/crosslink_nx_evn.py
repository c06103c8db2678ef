"""Lattice CrossLink-NX evaluation board, LIFCL-40-EVN.

Pins from its user guide (FPGA-EB-02028), sections 5.1, 6.2, 7 and 8.6. The serial line over USB
needs two jumpers of 0 ohm, R15 and R17, and the 12 MHz need jumper JP2.
"""

from __future__ import annotations

import subprocess
from typing import Any

from amaranth.build import Attrs, Clock, Connector, Pins, PinsN, Resource, Subsignal
from amaranth.vendor import LatticePlatform

__all__ = ["CrossLinkNXEVNPlatform"]


class CrossLinkNXEVNPlatform(LatticePlatform):
    device = "LIFCL-40"
    package = "BG400"
    speed = "9"
    default_clk = "clk12"
    resources = [
        Resource("clk12", 0, Pins("L13", dir="i"), Clock(12e6), Attrs(IO_TYPE="LVCMOS33")),
        Resource("uart", 0,
                 Subsignal("rx", Pins("F16", dir="i")),
                 Subsignal("tx", Pins("F18", dir="o")),
                 Attrs(IO_TYPE="LVCMOS33")),
        *(Resource("led", number, PinsN(pin, dir="o"), Attrs(IO_TYPE="LVCMOS33"))
          for number, pin in enumerate("E17 F13 G13 F14 L16 L15 L20 L19".split())),
        *(Resource("button", number, PinsN(pin, dir="i"), Attrs(IO_TYPE="LVCMOS33"))
          for number, pin in enumerate("G14 G15".split())),
    ]
    connectors = [
        Connector("pmod", 0, "D10 D9 D7 D8 - - D6 D5 D4 D3 - -"),
        Connector("pmod", 1, "E10 E9 E7 E8 - - E4 E3 E2 F1 - -"),
        Connector("pmod", 2, "J2 J1 K2 K1 - - K3 K4 D17 E18 - -"),
    ]

    def toolchain_program(self, products: Any, name: str) -> None:
        with products.extract(f"{name}.bit") as bitstream:
            subprocess.check_call(["ecpprog", "-S", bitstream])
