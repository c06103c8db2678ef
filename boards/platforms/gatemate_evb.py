"""Cologne Chip's GateMate evaluation board, version 3.1.

Pins from its data sheet (DS1003, colognechip.com/docs/ds1003-gatemate1-evalboard-3v1-latest.pdf).
Its USB chip configures the device and has no serial line to it: a serial adapter goes on a PMOD
connector.
"""

from __future__ import annotations

import subprocess
from typing import Any

from amaranth.build import Attrs, Clock, Connector, Pins, PinsN, Resource

from bitwright.boards.platforms.gatemate import GateMatePlatform

__all__ = ["GateMateEVBPlatform"]


class GateMateEVBPlatform(GateMatePlatform):
    device = "CCGM1A1"
    default_clk = "clk10"
    resources = [
        Resource("clk10", 0, Pins("IO_SB_A8", dir="i"), Clock(10e6),
                 Attrs(SCHMITT_TRIGGER="true")),
        Resource("button", 0, PinsN("IO_EB_B0", dir="i")),
        *(Resource("led", number, PinsN(f"IO_EB_B{number + 1}", dir="o")) for number in range(8)),
    ]
    connectors = [
        Connector("pmod", 0, "IO_NB_A0 IO_NB_A1 IO_NB_A2 IO_NB_A3 - - "
                             "IO_NB_B0 IO_NB_B1 IO_NB_B2 IO_NB_B3 - -"),
        Connector("pmod", 1, "IO_NB_A4 IO_NB_A5 IO_NB_A6 IO_NB_A7 - - "
                             "IO_NB_B4 IO_NB_B5 IO_NB_B6 IO_NB_B7 - -"),
    ]

    def toolchain_program(self, products: Any, name: str) -> None:
        with products.extract(f"{name}.bit") as bitstream:
            subprocess.check_call(["openFPGALoader", "-b", "gatemate_evb_jtag", bitstream])
