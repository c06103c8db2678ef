"""Time and memory to generate the Verilog of LUT networks, against their size.

``python -m bench.generator`` prints the table of docs. Each size runs in a process of its own,
so that the peak memory is its own; the Yosys that writes the text is a child and counts too.
"""

import argparse
import json
import resource
import subprocess
import sys

import numpy as np

from bitwright import ir

SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


def network(size, seed=0, features=256, layers=4, fan_in=6):
    """Chain of equal layers of random tables with random wiring, ten classes, one threshold a
    feature."""
    rng = np.random.default_rng(seed)
    thresholds = rng.integers(1, 256, size=(1, features, 1)).astype(np.int32)
    entries = [ir.Entry("modulate", ir.Modulate(thresholds, 8), ("input",))]
    width, each = features, size // layers
    for index in range(layers):
        sources = rng.integers(width, size=(each, fan_in)).astype(np.int32)
        tables = rng.integers(2, size=(each, 1 << fan_in)).astype(bool)
        entries.append(ir.Entry(f"lut{index}", ir.Lut(width, sources, tables),
                                (entries[-1].name,)))
        width = each
    entries.append(ir.Entry("head", ir.GroupSum(width, 10), (entries[-1].name,)))
    return ir.Network(tuple(entries))


def measure(size):
    """Generate one network here, and say what it took."""
    from bitwright.hw.flow.verilog import to_verilog
    from bitwright.hw.plan import Plan
    from bitwright.hw.rtl.axi import AxiIp

    subject = network(size)
    before = _cpu_seconds()
    text = to_verilog(AxiIp(subject, Plan(lut_size=6)))
    own, child = (resource.getrusage(who).ru_maxrss / 1024
                  for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"luts": size, "cpu_s": round(_cpu_seconds() - before, 1), "peak_mb": round(own),
            "yosys_mb": round(child), "verilog_mb": round(len(text) / 1e6, 1)}


def _cpu_seconds():
    return sum(usage.ru_utime + usage.ru_stime
               for usage in map(resource.getrusage, (resource.RUSAGE_SELF,
                                                     resource.RUSAGE_CHILDREN)))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.generator", description=__doc__)
    parser.add_argument("sizes", metavar="LUTS", type=int, nargs="*", default=SIZES,
                        help="network sizes (default: %(default)s)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        print(json.dumps(measure(args.sizes[0])))
        return 0
    print("| LUT6 | CPU s | Python MB | Yosys MB | Verilog MB |\n|---|---|---|---|---|")
    for size in args.sizes:
        answer = subprocess.run([sys.executable, "-m", "bench.generator", "--one", str(size)],
                                check=True, capture_output=True, encoding="utf-8")
        row = json.loads(answer.stdout)
        print("|", " | ".join(map(str, row.values())), "|", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
