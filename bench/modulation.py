"""Compare ways to make bits of pictures: frames, depth, both, on a network for CIFAR-10 (JPEG).

``run`` trains the rows, most important first, each in a run folder of its own that a stopped bench
goes on with; ``prove`` evaluates what was frozen on the whole test part and compares every score
with the trained network's; ``table`` prints the accuracies, ``draw`` the curves. Every training has
a process of its own, several side by side, so that a failing one stops no other.

The test part is evaluated after every epoch, for the curves. It chooses nothing: frozen is the best
epoch on the validation split, as in every training. A row may also be the name of a recipe.
"""

import argparse
import sys
from pathlib import Path

from bench import modulation_figures, modulation_runs
from bench.modulation_rows import ROWS, row
from bitwright.command import guarded, natural, positive
from bitwright.errors import UsageError

__all__ = ["main", "parser"]


def parser():
    """Command line of the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.modulation", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", metavar="WHAT", choices=["run", "prove", "table", "draw", "rows"],
                        help="run, prove, table, draw, or rows: what there is to run")
    parser.add_argument("--rows", metavar="NAMES", help="rows, separated by commas (default: all)")
    parser.add_argument("--seeds", metavar="N", type=positive, default=2,
                        help="seeds of a row (default: %(default)s)")
    parser.add_argument("--epochs", metavar="N", type=positive,
                        help="epochs of a run (default: 8; of a recipe that is a row, its own)")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[],
                        dest="overrides", help="replace a setting of every row's recipe; may be "
                        "repeated")
    parser.add_argument("--device", metavar="NAME", default="cpu",
                        help="where to compute: cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--mixed", action="store_true",
                        help="compute the steps of binary convolutions in bfloat16")
    parser.add_argument("--jobs", metavar="N", type=positive, default=1,
                        help="processes side by side (default: %(default)s)")
    parser.add_argument("--minutes", metavar="N", type=float,
                        help="stop after so long, between two epochs (default: never)")
    parser.add_argument("--samples", metavar="N", type=natural, default=0,
                        help="prove on so many test pictures (default: all)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/modulation"),
                        help="folder of the run folders (default: %(default)s)")
    parser.add_argument("--pictures", metavar="DIR", type=Path, default=Path("docs/pictures"),
                        help="where to draw (default: %(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="as for model.train")
    return parser


def work(args):
    """Do what the command line asks for. Returns the exit status."""
    if args.minutes is not None and not args.minutes > 0:
        raise UsageError(f"--minutes must be above 0, not {args.minutes}")
    rows = [row(name) for name in args.rows.split(",")] if args.rows else list(ROWS)
    if args.what == "rows":
        for one in rows:
            print(f"{one.name}: {one.title}; recipe {one.recipe}"
                  + "".join(f", {setting}" for setting in one.settings))
        return 0
    if args.what == "run":
        return modulation_runs.run(rows, args)
    if args.what == "prove":
        return modulation_runs.prove(rows, args)
    found = {one: modulation_runs.found(one, args.out) for one in rows}
    if args.what == "table":
        print(modulation_figures.table(found))
    else:
        for path in modulation_figures.draw(found, args.pictures):
            print(path)
    return 0


def main(argv=None):
    args = parser().parse_args(argv)
    return guarded(lambda: work(args), interrupted=(
        "stopped; the same command goes on from the last whole epochs"))


if __name__ == "__main__":
    sys.exit(main())
