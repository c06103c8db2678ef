"""Size and speed of folded XNOR networks.

``python -m bench.folded`` builds networks of random weights, one bit a feature, and prints a table:
what the device needs, and cycles a sample beside the least that words of that width allow, which is
the weights of the largest layer divided by the bits of its word.
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np

from bitwright import ir
from bitwright.boards import get as get_board
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.options import Options
from bitwright.hw.folding import Folding
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import folded

ROWS = (
    ("784-256-128-10", "ulx3s-25f", 3328),
    ("784-256-128-10", "ulx3s-25f", 784),
    ("784-128-10", "icebreaker", 3328),
)
"""Widths, board, cycles that a layer may take."""

LEVELS = {"icebreaker": 8, "ulx3s-25f": 2}
"""LUT levels between two registers: at 12 MHz there is time for many, and registers are scarce."""


def network(widths, seed=0):
    """Chain of dense layers of random weights, the thresholds at half of the inputs."""
    rng = np.random.default_rng(seed)
    features, *hidden, classes = widths
    levels = np.full((1, features, 1), 128, np.int32)
    entries = [ir.Entry("modulate", ir.Modulate(levels, 8), ("input",))]
    for index, (fan_in, width) in enumerate(zip([features, *hidden], hidden, strict=False)):
        thresholds = fan_in // 2 + rng.integers(-fan_in // 16, fan_in // 16, size=(width, 1))
        node = ir.Xnor(rng.integers(2, size=(width, fan_in)).astype(bool),
                       thresholds.astype(np.int32))
        entries.append(ir.Entry(f"xnor{index}", node, (entries[-1].name,)))
    biases = rng.integers(-30, 30, size=classes).astype(np.int32)
    head = ir.Scores(rng.integers(2, size=(classes, hidden[-1])).astype(bool), 8, biases)
    entries.append(ir.Entry("head", head, (entries[-1].name,)))
    return ir.Network(tuple(entries))


def measure(shape, board, cycles, out, stop_after):
    """A row of the table."""
    subject = network([int(width) for width in shape.split("-")])
    board = get_board(board)
    plan = folded(Plan(levels_per_register=LEVELS[board.name]), subject, cycles)
    options = Options(board=board, family=board.family, plan=plan,
                      out=out / f"{shape}-{board.name}-{cycles}", stop_after=stop_after,
                      clock_hz=float(board.clock_hz), baud=board.baud)
    report, _ = build(shape, subject, options)
    largest = max((entry.node.weights for entry in subject.entries[1:]), key=lambda w: w.size)
    folding = Folding.within(*largest.shape, cycles)
    parts, total = report["resources"]["parts"], report["resources"]["total"]
    luts = " / ".join(f"{parts[part]['luts']:,}" for part in ("encoder", "core", "head", "link"))
    interval = report["throughput"]["ip"]["interval_cycles"]
    least = -(-largest.size // folding.word_bits)
    device, fmax = report["device"], report["timing"]["fmax_hz"]
    return (f"| {shape} | {board.name} | {folding.word_bits} | {luts} | {total['luts']:,} | "
            f"{total['flip_flops']:,} | "
            f"{device['logic_cells'] or device['logic_cells_synthesis']:,} of "
            f"{board.part.luts:,} | "
            f"{total['memories']} of {board.part.memories} | {interval:,} | {least:,} | "
            f"{100 * (interval - least) / least:.1f} | "
            f"{f'{fmax / 1e6:.1f}' if fmax else '-'} | {board.clock_hz / interval:,.0f} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.folded", description=__doc__)
    parser.add_argument("--row", nargs=3, metavar=("WIDTHS", "BOARD", "CYCLES"),
                        help="measure this one alone, such as 784-256-128-10 ulx3s-25f 3328; the "
                             f"boards are {' and '.join(LEVELS)}")
    parser.add_argument("--stop-after", choices=("synth", "route"), default="route",
                        help="do no more than this (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("build/folded"),
                        help="keep the builds in DIR (default: %(default)s)")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    rows = [(args.row[0], args.row[1], int(args.row[2]))] if args.row else ROWS
    titles = ("layers", "board", "bits of a word", "LUTs: encoder / core / head / link",
              "LUTs, total", "FFs", "logic cells", "BRAMs", "cycles a sample", "least",
              "% more", "Fmax, MHz", "samples/s at the board's clock")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    lines += [measure(*row, args.out, args.stop_after) for row in rows]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
