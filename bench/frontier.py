"""Accuracy over LUTs, encoder and head counted: networks of look-up tables against published ones.

``run`` trains every seed of the rows, each in a run folder of its own that a stopped bench goes on
with; ``build`` synthesises of each row the network that does best on the validation split;
``table`` prints accuracies and counts, ``draw`` the picture. The test part chooses nothing.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench.frontier_rows import PUBLISHED, ROWS
from bench.kept import mean
from bench.pipeline import run
from bitwright import files, ir
from bitwright.command import add_data_dir, guarded, positive
from bitwright.errors import UsageError, UserError

__all__ = ["chosen", "main", "networks", "parser"]

COST, BUILT, NETWORK = "cost.json", "built.json", "network.safetensors"

TITLES = ("network", "form", "seeds", "epochs", "test accuracy, %: mean", "least", "largest",
          "picked on validation", "before", "LUT6: encoder / core / head / rest", "total", "budget",
          "cycles a sample", "CPU min a training", "peak memory, MiB")


def parser():
    """Command line of the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.frontier", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", metavar="WHAT", choices=["run", "build", "table", "draw"],
                        help="run, build, table or draw")
    parser.add_argument("--rows", metavar="NAMES", help="recipes, separated by commas (default: "
                        f"all; {', '.join(row.recipe for row in ROWS)})")
    parser.add_argument("--seeds", metavar="N", type=positive, default=4,
                        help="seeds of a row (default: %(default)s)")
    parser.add_argument("--first", metavar="N", type=int, default=0,
                        help="the first of them (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/frontier"),
                        help="folder of the run folders (default: %(default)s)")
    parser.add_argument("--picture", metavar="FILE", type=Path,
                        default=Path("docs/pictures/frontier.png"),
                        help="where to draw (default: %(default)s)")
    add_data_dir(parser)
    return parser


def main(argv=None):
    args = parser().parse_args(argv)
    return guarded(lambda: work(args), interrupted=(
        "stopped; the same command goes on from the last whole epochs"))


def work(args):
    """Do what the command line asks for."""
    names = {row.recipe: row for row in ROWS}
    rows = [_row(names, name) for name in args.rows.split(",")] if args.rows else list(ROWS)
    if args.what == "run":
        for seed in range(args.first, args.first + args.seeds):
            for row in rows:
                _train(row, seed, args)
    elif args.what == "build":
        for row in rows:
            if networks(row, args.out):
                _build(row, chosen(row, args.out), args.out)
    elif args.what == "table":
        print(_table(rows, args.out))
    else:
        _draw(rows, args.out, args.picture)
        print(args.picture)


def networks(row, out):
    """Folders of the networks of a row that are trained, by the seed.

    Parameters
    ----------
    row : Row
    out : Path
        Folder of the run folders.

    Returns
    -------
    list of Path
    """
    return sorted(path.parent for path in out.glob(f"{row.recipe}-seed*/{NETWORK}"))


def chosen(row, out):
    """Folder of the network of a row that does best on the validation split; the first of equals.

    The split is another one for every seed: that the choice is fair rests on their size alone.
    """
    return max(networks(row, out), key=lambda path: _accuracy(path)["validation"])


def _row(names, name):
    if name not in names:
        raise UsageError(f"--rows must name rows of {', '.join(names)}, not {name!r}")
    return names[name]


def _accuracy(folder):
    return ir.load(folder / NETWORK).provenance["accuracy"]


def _train(row, seed, args):
    """Train a seed of a row, unless it is done, and add up what that cost."""
    folder = args.out / f"{row.recipe}-seed{seed}"
    if (folder / NETWORK).exists():
        return
    begun = (folder / "checkpoint.pt").exists()
    command = ["--resume"] if begun else [row.recipe, "--force", "--seed", str(seed)]
    data = ["--data-dir", args.data_dir] if args.data_dir and not begun else []
    seconds, peak = _cost(folder) if begun else (0.0, 0.0)
    process = subprocess.Popen([sys.executable, "-m", "model.train", *command, "--out", str(folder),
                                "--threads", "1", *data])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_atomic(folder / COST, json.dumps({
        "seconds": seconds + used.ru_utime + used.ru_stime,
        "peak": max(peak, used.ru_maxrss / 1024)}) + "\n")
    if process.returncode:
        raise UserError(f"{folder}: the training ended with status {process.returncode}; the same "
                        "command goes on with it")


