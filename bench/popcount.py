"""LUTs of popcounts by how they are written.

``python -m bench.popcount`` prints the table of docs/decisions/0002-hardware.md. For iCE40 it
counts logic cells after packing, since a carry chain takes cells that only packing shows; for the
others LUTs and carry cells after Yosys with the area recipe.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import stream

from bitwright.hw.families import FAMILIES
from bitwright.hw.families.family import area
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.rtl.parts.popcount import popcount
from bitwright.hw.rtl.parts.stages import Stages

_CARRY_LUTS = {"CCU2C": 2, "CARRY4": 0}
"""LUTs that a carry cell takes beyond those that are counted by themselves."""


def wire(m, value):
    named = Signal(Value.cast(value).shape())
    m.d.comb += named.eq(value)
    return named


def compressors(m, bits, lut_size):
    stages = Stages(m, stream.Signature(1).create(), limit=1000)
    return Cat(popcount(stages, bits, lut_size))


def additions(m, bits, lut_size):
    """Tree of additions, as one would write it."""
    while len(bits) > 1:
        pairs = zip(bits[::2], [*bits[1::2], *[Const(0, 1)] * (len(bits) % 2)], strict=True)
        bits = [wire(m, a + b) for a, b in pairs]
    return bits[0]


def carry_chains(m, bits, lut_size):
    """Tree of carry chains whose carry-in counts a bit more, full adders at the leaves."""
    bits = list(bits)

    def build(count):
        taken = [bits.pop() for _ in range(min(count, 3 if count <= 3 else 1))]
        if count <= 3:
            a, b, c = (taken + [Const(0, 1)] * 2 + [Const(0, 1)])[:3]
            return Cat(wire(m, a ^ b ^ c), wire(m, a & b | c & (a ^ b)))
        rest = count - 1
        left = min((1 << (rest - rest // 2).bit_length()) - 1, rest)
        a, b = build(left), build(rest - left)
        return wire(m, Cat(Const(1, 1), a) + Cat(taken[0], b))[1:]

    return build(len(bits))


WAYS = {"compressors": compressors, "additions": additions, "carry chains": carry_chains}


def measure(way, width, family):
    """LUTs or logic cells of one popcount."""
    command, lut_size = family.script.command, family.lut_size
    m = Module()
    x, count = Signal(width), Signal(width.bit_length())
    m.d.comb += count.eq(WAYS[way](m, [wire(m, bit) for bit in x], lut_size))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.il").write_text(rtlil.convert(m, ports=[x, count], emit_src=False),
                                      encoding="utf-8")

        def run(program, *arguments):
            log = folder / f"{program.name}.txt"
            toolchain.run(toolchain.find(program), arguments, folder=folder, log=log)
            return log.read_text(encoding="utf-8")

        if family.pair is not None:  # what shares a cell is for the placer to say
            run(YOSYS, "-p", f"read_rtlil in.il; {command} -top top -json out.json")
            log = run(family.place.nextpnr, "--hx8k", "--package", "ct256", "--json", "out.json",
                      "--pack-only")
            return int(re.search(r"ICESTORM_LC:\s*(\d+)/", log)[1])
        # Not from the log, which this Yosys leaves short after it ran ABC.
        run(YOSYS, "-p", f"read_rtlil in.il; {command} -top top -run begin:map_luts; simplemap; "
                           f"{area(lut_size)}; clean; tee -o stat.txt stat")
        cells = dict.fromkeys(("$lut", *_CARRY_LUTS), 0)
        found = (folder / "stat.txt").read_text(encoding="utf-8")
        for number, kind in re.findall(r"^\s+(\d+)\s+(\$?\w+)\s*$", found, re.MULTILINE):
            if kind in cells:
                cells[kind] = int(number)
    return cells["$lut"] + sum(cells[kind] * cost for kind, cost in _CARRY_LUTS.items())


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.popcount", description=__doc__)
    parser.add_argument("widths", metavar="BITS", type=int, nargs="*", default=[32, 100],
                        help="bits to count (default: %(default)s)")
    args = parser.parse_args(argv)
    print("| family | bits |", " | ".join(WAYS), "|\n" + "|---" * (2 + len(WAYS)) + "|")
    for family in FAMILIES.values():
        for width in args.widths:
            counts = [str(measure(way, width, family)) for way in WAYS]
            print(f"| {family.name} | {width} |", " | ".join(counts), "|", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
