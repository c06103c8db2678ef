"""What lies before a network that takes pictures pixel by pixel, part by part.

``python -m bench.pixels`` synthesises the front for pictures of 32 by 32 pixels of three colours of
8 bits, depth 4, for an iCE40, and prints a table: LUTs, flip-flops and memories of each way in
which thresholds and frames can be had.
"""

import argparse
import collections
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from bitwright import ir
from bitwright.hw.flow import synth
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.pixels.front import Front

__all__ = ["main"]

SIDE, COLOURS, DEPTH, BITS = 32, 3, 4, 8
LEVELS = (np.arange(DEPTH) * 64 + 32).reshape(1, 1, DEPTH)


def modulate(thresholds, frames):
    """A modulator whose thresholds are equal everywhere, in a frame, or nowhere."""
    features = SIDE * SIDE * COLOURS
    if thresholds == "noise":
        return ir.Modulate.drawn(ir.Noise(1, 6), LEVELS[0, 0] - 31, frames, features, BITS)
    rng = np.random.default_rng(0)
    shape = {"equal": (1, 1, 1), "of a frame": (frames, 1, 1),
             "of a pixel": (frames, features, 1)}[thresholds]
    drawn = LEVELS + rng.integers(-31, 32, size=shape)
    return ir.Modulate(np.broadcast_to(drawn, (frames, features, DEPTH)).astype(np.int32), BITS)


def network(thresholds, frames):
    """The smallest network that reads all of such a picture."""
    window = ir.Window(SIDE, SIDE, COLOURS * DEPTH, (1, 1))
    body = ir.Xnor(np.ones((1, window.bits), bool), np.array([[window.bits // 2]]))
    conv = ir.Convolution((body,), window)
    return ir.Network((
        ir.Entry("modulate", modulate(thresholds, frames), ("input",)),
        ir.Entry("conv", conv, ("modulate",)),
        ir.Entry("head", ir.GroupSum(conv.out_width, 2), ("conv",))))


ROWS = (("equal", 1, "block", "samples"), ("equal", 1, "block", "video"),
        ("of a frame", 4, "block", "video"), ("of a frame", 4, "large", "video"),
        ("of a frame", 4, "sent", "video"), ("of a pixel", 4, "sent", "video"),
        ("noise", 4, "sent", "video"))


def measure(thresholds, frames, replay, arrives):
    """A row of the table."""
    plan = Plan(lanes=COLOURS, replay=replay, input=arrives)
    text = to_verilog(Front(network(thresholds, frames), plan), Naming("front"))
    with tempfile.TemporaryDirectory() as scratch:
        synth.netlist(text, "front", "ice40", Path(scratch))
        found = (Path(scratch) / "netlist.v").read_text(encoding="utf-8")
    cells = collections.Counter(re.findall(r"^  (SB_\w+) ", found, re.MULTILINE))
    flip_flops = sum(count for cell, count in cells.items() if cell.startswith("SB_DFF"))
    return (f"| {thresholds} | {frames} | {replay if frames > 1 else '-'} | {arrives} | "
            f"{cells['SB_LUT4']:,} | {flip_flops:,} | {cells['SB_RAM40_4K']:,} | "
            f"{cells['SB_SPRAM256KA']} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.pixels", description=__doc__)
    parser.parse_args(argv)
    print("| thresholds | frames | replay | arrives as | LUT4 | flip-flops | block RAMs of 4 kbit "
          "| large memories |")
    print("|---|---|---|---|---|---|---|---|")
    for row in ROWS:
        print(measure(*row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
