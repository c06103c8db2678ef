"""Accuracy over LUTs, encoder and head counted: networks of look-up tables against published ones.

``run`` trains every seed of the rows, each in a run folder of its own that a stopped bench goes on
with. ``build`` builds of each row the network that does best on the validation split, and ``prove``
simulates what was built on the test part. All keep what they find in ``bench/frontier.jsonl``, a
line a training and a line a row: what is there is not done again, and ``table`` and ``draw`` need
no run folders. ``prove`` needs that of the network, and ``build`` its folder, too. The test part
chooses nothing.

``estimate`` prints what ``build --estimate`` says of the rows beside what they came to, LUTs of
logic cells as synthesis counts them; it needs the run folders.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from bench.frontier_rows import PUBLISHED, ROWS
from bench.lines import put, read
from bench.pipeline import run
from bitwright import files, ir
from bitwright.command import add_data_dir, guarded, positive
from bitwright.errors import UsageError, UserError

__all__ = ["KEPT", "chosen", "main", "parser", "trainings"]

KEPT = Path(__file__).with_name("frontier.jsonl")

COST, NETWORK = "cost.json", "network.safetensors"

UNKNOWN = {"seconds": None, "peak": None}
"""What a training took, where it was killed before it told. Where it is known, these are seconds of
the processor, and the most MiB of memory."""

LARGE = "ICESTORM_SPRAM"
"""What nextpnr calls the large memories of a UP5K."""

PARTS = ("encoder", "core", "head", "link", "other")

TITLES = ("row", "form", "seeds", "epochs", "test accuracy, %: mean", "least", "largest",
          "picked on validation", "before", "encoder / core / head / link / rest", "total",
          "budget", "block RAMs / large memories", "MHz", "cycles a sample", "samples/s",
          "samples, mismatches", "CPU min a training", "peak memory, MiB")


def parser():
    """Command line of the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.frontier", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", metavar="WHAT",
                        choices=["run", "build", "prove", "table", "draw", "estimate"],
                        help="run, build, prove, table, draw or estimate")
    parser.add_argument("--rows", metavar="NAMES", help="rows, separated by commas (default: "
                        f"all; {', '.join(row.name for row in ROWS)})")
    parser.add_argument("--seeds", metavar="N", type=positive, default=4,
                        help="seeds of a row (default: %(default)s)")
    parser.add_argument("--first", metavar="N", type=int, default=0,
                        help="the first of them (default: %(default)s)")
    parser.add_argument("--device", metavar="NAME", default="cpu",
                        help="where to train (default: %(default)s)")
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
            if trainings(row, args.kept):
                (_build if args.what == "build" else _prove)(row, args)
    elif args.what == "table":
        print(_table(rows, _kept(args.kept)))
    elif args.what == "estimate":
        print(_estimates(rows, _kept(args.kept), args))
    else:
        _draw(rows, _kept(args.kept), args.picture)
        print(args.picture)


def trainings(row, kept):
    """What the trainings of a row came to, by the seed.

    Parameters
    ----------
    row : Row
    kept : Path
        File of what was found.

    Returns
    -------
    list of dict
        ``seed``, ``network`` (its digest), ``device``, ``epochs``, ``validation`` and ``test``
        (accuracies), CPU ``seconds`` and ``peak_mib`` of memory, None where they are not known.
    """
    found = [one for name, one in _kept(kept).items() if name.startswith(f"{row.recipe} ")]
    return sorted(found, key=lambda one: one["seed"])


def chosen(row, kept):
    """The training of a row that does best on the validation split; the first of equals.

    The split is another one for every seed: that the choice is fair rests on their size alone.
    """
    return max(trainings(row, kept), key=lambda one: one["validation"])


def _row(names, name):
    if name not in names:
        raise UsageError(f"--rows must name rows of {', '.join(names)}, not {name!r}")
    return names[name]


def _train(recipe, seed, args):
    """Train a seed of a recipe, unless it is done, and keep what it came to."""
    name = f"{recipe} seed {seed}"
    if name in _kept(args.kept):
        return
    folder = args.out / f"{recipe}-seed{seed}"
    if not (folder / NETWORK).exists():
        _go_on(recipe, seed, folder, args)
    network = ir.load(folder / NETWORK)
    told = network.provenance
    cost = _cost(folder, args)
    _keep(args.kept, {"name": name, "seed": seed, "network": ir.digest(network),
                      "device": cost["device"],
                      "epochs": told["recipe"]["epochs"],
                      "validation": round(100 * told["accuracy"]["validation"], 2),
                      "test": round(100 * told["accuracy"]["test"], 2),
                      "seconds": cost["seconds"] and round(cost["seconds"], 1),
                      "peak_mib": cost["peak"] and round(cost["peak"])})


