"""What the nodes of a streamed network do in a cycle, beside what they and the device could.

A table of the network of :mod:`bench.convolution`, or of one of your own. For each node with
weights or tables: exclusive-nors (of look-up tables: look-ups) of a frame, and in a cycle of it;
how many it could do in each, which are the weights that its memories hand over in a cycle, or all
where it is unrolled; and the share of that which it reaches. Of the device two bounds: all of its
block RAMs read in every cycle, and all of its LUTs doing nothing else.
"""

import argparse
import sys
from pathlib import Path

from bench.convolution import network
from bitwright import boards, ir
from bitwright.hw.contents import as_built, settings_of
from bitwright.hw.plan import UNROLLED, Plan
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import asked
from bitwright.hw.rtl.pixels.ip import PixelIp
from bitwright.hw.schedule import bottleneck
from bitwright.locate import locate

__all__ = ["at_once", "main", "operations"]

PORT_BITS = {"ice40": 16, "ecp5": 36, "nexus": 36, "gowin": 32, "gatemate": 40}
"""Bits that a block RAM of a family gives in a cycle, at its widest."""


LUTS = 2
"""Of an exclusive-nor: one for itself, and about one for its share of the sum."""


def operations(node):
    """Exclusive-nors or look-ups of a node for one frame."""
    if isinstance(node, ir.Convolution):
        return node.window.positions * sum(map(operations, node.body))
    if isinstance(node, ir.Lut):
        return node.out_width
    return node.weights.size if isinstance(node, ir.Xnor | ir.Scores) else 0


def at_once(node, settings):
    """Operations that the hardware of a node can do in a cycle.

    Parameters
    ----------
    node : ir.Node
    settings : Folded or None
        None where it is unrolled.
    """
    if isinstance(node, ir.Convolution):
        own = settings.body(node) if settings else [None] * len(node.body)
        return sum(map(at_once, node.body, own))
    if settings is None or isinstance(node, ir.Lut):
        return operations(node)
    return settings.folding(*node.weights.shape).word_bits


def bounds(board):
    """Operations a cycle that the block RAMs of a board could feed, and its LUTs do."""
    return (board.part.memories * PORT_BITS[board.family.name], board.part.luts // LUTS)


def rows(subject, plan, works, board, clock_hz):
    """A row of the table for each node with weights or tables."""
    frame = bottleneck(works).cycles
    for work in works:
        node = subject.entry(work.node).node
        count = operations(node)
        if not count:
            continue
        own = at_once(node, settings_of(work.node, plan) if work.way != UNROLLED else None)
        shares = " | ".join(f"{100 * count / frame / bound:.1f}" for bound in (own, *bounds(board)))
        yield (f"| {work.node} | {work.way} | {count:,} | {count / frame * clock_hz / 1e9:,.2f} | "
               f"{count / frame:,.1f} | {own:,} | {shares} | {100 * work.busy / frame:.1f} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.streaming", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", type=Path,
                        help="a frozen network (default: mnist-conv with random weights)")
    parser.add_argument("--cycles", metavar="N", type=int, default=784,
                        help="cycles of a frame in each node (default: %(default)s)")
    parser.add_argument("--board", metavar="NAME", default="ulx3s-25f",
                        help="compare with the memories of this board (default: %(default)s)")
    parser.add_argument("--unstreamed", action="store_true", help="fold the convolutions instead")
    parser.add_argument("--clock", metavar="MHZ", type=float,
                        help="of the design (default: the board's)")
    args = parser.parse_args(argv)
    board = boards.get(args.board)
    clock_hz = args.clock * 1e6 if args.clock else float(board.clock_hz)
    subject = network(0) if args.network is None else ir.load(locate(str(args.network)))
    plan = Plan(lut_size=board.family.lut_size)
    plan = asked(plan, subject, stream=not args.unstreamed, cycles=args.cycles)
    subject = as_built(subject, plan)
    ip = Ip(subject, plan) if args.unstreamed else PixelIp(subject, plan)
    print("| node | way | operations a frame | G/s | a cycle | could do | share, % | of the "
          "block RAMs, % | of the LUTs, % | busy, % |\n" + "|---" * 10 + "|")
    print("\n".join(rows(subject, plan, ip.works, board, clock_hz)))
    frame = bottleneck(ip.works).cycles
    total = sum(operations(entry.node) for entry in subject.entries) / frame
    memories, logic = bounds(board)
    print(f"\nA frame every {frame:,} cycles, {clock_hz / frame:,.0f} a second at "
          f"{clock_hz / 1e6:g} MHz; all wait for {bottleneck(ip.works).node}. {total:,.1f} "
          f"operations a cycle; {board.name} could feed {memories:,} from its "
          f"{board.part.memories} block RAMs ({100 * total / memories:.1f} %), and do {logic:,} in "
          f"its {board.part.luts:,} LUTs ({100 * total / logic:.1f} %).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
