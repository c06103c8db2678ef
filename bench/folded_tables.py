"""Folded layers of look-up tables in the large memories of an iCE40 UP5K: what goes in, how fast.

``python -m bench.folded_tables`` prints, for a few shapes of six-input tables, memories, cycles and
the time of a load, all by arithmetic. ``--synth`` synthesises networks of those shapes for an
iCEBreaker as well, with random contents, which take a minute each and prove the arithmetic.
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np

from bitwright import ir
from bitwright.boards import get
from bitwright.hw.contents import Contents
from bitwright.hw.descriptors import Descriptors
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.environment import not_elaborated
from bitwright.hw.flow.options import Options
from bitwright.hw.link.record import load_s
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import asked

WIDTH, DEPTH, COUNT = 16, 16384, 4
"""Bits of a word of a large memory, its words, and how many a UP5K has."""

CLOCK_HZ = 24e6

SHAPES = (
    ((784, 2), (1200,), 6000), ((784, 2), (2730, 1000), 16380), ((784, 2), (2730, 2730), 16380),
    ((784, 3), (4000,), 24000), ((784, 3), (5000,), 30000), ((784, 3), (5000,), 15000),
    ((784, 3), (5460,), 16380),
)
"""Features and thresholds of each, tables of the layers, cycles that each may take."""


def network(modulator, layers, seed=0):
    """Tables of random sources and contents, and a head of ten classes."""
    rng = np.random.default_rng(seed)
    features, depth = modulator
    levels = np.sort(rng.integers(1, 256, size=(1, features, depth)), axis=2).astype(np.int32)
    entries = [ir.Entry("modulate", ir.Modulate(levels, 8), ("input",))]
    for index, count in enumerate(layers):
        width = entries[-1].node.out_width
        node = ir.Lut(width, rng.integers(width, size=(count, 6)).astype(np.int32),
                      rng.integers(2, size=(count, 64)).astype(bool))
        entries.append(ir.Entry(f"lut{index}", node, (entries[-1].name,)))
    head = ir.GroupSum(layers[-1], 10)
    return ir.Network((*entries, ir.Entry("head", head, (entries[-1].name,))))


def large_memories(node, cycles):
    """Large memories of a folded layer: its sources, and the contents of each lane."""
    form = Descriptors.within(node, cycles)
    depths = form.cycles, *(form.groups * form.parts,) * form.lanes
    return sum(-(-width // WIDTH) * -(-depth // DEPTH)
               for width, depth in zip(form.widths, depths, strict=True))


def row(shape, out):
    """A row of the table; synthesised where there is a folder for it."""
    modulator, layers, cycles = shape
    subject = network(modulator, layers)
    plan = asked(Plan(), subject, cycles=cycles, large=True)
    memories = sum(large_memories(entry.node, cycles) for entry in subject.entries
                   if isinstance(entry.node, ir.Lut))
    with not_elaborated():
        interval = Ip(subject, plan).interval
    size = Contents(subject, plan).bytes
    cells = ["not run"] * 2
    if out is not None and memories <= COUNT:
        board = get("icebreaker")
        report, _ = build("tables", subject, Options(
            board, board.family, plan, out / "-".join(map(str, (*modulator, *layers, cycles))),
            "synth", clock_hz=CLOCK_HZ, baud=board.baud))
        cells = [f"{report['device']['logic_cells_synthesis']:,}",
                 f"{report['resources']['total']['memories']}"]
    return ["-".join(map(str, layers)), f"{modulator[0] * modulator[1]:,}",
            f"{memories} of {COUNT}", f"{interval:,}", f"{CLOCK_HZ / interval:,.0f}",
            f"{size:,}", f"{1000 * load_s(size, CLOCK_HZ):.1f}", *cells]


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.folded_tables", description=__doc__)
    parser.add_argument("--synth", metavar="DIR", type=Path, help="synthesise too, in this folder")
    parser.add_argument("--only", metavar="TABLES", help="the shapes of these layers, as 5000")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING)
    print("| tables | input bits | large memories | cycles a sample | samples/s at 24 MHz | bytes "
          "| load from flash, ms | logic cells, synthesis | block RAMs |")
    print("|" + "---|" * 9)
    for shape in SHAPES:
        if args.only in (None, "-".join(map(str, shape[1]))):
            print("| " + " | ".join(row(shape, args.synth)) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