def _go_on(recipe, seed, folder, args):
    """Train from the last whole epoch on, if there is one, and add up what that cost."""
    begun = (folder / "checkpoint.pt").exists()
    command = ["--resume"] if begun else [recipe, "--force", "--seed", str(seed)]
    data = ["--data-dir", args.data_dir] if args.data_dir and not begun else []
    before = _cost(folder, args) if begun else {"seconds": 0.0, "peak": 0.0}
    process = subprocess.Popen([sys.executable, "-m", "model.train", *command, "--out", str(folder),
                                "--threads", "1", "--device", args.device, *data])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    folder.mkdir(parents=True, exist_ok=True)
    known = before["seconds"] is not None
    files.write_atomic(folder / COST, json.dumps({"device": args.device} | ({
        "seconds": before["seconds"] + used.ru_utime + used.ru_stime,
        "peak": max(before["peak"], used.ru_maxrss / 1024)} if known else UNKNOWN)) + "\n")
    if process.returncode:
        raise UserError(f"{folder}: the training ended with status {process.returncode}; the same "
                        "command goes on with it")


def _cost(folder, args):
    """What a training took so far, and where it was."""
    path = folder / COST
    return (json.loads(path.read_text(encoding="utf-8")) if path.exists()
            else UNKNOWN | {"device": args.device})


def _build(row, args):
    """Build a network in the form of its row, unless it is done, and keep what it came to."""
    one, found = chosen(row, args.kept), _kept(args.kept).get(row.name, {})
    if found.get("network") != one["network"]:
        end = () if row.placed else ("--stop-after", "synth")
        told = json.loads(run("hw.build", str(_folder_of(row, one, args)), *row.build, *end,
                              "--json", "--out", str(_built_in(row, args))))
        found = {"name": row.name, "network": one["network"], "proofs": {}, **_built(row, told)}
    _keep(args.kept, found | _trained(trainings(row, args.kept), one))


def _prove(row, args):
    """Simulate what was built of a row at each of its levels, unless it is done."""
    one, found = chosen(row, args.kept), _kept(args.kept).get(row.name, {})
    if found.get("network") != one["network"]:
        raise UserError(f"{row.name}: the network of seed {one['seed']} is not built; build it "
                        "first")
    data = ["--data-dir", args.data_dir] if args.data_dir else []
    plan = str(_built_in(row, args) / "plan.toml")
    for level, vectors in row.proofs:
        if level not in found["proofs"]:
            told = json.loads(run("sim.run", str(_folder_of(row, one, args)), "--plan", plan,
                                  "--level", level, "--vectors", str(vectors), "--json", "--out",
                                  str(args.out / f"{row.name}-{level}"), *data))
            if not told["source"].startswith("test set"):
                raise UserError(f"{row.name}: simulated with vectors of {told['source']}, not the "
                                "test set; --data-dir says where its files are")
            found["proofs"][level] = {name: told[name]
                                      for name in ("vectors", "mismatches", "cycles")}
            _keep(args.kept, found)


def _folder_of(row, one, args):
    """The run folder of a training, whose network is the one that is kept."""
    folder = args.out / f"{row.recipe}-seed{one['seed']}"
    if not (folder / NETWORK).exists():
        raise UserError(f"{folder} is not there; python -m model.train {row.recipe} --seed "
                        f"{one['seed']} --out {folder} makes it again")
    if ir.digest(ir.load(folder / NETWORK)) != one["network"]:
        raise UserError(f"{folder}: the network is not the one that {args.kept} tells of")
    return folder


def _built_in(row, args):
    return args.out / f"{row.name}-build"


def _built(row, told):
    """What a build came to."""
    total, block = told["resources"]["total"], told["throughput"]["ip"]
    fmax, rate = told["timing"]["fmax_hz"], block["per_second_at_fmax"]
    used = told["device"]["utilisation"] if row.placed else {}
    return {"total": told["device"]["logic_cells"] if row.unit == "LC" else total["luts"],
            "parts": {name: part["luts"] for name, part in told["resources"]["parts"].items()},
            "memories": total["memories"], "large": used.get(LARGE, {"used": 0})["used"],
            "mhz": None if fmax is None else round(fmax / 1e6, 1),
            "cycles": block["interval_cycles"], "rate": None if rate is None else round(rate)}


def _trained(found, picked):
    """What the trainings of a row came to."""
    test = np.array([one["test"] for one in found])
    known = [one for one in found if one["seconds"] is not None]
    return {"seeds": len(found), "epochs": picked["epochs"],
            "test": _spread(test) | {"least": test.min(), "largest": test.max(),
                                     "picked": picked["test"]},
            "minutes": _spread(np.array([one["seconds"] for one in known]) / 60) if known else None,
            "device": next((one["device"] for one in found if one["device"] != "cpu"), "cpu"),
            "peak_mib": max((one["peak_mib"] for one in known), default=None)}


