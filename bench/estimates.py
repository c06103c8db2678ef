"""How far the resources that are estimated lie from those that Yosys finds.

``python -m bench.estimates`` builds single nodes of random contents in every way that they have,
and prints a table: LUTs, flip-flops and bits in memories beside what was estimated without
building. Latency and interval are exact, which the conformance tests compare.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw import families
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.memories import together
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.plan import FOLDED, STREAMED, UNROLLED, Plan
from bitwright.hw.rtl.layers import choose

__all__ = ["cases", "main", "measure"]


def xnor(rng, width, neurons, depth=1):
    thresholds = rng.integers(width // 3, 2 * width // 3, size=(neurons, depth))
    return ir.Xnor(rng.integers(2, size=(neurons, width)).astype(bool),
                   thresholds.astype(np.int32))


def lut(rng, width, tables, fan_in):
    return ir.Lut(width, rng.integers(width, size=(tables, fan_in)).astype(np.int32),
                  rng.integers(2, size=(tables, 1 << fan_in)).astype(bool))


def cases():
    """Names, nodes and tables of the plan."""
    rng = np.random.default_rng(0)
    unrolled = {"way": UNROLLED}
    layer, wide = xnor(rng, 64, 16), xnor(rng, 256, 128)
    biases = rng.integers(-30, 30, size=10).astype(np.int32)
    head = ir.Scores(rng.integers(2, size=(10, 128)).astype(bool), 5, biases)
    sliding = ir.Convolution((xnor(rng, 18, 4),), ir.Window(8, 8, 2, (3, 3)))
    thresholds = rng.integers(1, 256, size=(1, 64, 2)).astype(np.int32)
    return [
        ("64 features, depth 2", ir.Modulate(thresholds, 8), unrolled),
        ("200 tables of 4", lut(rng, 100, 200, 4), unrolled),
        ("100 tables of 6", lut(rng, 100, 100, 6), unrolled),
        ("10 groups of 20", ir.GroupSum(200, 10), unrolled),
        ("one group of 150", ir.Goodness(150), unrolled),
        ("16 neurons of 64", layer, unrolled),
        ("16 neurons of 64, depth 2", xnor(rng, 64, 16, 2), unrolled),
        ("16 neurons of 64", layer, {"way": FOLDED, "cycles": 64}),
        ("16 neurons of 64", layer, {"way": FOLDED, "cycles": 64, "writable": True}),
        ("16 neurons of 64", layer, {"way": FOLDED, "cycles": 8}),
        ("128 neurons of 256", wide, {"way": FOLDED, "cycles": 3328}),
        ("128 neurons of 256", wide, {"way": FOLDED, "cycles": 3328, "writable": True}),
        ("10 scores of 128", head, unrolled),
        ("10 scores of 128", head, {"way": FOLDED, "cycles": 640}),
        ("4 neurons at 36 places of 18", sliding, {"way": FOLDED, "cycles": 36}),
        ("4 neurons at 36 places of 18", sliding, {"way": FOLDED, "cycles": 36 * 4 * 6}),
        *streamed_cases(rng),
    ]


def streamed_cases(rng):
    """Windows in registers, in a queue, read from memory; look-up tables; a pool."""
    window = ir.Window(10, 10, 16, (3, 3))
    neurons = ir.Convolution((xnor(rng, 144, 16),), window)
    tables = ir.Convolution((lut(rng, 144, 16, 4),), window)
    strided = ir.Convolution((xnor(rng, 64, 8),), ir.Window(12, 12, 4, (4, 4), (2, 2)))
    pool = ir.Pool(ir.Window(10, 10, 16, (2, 2), (2, 2)), "or")
    return [
        ("16 tables at 64 places", tables, {"way": STREAMED}),
        ("16 neurons at 64 places of 144", neurons, {"way": STREAMED, "cycles": 64 * 4}),
        ("16 neurons at 64 places of 144", neurons, {"way": STREAMED, "cycles": 64 * 48}),
        ("16 neurons at 64 places of 144", neurons, {"way": STREAMED, "cycles": 64 * 500}),
        ("8 neurons at 25 places of 64, stride 2", strided, {"way": STREAMED, "cycles": 144}),
        ("OR of 16 channels at 25 places", pool, {"way": STREAMED}),
    ]


class Ported(wiring.Component):
    """A node's component whose load ports are ports too, so that they are not thrown away."""

    def __init__(self, inner):
        self._inner = inner
        self._writes = {f"write{index}": port for index, port in enumerate(
            port for ports in inner.writes for port in ports)}
        super().__init__({"node": Out(inner.signature), **{
            name: In(port.signature.flip()) for name, port in self._writes.items()}})

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = self._inner
        connect(m, flipped(self.node), inner)
        for name, port in self._writes.items():
            own = getattr(self, name)
            m.d.comb += [getattr(port, part).eq(getattr(own, part))
                         for part in ("enable", "address", "word")]
        return m


def measure(node, table, family, levels):
    """What was estimated and what Yosys found: LUTs, flip-flops, block RAMs.

    Memories that become LUTs are among those.
    """
    plan = Plan(levels_per_register=levels, lut_size=family.lut_size, nodes={"node": table})
    choice = choose(ir.Entry("node", node, ("input",)), plan)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "in" / "top.il"
        source.parent.mkdir()
        source.write_text(rtlil.convert(Ported(choice.build()), name="top", emit_src=False),
                          encoding="utf-8")
        stage = Synthesise((source,), "top", family, {}, toolchain.find(YOSYS))
        told = choice.estimate().resources
        memories = together(told.memories, family)
        estimated = Resources(told.luts + round(memories.rom + memories.ram),
                              told.flip_flops + memories.registers, memories=memories.blocks)
        return estimated, stage.run(folder, folder).total


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.estimates", description=__doc__)
    parser.add_argument("--family", metavar="NAME", default="ice40",
                        help="family to build for (default: %(default)s)")
    parser.add_argument("--levels", metavar="N", type=int, default=4,
                        help="LUT levels between two registers (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="only ways whose words hold TEXT, such as 'writable'")
    args = parser.parse_args(argv)
    family = families.get(args.family)
    print("| node | way | LUTs | estimated | % | FFs | estimated | % | block RAMs | estimated "
          "|\n" + "|---" * 10 + "|")
    errors = []
    for name, node, table in cases():
        way = " ".join(str(key if value is True else value) for key, value in table.items())
        if args.only not in way:
            continue
        estimated, found = measure(node, table, family, args.levels)
        row = [100 * (getattr(estimated, kind) / max(1, getattr(found, kind)) - 1)
               for kind in ("luts", "flip_flops")]
        errors.append(row)
        print(f"| {name} | {way} | {found.luts:,} | {estimated.luts:,} | {row[0]:+.0f} | "
              f"{found.flip_flops:,} | {estimated.flip_flops:,} | {row[1]:+.0f} | "
              f"{found.memories} | {estimated.memories} |", flush=True)
    means = np.abs(errors).mean(axis=0)
    worst = np.abs(errors).max(axis=0)
    print(f"\n{family.name}: LUTs off by {means[0]:.0f} % on average and {worst[0]:.0f} at most, "
          f"flip-flops by {means[1]:.0f} and {worst[1]:.0f}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
