"""What the nodes of a streamed network do in a cycle, beside what the device could feed.

A table of the network of :mod:`bench.convolution`, or of one of your own: exclusive-nors of each
node in a frame and in a cycle, the bits of weights that it reads from memory in a cycle, and the
cycles in which it is busy. The bound of the device is all of its block RAMs read in every cycle.
"""

import argparse
import sys
from pathlib import Path

from bench.convolution import network
from bitwright import boards, ir
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import asked
from bitwright.hw.rtl.pixels.ip import PixelIp
from bitwright.hw.schedule import bottleneck
from bitwright.locate import locate

__all__ = ["exclusive_nors", "main"]

PORT_BITS = {"ice40": 16, "ecp5": 36, "nexus": 36, "gowin": 32, "gatemate": 40}
"""Bits that a block RAM of a family gives in a cycle, at its widest."""


def exclusive_nors(node):
    """Of a node for one frame."""
    if isinstance(node, ir.Convolution):
        return node.window.positions * sum(map(exclusive_nors, node.body))
    return node.weights.size if isinstance(node, ir.Xnor | ir.Scores) else 0


def rows(subject, works):
    """A row of the table for each node with weights."""
    frame = bottleneck(works).cycles
    for work in works:
        count = exclusive_nors(subject.entry(work.node).node)
        if count:
            yield (f"| {work.node} | {work.way} | {count:,} | {count / frame:,.1f} | "
                   f"{count / work.busy:,.1f} | {work.cycles:,} | {100 * work.busy / frame:.1f} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.streaming", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", type=Path,
                        help="a frozen network (default: mnist-conv with random weights)")
    parser.add_argument("--cycles", metavar="N", type=int, default=784,
                        help="cycles of a frame in each node (default: %(default)s)")
    parser.add_argument("--board", metavar="NAME", default="ulx3s-25f",
                        help="compare with the memories of this board (default: %(default)s)")
    parser.add_argument("--unstreamed", action="store_true", help="fold the convolutions instead")
    args = parser.parse_args(argv)
    board = boards.get(args.board)
    subject = network(0) if args.network is None else ir.load(locate(str(args.network)))
    plan = Plan(lut_size=board.family.lut_size)
    plan = asked(plan, subject, stream=not args.unstreamed, cycles=args.cycles)
    ip = Ip(subject, plan) if args.unstreamed else PixelIp(subject, plan)
    print("| node | way | XNORs a frame | XNORs a cycle | XNORs a busy cycle | cycles | busy, % |\n"
          + "|---" * 7 + "|")
    print("\n".join(rows(subject, ip.works)))
    frame = bottleneck(ip.works).cycles
    total = sum(exclusive_nors(entry.node) for entry in subject.entries)
    bound = board.part.memories * PORT_BITS[board.family.name]
    print(f"\nA frame every {frame:,} cycles; all wait for {bottleneck(ip.works).node}. "
          f"{total / frame:,.1f} XNORs a cycle of at most {bound:,} that the {board.part.memories} "
          f"block RAMs of {board.name} could feed: {100 * total / frame / bound:.1f} %.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
