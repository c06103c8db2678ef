"""Accuracy over LUTs, encoder and head counted: networks of look-up tables against published ones.

``run`` trains every seed of the rows, each in a run folder of its own that a stopped bench goes on
with. ``build`` builds of each row the network that does best on the validation split, and ``prove``
simulates what was built on the test part. Both keep what they find, a line a row, in
``bench/frontier.jsonl``, from which ``table`` prints and ``draw`` draws: neither needs the run
folders. The test part chooses nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.frontier_rows import PUBLISHED, ROWS
from bench.pipeline import run
from bitwright import files, ir
from bitwright.command import add_data_dir, guarded, positive
from bitwright.errors import UsageError, UserError

__all__ = ["KEPT", "chosen", "main", "networks", "parser"]

KEPT = Path(__file__).with_name("frontier.jsonl")

COST, NETWORK = "cost.json", "network.safetensors"

PARTS = ("encoder", "core", "head", "link", "other")

TITLES = ("row", "form", "seeds", "epochs", "test accuracy, %: mean", "least", "largest",
          "picked on validation", "before", "encoder / core / head / link / rest", "total",
          "budget", "MHz", "cycles a sample", "samples, mismatches",
          "CPU min a training", "peak memory, MiB")


def parser():
    """Command line of the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.frontier", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", metavar="WHAT", choices=["run", "build", "prove", "table", "draw"],
                        help="run, build, prove, table or draw")
    parser.add_argument("--rows", metavar="NAMES", help="rows, separated by commas (default: "
                        f"all; {', '.join(row.name for row in ROWS)})")
    parser.add_argument("--seeds", metavar="N", type=positive, default=4,
                        help="seeds of a row (default: %(default)s)")
    parser.add_argument("--first", metavar="N", type=int, default=0,
                        help="the first of them (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/frontier"),
                        help="folder of the run folders (default: %(default)s)")
    parser.add_argument("--kept", metavar="FILE", type=Path, default=KEPT,
                        help="what was found (default: %(default)s)")
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
    names = {row.name: row for row in ROWS}
    rows = [_row(names, name) for name in args.rows.split(",")] if args.rows else list(ROWS)
    if args.what == "run":
        for seed in range(args.first, args.first + args.seeds):
            for recipe in dict.fromkeys(row.recipe for row in rows):
                _train(recipe, seed, args)
    elif args.what in ("build", "prove"):
        for row in rows:
            if networks(row, args.out):
                (_build if args.what == "build" else _prove)(row, args)
    elif args.what == "table":
        print(_table(rows, _kept(args.kept)))
    else:
        _draw(rows, _kept(args.kept), args.picture)
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


def _train(recipe, seed, args):
    """Train a seed of a recipe, unless it is done, and add up what that cost."""
    folder = args.out / f"{recipe}-seed{seed}"
    if (folder / NETWORK).exists():
        return
    begun = (folder / "checkpoint.pt").exists()
    command = ["--resume"] if begun else [recipe, "--force", "--seed", str(seed)]
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


def _cost(folder):
    """CPU seconds and the most MiB of a training so far; 0 of one that was killed before it told.
    """
    path = folder / COST
    told = (json.loads(path.read_text(encoding="utf-8")) if path.exists()
            else {"seconds": 0.0, "peak": 0.0})
    return told["seconds"], told["peak"]


def _build(row, args):
    """Build a network in the form of its row, and keep what its seeds and the build came to."""
    folder = chosen(row, args.out)
    digest = ir.digest(ir.load(folder / NETWORK))
    found = _kept(args.kept).get(row.name, {})
    if found.get("network") != digest:
        end = () if row.placed else ("--stop-after", "synth")
        told = json.loads(run("hw.build", str(folder), *row.build, *end, "--json",
                              "--out", str(_folder(row, args.out))))
        found = {"row": row.name, "network": digest, "proofs": {}, **_built(row, told)}
    _keep(args.kept, found | _trained(networks(row, args.out), folder))


def _prove(row, args):
    """Simulate what was built of a row at each of its levels, unless it is done."""
    folder = chosen(row, args.out)
    found = _kept(args.kept).get(row.name)
    if found is None or found["network"] != ir.digest(ir.load(folder / NETWORK)):
        raise UserError(f"{row.name}: the network of {folder} is not built; build it first")
    data = ["--data-dir", args.data_dir] if args.data_dir else []
    plan = str(_folder(row, args.out) / "plan.toml")
    for level, vectors in row.proofs:
        if level not in found["proofs"]:
            told = json.loads(run("sim.run", str(folder), "--plan", plan, "--level", level,
                                  "--vectors", str(vectors), "--json", *data))
            found["proofs"][level] = {name: told[name]
                                      for name in ("vectors", "mismatches", "cycles")}
            _keep(args.kept, found)