def _spread(values):
    sd = values.std(ddof=1) if len(values) > 1 else 0.0
    return {"mean": round(values.mean(), 2), "sd": round(sd, 2)}


def _kept(path):
    """What was found, by name: of a row, or of a recipe with its seed."""
    return {one["name"]: one for one in read(path)}


def _keep(path, found):
    """Put a line in the place of what was known by its name."""
    put(path, [found], lambda one: one["name"])


def _table(rows, known):
    found = [f"| {' | '.join(_cells(row, known[row.name]))} |" for row in rows if row.name in known]
    return "\n".join([f"| {' | '.join(TITLES)} |", "|---" * len(TITLES) + "|", *found])


def _cells(row, found):
    test, minutes = found["test"], found["minutes"]
    proofs = "; ".join(f"{level} {one['vectors']:,}, {one['mismatches']}"
                       for level, one in found["proofs"].items())
    return [f"`{row.name}`", row.form, str(found["seeds"]), str(found["epochs"]),
            f"{test['mean']:.2f} ± {test['sd']:.2f}", f"{test['least']:.2f}",
            f"{test['largest']:.2f}", f"{test['picked']:.2f}", f"{row.beat:g}",
            " / ".join(f"{found['parts'].get(part, 0):,}" for part in PARTS),
            f"{found['total']:,} {row.unit}", f"{row.budget:,}",
            f"{found['memories']} / {found['large']}",
            "-" if found["mhz"] is None else f"{found['mhz']:g}", f"{found['cycles']:,}",
            "-" if found["rate"] is None else f"{found['rate']:,}",
            proofs or "-",
            ("?" if minutes is None else f"{minutes['mean']:.1f} ± {minutes['sd']:.1f}")
            + ("" if found["device"] == "cpu" else ", and a GPU"),
            "?" if minutes is None else f"{found['peak_mib']:,}"]


def _estimates(rows, known, args):
    """Estimated beside built, a row each that is, and how far off LUTs are on average."""
    lines, off = [], []
    for row in [row for row in rows if row.name in known]:
        built = known[row.name]
        folder = _folder_of(row, chosen(row, args.kept), args)
        told = json.loads(run("hw.build", str(folder), *row.asked, "--estimate", "--json"))
        luts = sum(built["parts"].values())
        off.append(100 * (told["luts_total"] / luts - 1))
        parts = [f"{built['parts'].get(part, 0):,} / {told['luts'].get(part, 0):,}"
                 for part in PARTS]
        mhz = "-" if built["mhz"] is None else f"{built['mhz']:g} / {told['fmax_mhz']:.1f}"
        lines.append(f"| `{row.name}` | {luts:,} / {told['luts_total']:,} | {off[-1]:+.1f} | "
                     f"{' | '.join(parts)} | {built['memories']} / {told['memories']} | {mhz} |")
    sizes = np.abs(off)
    lines.insert(0, f"| row | LUTs | % | {' | '.join(PARTS)} | block RAMs | MHz |")
    lines.insert(1, "|---" + "|---:" * (4 + len(PARTS)) + "|")
    mean = f"LUTs off by {sizes.mean():.1f} % on average, {sizes.max():.1f} % at most"
    return "\n".join([*lines, "", f"{mean}; {len(off)} rows."])


def _draw(rows, known, path):
    """Draw accuracy over LUTs of six inputs of the rows of MNIST, with the spread of seeds.

    The axis of accuracies is logarithmic in what is wrong.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(7.2, 6.0), layout="constrained")
    drawn = [row for row in rows
             if row.unit == "LUT6" and row.data == "MNIST" and row.name in known]
    for number, form in enumerate(dict.fromkeys(row.form for row in drawn)):
        points = sorted(_point(known[row.name]) for row in drawn if row.form == form)
        luts, means, least, most = zip(*points, strict=True)
        axis.errorbar(luts, means, (least, most), fmt="o-", capsize=3, color=f"C{number}",
                      label=f"here, {form}: mean, least and largest of the seeds")
    for number, source in enumerate(dict.fromkeys(point.source for point in PUBLISHED)):
        points = [point for point in PUBLISHED if point.source == source]
        whole = points[0].whole
        axis.plot(*zip(*((point.luts, point.accuracy) for point in points), strict=True),
                  "x" if whole else "+", markersize=6 if whole else 9, color=f"C{3 + number}",
                  label=source if whole else f"{source}: encoder not counted")
    axis.set_yscale("function", functions=(lambda right: -np.log(100 - right),
                                           lambda drawn: 100 - np.exp(-drawn)))
    axis.set(xlabel="LUTs of six inputs, encoder and head counted unless said otherwise",
             ylabel="MNIST, test accuracy, %", xlim=(0, None), ylim=(90.5, 99.1),
             yticks=(91, 92, 93, 94, 95, 96, 97, 97.5, 98, 98.25, 98.5, 98.75, 99))
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
