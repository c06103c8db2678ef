"""What is left of networks of the zoo by proof, and by what their training samples show: a table.

LUTs are those of the whole block with encoder and head, after synthesis by each family's own flow.
A build simplifies in any case: the first row of a network is that.
"""

import argparse
import contextlib
import io
import json
import sys
import tempfile
import time
from pathlib import Path

from bitwright import ir
from bitwright.command import guarded
from bitwright.hw import families
from bitwright.minimise import run

__all__ = ["ROWS", "main"]

EXACT = "exact"

ROWS = {EXACT: ("--exact",),
        **{f"rare {share}": ("--rare", share) for share in ("0", "0.001", "0.003", "0.01")}}
"""What is taken away, and how the command is told so."""

FAMILIES = {"xilinx": "LUT6 (xilinx)", "ice40": "LUT4 (ice40)"}


def told(network, file, arguments):
    """What the command says of a network, and the seconds of the processor that it took."""
    before = time.process_time()
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        status = run.main([network, "--json", "--out", str(file), "--force", *arguments])
    if status:
        raise SystemExit(status)
    return json.loads(written.getvalue()), time.process_time() - before


def row(cells, step, network, seconds, chosen, parallel):
    """A line of the table."""
    sizes = [f"{step[key]:,}" for key in ("input_bits", "compared_bits", "tables",
                                           "table_inputs", "table_bits")]
    counts = [f"{run.luts(network, families.get(name), parallel=parallel):,}" for name in chosen]
    return f"| {' | '.join([*cells[:1], *sizes, *counts, *cells[1:], f'{seconds:.0f}'])} |"


def table(network, chosen, wanted, allow, parallel):
    """The lines of one network."""
    whole = None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "network.safetensors")
        for name in wanted:
            more = () if name == EXACT else ("--allow", allow, *["--parallel"] * parallel)
            result, seconds = told(network, file, [*ROWS[name], *more])
            steps = result["steps"]
            if whole is None:
                whole = ir.simplify(ir.load(Path(result["network"])))
                yield row([network, *_accuracies(whole)], steps[0], whole, 0, chosen, parallel)
            found = ir.load(file)
            yield row([name, *_accuracies(found)], steps[-1], found, seconds, chosen, parallel)


def _accuracies(network):
    """Of validation and test, as its file says."""
    accuracy = network.provenance["accuracy"]
    return [f"{accuracy[part]:.2%}" for part in ("validation", "test")]


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.minimise", description=__doc__)
    parser.add_argument("networks", metavar="NETWORK", nargs="*", default=["digits", "mnist"],
                        help="of the zoo, or files (default: digits mnist)")
    parser.add_argument("--only", metavar="ROW", action="append", choices=ROWS,
                        help=f"only these of {', '.join(ROWS)}")
    parser.add_argument("--family", metavar="NAME", action="append", choices=FAMILIES,
                        help="count the LUTs of these only (default: xilinx and ice40)")
    parser.add_argument("--sizes", action="store_true", help="count no LUTs, which takes minutes")
    parser.add_argument("--parallel", action="store_true",
                        help="with a parallel encoder, rather than a serial one")
    parser.add_argument("--allow", metavar="LOSS", default="0",
                        help="what validation accuracy may lose (default: %(default)s)")
    args = parser.parse_args(argv)
    return guarded(lambda: _tables(args))


def _tables(args):
    chosen = [] if args.sizes else args.family or list(FAMILIES)
    heads = ["network", "input bits", "compared", "tables", "inputs", "table bits",
             *(FAMILIES[name] for name in chosen), "validation", "test", "CPU s"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for network in args.networks:
        for line in table(network, chosen, args.only or list(ROWS), args.allow, args.parallel):
            print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