def _build(row, folder, out):
    """Synthesise a network in the form of its row, unless it is done."""
    path = out / f"{row.recipe}.{BUILT}"
    digest = ir.digest(ir.load(folder / NETWORK))
    if path.exists() and _told(path)["network"] == digest:
        return
    told = json.loads(run("hw.build", str(folder), *row.build, "--stop-after", "synth", "--json",
                          "--out", str(out / f"{row.recipe}-build")))
    files.write_atomic(path, json.dumps({
        "network": digest, "seed": folder.name, "total": told["resources"]["total"],
        "parts": {name: part["luts"] for name, part in told["resources"]["parts"].items()},
        "cycles": told["throughput"]["ip"]["interval_cycles"]}) + "\n")


def _told(path):
    return json.loads(path.read_text(encoding="utf-8"))


def _cost(folder):
    """CPU seconds and the most MiB of a training so far; 0 of one that was killed before it told.
    """
    told = _told(folder / COST) if (folder / COST).exists() else {"seconds": 0.0, "peak": 0.0}
    return told["seconds"], told["peak"]


def _table(rows, out):
    lines = [f"| {' | '.join(TITLES)} |", "|---" * len(TITLES) + "|"]
    for row in rows:
        folders = networks(row, out)
        if folders:
            lines.append(f"| {' | '.join(_cells(row, folders, out))} |")
    return "\n".join(lines)


def _cells(row, folders, out):
    found = [ir.load(folder / NETWORK).provenance for folder in folders]
    test = [100 * one["accuracy"]["test"] for one in found]
    seconds, peaks = zip(*map(_cost, folders), strict=True)
    picked = test[folders.index(chosen(row, out))]
    built = out / f"{row.recipe}.{BUILT}"
    counts = ["-"] * 4
    if built.exists():
        told = _told(built)
        counts = [" / ".join(f"{told['parts'].get(part, 0):,}"
                             for part in ("encoder", "core", "head", "other")),
                  f"{told['total']['luts']:,}", f"{row.budget:,}", f"{told['cycles']:,}"]
    return [f"`{row.recipe}`", row.form, str(len(test)), str(found[0]["recipe"]["epochs"]),
            mean(test), f"{min(test):.2f}", f"{max(test):.2f}", f"{picked:.2f}", f"{row.beat:g}",
            *counts, mean([one / 60 for one in seconds], "{:.1f}"), f"{max(peaks):,.0f}"]


def _draw(rows, out, path):
    """Draw accuracy over LUTs of the rows of MNIST, with the spread of their seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    for number, source in enumerate(dict.fromkeys(point.source for point in PUBLISHED)):
        axis.plot(*zip(*((point.luts, point.accuracy) for point in PUBLISHED
                         if point.source == source), strict=True), "x--", label=source,
                  color=f"C{3 + number}", linewidth=0.8)
    for number, form in enumerate(dict.fromkeys(row.form for row in rows)):
        points = [_point(row, out) for row in rows if row.form == form and row.data == "MNIST"
                  and (out / f"{row.recipe}.{BUILT}").exists()]
        if points:
            luts, means, least, most = zip(*sorted(points), strict=True)
            axis.errorbar(luts, means, (least, most), fmt="o-", capsize=3, color=f"C{number}",
                          label=f"here, {form}: mean, least and largest of the seeds")
    axis.set(xlabel="LUTs of six inputs, encoder and head counted",
             ylabel="MNIST, test accuracy, %")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _point(row, out):
    """LUTs of a row, mean of its accuracies, and how far the least and the largest are from it."""
    test = [100 * _accuracy(folder)["test"] for folder in networks(row, out)]
    middle = sum(test) / len(test)
    luts = _told(out / f"{row.recipe}.{BUILT}")["total"]["luts"]
    return luts, middle, middle - min(test), max(test) - middle


if __name__ == "__main__":
    sys.exit(main())
