"""LUTs of heads by how they count: a table of docs/results.md.

``python -m bench.head`` synthesises heads of random bits for several families, by the recipe of a
build, registers and comparison of the classes included. Forms: counts of compressors and of carry
chains that take counters with them, each a vector every cycle, and serial ones of some bits at a
time, which read the bits where they lie. On six-input LUTs no build takes compressors.
"""

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path

import numpy as np

from bitwright import ir
from bitwright.hw import families
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.plan import SERIAL, Plan
from bitwright.hw.rtl.head import Head
from bitwright.hw.rtl.layers import group_sum

FAMILIES = ("xilinx", "ecp5", "ice40")
BITS = (1, 5, 10, 25, 50)


def subject(bits, classes):
    """A network with nothing but a head that sums."""
    thresholds = np.ones((1, bits, 1), np.int32)
    return ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 1), ("input",)),
                       ir.Entry("head", ir.GroupSum(bits, classes), ("modulate",))))


def forms(plan, size):
    """Plan of each form, and from which LUTs on counts are carry chains."""
    yield "compressors", plan, 99
    if plan.lut_size >= group_sum.CHAINED:
        yield "carry chains", plan, group_sum.CHAINED
    for bits in BITS:
        if bits <= size:
            nodes = {"head": {"way": SERIAL, "bits": bits}}
            yield f"serial, {bits}", dataclasses.replace(plan, nodes=nodes), 99


def measure(network, plan, family, chained):
    """LUTs, flip-flops and logic cells of a head, and cycles from a vector to the next."""
    before, group_sum.CHAINED = group_sum.CHAINED, chained
    try:
        head = Head(network, plan, stays=True)
        text = to_verilog(head)
    finally:
        group_sum.CHAINED = before
    with tempfile.TemporaryDirectory() as name:
        source, folder = Path(name) / "top.v", Path(name) / "out"
        folder.mkdir()
        source.write_text(text, encoding="utf-8")
        found = Synthesise((source,), "top", family, {}, toolchain.find(YOSYS)).run(folder, folder)
    return found.total.luts, found.total.flip_flops, found.logic_cells, head.interval


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.head", description=__doc__)
    parser.add_argument("families", metavar="FAMILY", nargs="*", default=FAMILIES,
                        help="(default: %(default)s)")
    parser.add_argument("--bits", metavar="N", type=int, default=500,
                        help="final nodes (default: %(default)s)")
    parser.add_argument("--classes", metavar="N", type=int, default=10,
                        help="(default: %(default)s)")
    parser.add_argument("--form", metavar="NAME", help="only forms whose name begins like that")
    args = parser.parse_args(argv)
    network = subject(args.bits, args.classes)
    print("| family | form | LUTs | a final node | flip-flops | cells | cycles |\n" + "|---" * 7
          + "|")
    for name in args.families:
        family = families.get(name)
        for form, plan, chained in forms(Plan(lut_size=family.lut_size),
                                         args.bits // args.classes):
            if args.form and not form.startswith(args.form):
                continue
            luts, flip_flops, cells, cycles = measure(network, plan, family, chained)
            print(f"| {family.title} | {form} | {luts:,} | {luts / args.bits:.2f} | "
                  f"{flip_flops:,} | {cells:,} | {cycles:,} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
