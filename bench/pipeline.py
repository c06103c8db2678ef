"""Take suites of networks through the whole pipeline, and print one table of what was measured.

Every row is trained, frozen (which compares torch with the golden evaluator on all test samples),
simulated at RTL, and built. What is done already is kept, so a stopped run goes on.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bench.kept import mean
from bitwright import ir

__all__ = ["SUITES", "Row", "main"]


class Row(NamedTuple):
    """One network and what is done with it."""

    name: str
    recipe: str
    overrides: tuple[str, ...] = ()
    seeds: int = 1
    build: tuple[str, ...] = ("--board", "ulx3s-25f")
    vectors: int = 1000
    lanes: int = 1
    fold: tuple[str, ...] = ()


def modulated(frames, depth):
    """A row of the modulation table."""
    return Row(f"F{frames}-D{depth}", "mnist-modulation",
               (f"modulate.frames={frames}", f"modulate.depth={depth}"), vectors=10_000, lanes=784)


VERILOG = ("--target", "xilinx", "--stop-after", "synth")
SUITES = {
    "digits": (
        Row("digits", "digits", seeds=5, build=("--board", "icebreaker"), vectors=360),
        Row("digits-xnor", "digits-xnor", seeds=5, build=("--board", "ulx3s-25f"), vectors=360),
        Row("digits-mixed", "digits-mixed", seeds=5, build=("--board", "ulx3s-25f"), vectors=360),
        Row("iris", "iris", seeds=5, build=("--board", "icebreaker"), vectors=38),
    ),
    "mnist": (
        Row("mnist", "mnist", build=("--board", "ulx3s-25f", "--freq", "80"), vectors=10_000),
        Row("mnist-icebreaker", "mnist-icebreaker", build=("--board", "icebreaker"),
            vectors=10_000),
    ),
    "modulation": (
        modulated(1, 1), modulated(1, 2), modulated(1, 4), modulated(1, 8),
        modulated(2, 1), modulated(2, 2), modulated(4, 1), modulated(8, 1),
    ),
    "xnor": (
        Row("mnist-xnor", "mnist-xnor", build=VERILOG, vectors=1000, lanes=28),
        Row("mnist-mixed", "mnist-mixed", build=VERILOG, vectors=1000, lanes=28),
    ),
    "convolution": (
        Row("digits-conv", "digits-conv", seeds=5, build=("--board", "icebreaker"), vectors=360,
            fold=("--fold", "256")),
        Row("mnist-conv", "mnist-conv", build=("--board", "ulx3s-25f"), fold=("--fold", "784")),
    ),
}


def run(*command):
    """Run a command of the project. Returns what it prints, and stops the benchmark if it fails."""
    print("+", *command, file=sys.stderr)
    done = subprocess.run([sys.executable, "-m", *command], stdout=subprocess.PIPE,
                          encoding="utf-8", check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}")
    return done.stdout


def trained(row, seed, out, data):
    """Frozen network of a row, trained unless it is there. A stopped training goes on."""
    folder = out / f"{row.name}-seed{seed}"
    if not (folder / "network.safetensors").exists():
        known = ["--resume"] if (folder / "checkpoint.pt").exists() else [
            row.recipe, "--seed", str(seed), *(f"--set={value}" for value in row.overrides)]
        run("model.train", *known, "--out", str(folder), *data)
    return folder / "network.safetensors"


def measure(row, out, data):
    """Measure a row. Seeds are only counted; the first, seed 0, is simulated and built."""
    networks = [ir.load(trained(row, seed, out, data)) for seed in range(row.seeds)]
    first = str(out / f"{row.name}-seed0")
    simulated = json.loads(run("sim.run", first, "--level", "rtl", "--vectors", str(row.vectors),
                               "--lanes", str(row.lanes), *row.fold, "--json", *data))
    built = json.loads(run("hw.build", first, *row.build, *row.fold, "--json",
                           "--out", str(out / f"{row.name}-build")))
    return networks, simulated, built


def line(row, networks, simulated, built):
    """A row of the table."""
    test = [100 * net.provenance["accuracy"]["test_ir"] for net in networks]
    parts = built["resources"]["parts"]
    luts = " / ".join(f"{parts[part]['luts']:,}" if part in parts else "-"
                      for part in ("encoder", "core", "head", "link"))
    total = built["resources"]["total"]
    fmax = built["timing"]["fmax_hz"]
    core = built["throughput"]["core"]["interval_cycles"]
    rate = f"{fmax / core:,.0f}" if fmax else "-"
    return (f"| {row.name} | {len(test)} | {mean(test)} | {luts} | "
            f"{total['luts']:,} | {total['flip_flops']:,} | {total['memories']} | "
            f"{f'{fmax / 1e6:.1f}' if fmax else '-'} | {core} | {rate} | "
            f"{simulated['vectors']:,} | {simulated['mismatches']} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("suite", metavar="SUITE", choices=sorted(SUITES),
                        help=f"one of {', '.join(sorted(SUITES))}")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/bench"),
                        help="keep networks and builds in DIR (default: %(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", help="as for model.train")
    args = parser.parse_args(argv)
    data = ["--data-dir", args.data_dir] if args.data_dir else []
    titles = ("network", "seeds", "test accuracy, %", "LUTs: encoder / core / head / link",
              "LUTs, total", "FFs", "BRAMs", "Fmax, MHz", "cycles a sample, core",
              "samples/s, core at Fmax", "RTL vectors", "mismatches")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for row in SUITES[args.suite]:
        lines.append(line(row, *measure(row, args.out, data)))
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
