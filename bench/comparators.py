"""LUTs of encoders that take a sample a cycle: a table of docs/results.md.

``python -m bench.comparators`` synthesises encoders of 8-bit features with three thresholds each,
by the recipe of a build: the parallel encoder, and beside it the serial one of as many lanes as
features, which has a comparison for every threshold too and leaves it to synthesis. Not of an
iCE40, whose carry chains take cells that only packing shows.
"""

import argparse
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
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.encoder import Encoder
from bitwright.hw.rtl.parallel_encoder import ParallelEncoder

FAMILIES = ("xilinx", "ecp5")
FEATURES = 40


def modulators():
    """Thresholds: even ones, as they are and of two upper bits, and at random for every feature."""
    rng = np.random.default_rng(0)
    for even in ((43, 128, 213), (64, 128, 192)):
        thresholds = np.tile(even, (1, FEATURES, 1))
        yield ", ".join(map(str, even)), ir.Modulate(thresholds.astype(np.int32), 8)
    drawn = np.sort(rng.integers(1, 256, size=(1, FEATURES, 3)), axis=2)
    yield "at random", ir.Modulate(drawn.astype(np.int32), 8)


def luts(component, family):
    """LUTs of a component."""
    with tempfile.TemporaryDirectory() as name:
        source, folder = Path(name) / "top.v", Path(name) / "out"
        folder.mkdir()
        source.write_text(to_verilog(component), encoding="utf-8")
        return Synthesise((source,), "top", family, {}, toolchain.find(YOSYS)).run(
            folder, folder).total.luts


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.comparators", description=__doc__)
    parser.add_argument("families", metavar="FAMILY", nargs="*", default=FAMILIES,
                        help="(default: %(default)s)")
    args = parser.parse_args(argv)
    print("| family | thresholds | parallel: LUTs | a bit | left to synthesis: LUTs | a bit |\n"
          + "|---" * 6 + "|")
    for name in args.families:
        family = families.get(name)
        for kind, modulate in modulators():
            read, count = np.ones(modulate.out_width, bool), modulate.out_width
            own, other = (luts(cls(modulate, read, Plan(lanes=FEATURES, lut_size=family.lut_size)),
                               family) for cls in (ParallelEncoder, Encoder))
            print(f"| {family.title} | {kind} | {own:,} | {own / count:.2f} | {other:,} | "
                  f"{other / count:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
