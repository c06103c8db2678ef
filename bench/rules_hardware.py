"""Prove and build one network of every learning rule, and print one table.

The networks are those of ``python -m bench.rules`` with seed 0. Dense layers are folded; every
network is simulated at RTL on test images and built for a board. What is built already is kept, by
what the network computes: two rules that end in the same one share a build.
"""

import argparse
import json
import sys
from pathlib import Path

from bench.pipeline import run
from bench.rules import RULES, slug
from bitwright import files, ir
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import folded

__all__ = ["main"]


def measure(name, args):
    """A row of the table."""
    path = args.out / f"{args.data}-{slug(name)}-seed0.safetensors"
    network = ir.load(path)
    data = ["--data-dir", str(args.data_dir)] if args.data_dir else []
    computed = ir.digest(network)[:12]
    work = args.out / f"{args.board}-{args.cycles}-{args.vectors}" / computed
    work.mkdir(parents=True, exist_ok=True)
    figures = {}
    # The encoder takes a feature a beat on the board; the simulation takes them all at once.
    for use, lanes in (("sim", network.features), ("build", 1)):
        plan, result = work / f"{use}.toml", work / f"{use}.json"
        if not result.exists():
            files.write_atomic(plan, folded(Plan(lanes=lanes), network, args.cycles).to_toml())
            command = (["sim.run", str(path), "--level", "rtl", "--vectors", str(args.vectors),
                        *data] if use == "sim" else
                       ["hw.build", str(path), "--board", args.board, "--out", str(work / "build")])
            files.write_atomic(result, run(*command, "--plan", str(plan), "--json"))
        figures[use] = json.loads(result.read_text(encoding="utf-8"))
    return line(name, network, figures["sim"], figures["build"])


def line(name, network, simulated, built):
    total, device = built["resources"]["total"], built["device"]
    return (f"| {name} | {100 * network.provenance['accuracy']['test_ir']:.2f} | "
            f"{simulated['vectors']:,} | {simulated['mismatches']} | {total['luts']:,} | "
            f"{total['flip_flops']:,} | {device['logic_cells']:,} | {total['memories']} | "
            f"{built['timing']['fmax_hz'] / 1e6:.1f} | "
            f"{built['throughput']['ip']['interval_cycles']:,} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.rules_hardware", description=__doc__)
    parser.add_argument("data", metavar="DATA", nargs="?", default="digits",
                        help="data set of the networks (default: %(default)s)")
    parser.add_argument("--only", metavar="RULE", choices=sorted(RULES), action="append",
                        help=f"one of {', '.join(RULES)}; can be given several times")
    parser.add_argument("--board", metavar="NAME", default="icebreaker",
                        help="board to build for (default: %(default)s)")
    parser.add_argument("--cycles", metavar="N", type=int, default=512,
                        help="cycles that a folded layer may take (default: %(default)s)")
    parser.add_argument("--vectors", metavar="N", type=int, default=450,
                        help="test images to simulate (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/rules"),
                        help="where bench.rules keeps its networks (default: %(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="as for model.train")
    args = parser.parse_args(argv)
    titles = ("rule", "test accuracy, %", "RTL vectors", "mismatches", "LUTs", "FFs",
              "logic cells", "BRAMs", "Fmax, MHz", "cycles a sample, IP")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    lines += [measure(name, args) for name in args.only or RULES]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