def _folder(row, out):
    return out / f"{row.name}-build"


def _built(row, told):
    """What a build came to."""
    total = told["resources"]["total"]
    fmax = told["timing"]["fmax_hz"]
    return {"total": told["device"]["logic_cells"] if row.unit == "LC" else total["luts"],
            "parts": {name: part["luts"] for name, part in told["resources"]["parts"].items()},
            "memories": total["memories"],
            "mhz": None if fmax is None else round(fmax / 1e6, 1),
            "cycles": told["throughput"]["ip"]["interval_cycles"]}


def _trained(folders, picked):
    """What the seeds of a row came to."""
    found = [ir.load(folder / NETWORK).provenance for folder in folders]
    test = np.array([100 * one["accuracy"]["test"] for one in found])
    seconds, peaks = zip(*map(_cost, folders), strict=True)
    return {"seeds": len(folders), "epochs": found[0]["recipe"]["epochs"],
            "test": _spread(test) | {"least": round(test.min(), 2), "largest": round(test.max(), 2),
                                     "picked": round(test[folders.index(picked)], 2)},
            "minutes": _spread(np.array(seconds) / 60), "peak_mib": round(max(peaks))}


def _spread(values):
    sd = values.std(ddof=1) if len(values) > 1 else 0.0
    return {"mean": round(values.mean(), 2), "sd": round(sd, 2)}


def _kept(path):
    """What was found, by the name of the row."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {one["row"]: one for one in map(json.loads, lines)}


def _keep(path, found):
    """Put a row's line in the place of what was known of it."""
    with files.lock(Path(tempfile.gettempdir(), "bitwright-frontier")):
        known = _kept(path) | {found["row"]: found}
        order = [row.name for row in ROWS]
        lines = sorted(known.values(), key=lambda one: order.index(one["row"]))
        files.write_atomic(path, "".join(json.dumps(line) + "\n" for line in lines))


def _table(rows, known):
    lines = [f"| {' | '.join(TITLES)} |", "|---" * len(TITLES) + "|"]
    lines += [f"| {' | '.join(_cells(row, known[row.name]))} |" for row in rows
              if row.name in known]
    return "\n".join(lines)


def _cells(row, found):
    test, minutes = found["test"], found["minutes"]
    proofs = "; ".join(f"{level} {one['vectors']:,}, {one['mismatches']}"
                       for level, one in found["proofs"].items())
    return [f"`{row.name}`", row.form, str(found["seeds"]), str(found["epochs"]),
            f"{test['mean']:.2f} ± {test['sd']:.2f}", f"{test['least']:.2f}",
            f"{test['largest']:.2f}", f"{test['picked']:.2f}", f"{row.beat:g}",
            " / ".join(f"{found['parts'].get(part, 0):,}" for part in PARTS),
            f"{found['total']:,} {row.unit}", f"{row.budget:,}",
            "-" if found["mhz"] is None else f"{found['mhz']:g}", f"{found['cycles']:,}",
            proofs or "-", f"{minutes['mean']:.1f} ± {minutes['sd']:.1f}",
            f"{found['peak_mib']:,}"]


def _draw(rows, known, path):
    """Draw accuracy over LUTs of six inputs of the rows of MNIST, with the spread of their seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    for number, source in enumerate(dict.fromkeys(point.source for point in PUBLISHED)):
        axis.plot(*zip(*((point.luts, point.accuracy) for point in PUBLISHED
                         if point.source == source), strict=True), "x--", label=source,
                  color=f"C{3 + number}", linewidth=0.8)
    drawn = [row for row in rows
             if row.unit == "LUT6" and row.data == "MNIST" and row.name in known]
    for number, form in enumerate(dict.fromkeys(row.form for row in drawn)):
        points = sorted(_point(known[row.name]) for row in drawn if row.form == form)
        luts, means, least, most = zip(*points, strict=True)
        axis.errorbar(luts, means, (least, most), fmt="o-", capsize=3, color=f"C{number}",
                      label=f"here, {form}: mean, least and largest of the seeds")
    axis.set(xlabel="LUTs of six inputs, encoder and head counted",
             ylabel="MNIST, test accuracy, %")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _point(found):
    """LUTs of a row, mean of its accuracies, and how far the least and the largest are from it."""
    test = found["test"]
    return (found["total"], test["mean"], max(0.0, test["mean"] - test["least"]),
            max(0.0, test["largest"] - test["mean"]))


if __name__ == "__main__":
    sys.exit(main())
