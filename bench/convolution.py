"""Build the convolutional network for MNIST folded or streamed, and print what it costs.

The network has the shape of the recipe mnist-conv and random weights: what it costs hardly depends
on them. A row is a whole build, place and route included, for a number of cycles a node.
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
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import asked

__all__ = ["main", "network"]

SIDE = 28
CONVOLUTIONS = ((8, 6, 2), (32, 10, 2))
"""Neurons, kernel and stride of each."""
DENSE = (64, 80)
CLASSES = 10


def neurons(rng, in_width, count):
    """A dense layer whose bits are not all equal: thresholds lie near half the width."""
    spread = max(1, round(in_width**0.5))
    thresholds = in_width // 2 + rng.integers(-spread, spread + 1, size=(count, 1))
    return ir.Xnor(rng.integers(2, size=(count, in_width)).astype(bool),
                   thresholds.clip(0, in_width + 1).astype(np.int32))


def network(seed):
    """The network with random weights."""
    rng = np.random.default_rng(seed)
    levels = np.full((1, SIDE * SIDE, 1), 128, np.int32)
    entries = [ir.Entry("modulate", ir.Modulate(levels, 8), ("input",))]

    def append(name, node):
        entries.append(ir.Entry(name, node, (entries[-1].name,)))

    side, channels = SIDE, 1
    for index, (count, kernel, stride) in enumerate(CONVOLUTIONS):
        window = ir.Window(side, side, channels, (kernel, kernel), (stride, stride))
        append(f"convolution{index}", ir.Convolution((neurons(rng, window.bits, count),), window))
        side, channels = window.shape[0], count
    for index, count in enumerate(DENSE):
        append(f"xnor{index}", neurons(rng, entries[-1].node.out_width, count))
    append("head", ir.Scores(rng.integers(2, size=(CLASSES, DENSE[-1])).astype(bool), 2,
                             np.zeros(CLASSES, np.int32)))
    return ir.Network(tuple(entries))


def measure(subject, board, cycles, args):
    """A row of the table: a build with every node folded, or the convolutions streamed."""
    plan = asked(Plan(), subject, stream=args.streamed, cycles=cycles)
    form = "streamed-" if args.streamed else ""
    options = Options(board=board, family=board.family, plan=plan,
                      out=args.out / f"mnist-conv-{form}{board.name}-{cycles}",
                      stop_after=args.stop_after, clock_hz=float(board.clock_hz), baud=board.baud)
    report, _ = build("mnist-conv", subject, options)
    parts, total = report["resources"]["parts"], report["resources"]["total"]
    luts = " / ".join(f"{parts[part]['luts']:,}" for part in ("encoder", "core", "head", "link"))
    interval = report["throughput"]["ip"]["interval_cycles"]
    device, fmax = report["device"], report["timing"]["fmax_hz"]
    return (f"| {board.name} | {cycles:,} | {luts} | {total['luts']:,} | {total['flip_flops']:,} | "
            f"{device['logic_cells'] or device['logic_cells_synthesis']:,} of "
            f"{board.part.luts:,} | "
            f"{total['memories']} of {board.part.memories} | {interval:,} | "
            f"{f'{fmax / 1e6:.1f}' if fmax else '-'} | {board.clock_hz / interval:,.0f} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.convolution", description=__doc__)
    parser.add_argument("--board", metavar="NAME", default="ulx3s-25f",
                        help="build for this board (default: %(default)s)")
    parser.add_argument("--cycles", metavar="N", type=int, nargs="+", default=[784, 4096],
                        help="cycles of a frame in each node (default: 784 4096)")
    parser.add_argument("--streamed", action="store_true",
                        help="convolutions work pixel by pixel")
    parser.add_argument("--stop-after", choices=("synth", "route"), default="route",
                        help="do no more than this (default: %(default)s)")
    parser.add_argument("--seed", metavar="N", type=int, default=0,
                        help="seed of the weights (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("build/bench"),
                        help="keep the builds in DIR (default: %(default)s)")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    subject, board = network(args.seed), get_board(args.board)
    titles = ("board", "cycles a node, at most", "LUTs: encoder / core / head / link",
              "LUTs, total", "FFs", "logic cells", "BRAMs", "cycles a sample", "Fmax, MHz",
              "samples/s at the board's clock")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    lines += [measure(subject, board, cycles, args) for cycles in args.cycles]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
