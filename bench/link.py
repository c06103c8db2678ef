"""LUTs of the serial link in front of a network, by what it can do.

The link of a network of the zoo is synthesised by itself, with fixed contents and with contents
that can be written, for each family of the boards.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

from amaranth.back import rtlil

from bitwright import boards, ir
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.layout import Layout
from bitwright.hw.link.link import Link
from bitwright.hw.link.protocol import Identity
from bitwright.hw.plan import Plan
from bitwright.hw.rate import divisor
from bitwright.locate import locate

__all__ = ["main", "measured"]

SIZES = (0, 1 << 10, 1 << 16)
"""Bytes of the contents."""


def measured(network, board, size, folder):
    """Resources of the link of a network on a board, with contents of so many bytes."""
    identity = dataclasses.replace(Identity.of(network, Plan()), size=size)
    link = Link(Layout.of(network), identity, cycles=divisor(board.clock_hz, board.baud),
                timeout=board.clock_hz // 50, patience=1000)
    source = folder / "top.il"
    source.write_text(rtlil.convert(link, name="top"), encoding="utf-8")
    stage = Synthesise((source,), "top", board.family, {"link": "top"}, toolchain.find(YOSYS))
    return stage.run(folder, folder).total


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.link", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", default="zoo/digits")
    args = parser.parse_args(argv)
    network = ir.load(locate(args.network))
    print("| board | family | bytes that can be written | LUTs | flip-flops | block RAM |")
    print("|---|---|---|---|---|---|")
    for board in (boards.get("icebreaker"), boards.get("ulx3s-25f")):
        for size in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                found = measured(network, board, size, Path(folder))
            print(f"| {board.name} | {board.family.name} | {size:,} | {found.luts} | "
                  f"{found.flip_flops} | {found.memories} |", flush=True)


if __name__ == "__main__":
    main()
