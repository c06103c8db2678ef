"""What wiring costs on a device: accuracy, LUTs, wires and Fmax, as a table and a picture.

Networks of one recipe, whose tables may read everything, or a window, or pay for their wires while
they learn, are trained, placed and routed with their board. Each is also built in other orders,
which are the same function: nodes placed anew as by `bitwright minimise --arrange`, nodes shuffled,
features shuffled. Wires are what nextpnr's placer adds up, half the perimeter around every net, in
tiles. All results are kept, so that the same command goes on where it was stopped, and each row
leaves a line in ``bench/routed.jsonl``, of which ``--kept`` makes table and picture without any
build.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np

from bench.kept import result
from bench.lines import put, read
from bench.shuffled import features_shuffled, nodes_shuffled
from bitwright import boards, files, ir
from bitwright.command import add_data_dir, guarded, positive
from bitwright.errors import UserError
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.options import Options
from bitwright.hw.flow.place import PlaceError, RouteError
from bitwright.hw.plan import Plan
from bitwright.hw.report.capacity import FitError
from bitwright.minimise.arrange import arranged, length
from bitwright.model.recipe import load_recipe

__all__ = ["LINES", "ORDERS", "WIRINGS", "draw", "line", "main", "placed", "table"]

LINES = Path(__file__).with_name("routed.jsonl")

WIRINGS = {
    "window": {},
    "all": {"wiring": "learnable", "window": 0},
    "all, price 0.3": {"wiring": "learnable", "window": 0, "wire_cost": 0.3},
    "all, price 3": {"wiring": "learnable", "window": 0, "wire_cost": 3.0},
}
"""Settings of every layer of tables, by what the rows are called; the first are the recipe's."""

ORDERS = {
    "as trained": lambda network: network,
    "placed anew": arranged,
    "nodes shuffled": lambda network: nodes_shuffled(network, np.random.default_rng(1)),
    "features shuffled": lambda network: features_shuffled(network, np.random.default_rng(1)),
}

_WIRES = re.compile(r"wirelen = (\d+)")


def trained(wiring, args, seed):
    """A network: its test accuracy, and what was frozen."""
    layers = load_recipe(args.recipe).plain()["layers"]
    recipe = load_recipe(args.recipe, [f"seed={seed}", *args.overrides, *(
        f"layers.{index}.{key}={value}" for index, layer in enumerate(layers)
        if layer["kind"] == "lut" for key, value in WIRINGS[wiring].items())])
    folder = args.out / _slug(wiring)
    found = result(recipe, folder, args.data_dir)
    return found["test"], ir.load(folder / f"{recipe.name}-seed{recipe.seed}.safetensors")


def placed(network, board, seed, folder):
    """Place and route a network, unless that has been done.

    Parameters
    ----------
    network : ir.Network
    board : Board
    seed : int
        Of the placer.
    folder : Path
        Of the results and the last build.

    Returns
    -------
    dict
        ``luts``, ``wires``, ``mhz`` and ``slowest`` (the parts between which the slowest path
        lies); the latter two are None where no router got through.
    """
    path = folder / f"{board.name}-placer{seed}.json"
    if path.exists():
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["network"] == ir.digest(network):
            return values
    out = folder / board.name
    options = Options(board=board, family=board.family, plan=Plan(lut_size=board.family.lut_size),
                      out=out, clock_hz=board.clock_hz, baud=board.baud, seed=seed,
                      allow_timing_fail=True)
    for log in (out / "logs").glob("nextpnr*.log"):
        log.unlink()
    try:
        build("network", network, options)
    except (FitError, PlaceError, RouteError) as error:
        print(f"{out}: {error}", file=sys.stderr)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    wires = [int(match) for log in sorted((out / "logs").glob("nextpnr*.log"))
             for match in _WIRES.findall(log.read_text(encoding="utf-8"))]
    timing = report["timing"] or {}
    fmax = timing.get("fmax_hz")
    values = {"network": ir.digest(network), "luts": report["resources"]["total"]["luts"],
              "wires": wires[-1] if wires else None, "mhz": None if fmax is None else fmax / 1e6,
              "slowest": timing.get("slowest_path")}
    files.write_atomic(path, json.dumps(values))
    return values


def line(trainings):
    """What is kept of a row.

    Parameters
    ----------
    trainings : list of tuple
        Test accuracy, mean wire in sides of the field, and what :func:`placed` says for each seed
        of the placer.

    Returns
    -------
    dict
        ``test`` (percent), ``wire``, ``luts``, ``wires`` and ``mhz``: each a ``mean``, and an
        ``sd`` where there are several values; ``least`` and ``most`` of the wires; None where
        there is no value. ``builds``, and how many of them were not ``routed``.
    """
    builds = [one for _, _, of_seeds in trainings for one in of_seeds]
    wires = [one["wires"] for one in builds if one["wires"] is not None]
    mhz = [one["mhz"] for one in builds if one["mhz"] is not None]
    return {"test": _spread([100 * accuracy for accuracy, _, _ in trainings], 2),
            "wire": _spread([wire for _, wire, _ in trainings], 3),
            "luts": _spread([one["luts"] for one in builds], 0),
            "wires": {**_spread(wires, 0), "least": min(wires), "most": max(wires)}
            if wires else None,
            "mhz": _spread(mhz, 1) if mhz else None,
            "builds": len(builds), "not routed": len(builds) - len(mhz)}


def _spread(values, digits):
    found = {"mean": np.mean(values)} | ({"sd": np.std(values, ddof=1)} if len(values) > 1 else {})
    return {name: round(float(value), digits or None) for name, value in found.items()}


def table(rows):
    """A Markdown table of rows: of each its ``wiring``, ``order`` and what :func:`line` says."""
    head = ("tables read", "order", "test, %", "wire, sides", "LUTs", "wires as placed, tiles",
            "least", "most", "Fmax, MHz", "builds", "not routed")
    lines = [f"| {' | '.join(head)} |", f"{'|---' * 2}{'|---:' * (len(head) - 2)}|"]
    for row in rows:
        wires = row["wires"]
        cells = [row["wiring"], row["order"], _told(row["test"], ".2f"), _told(row["wire"], ".3f"),
                 _told(row["luts"], ",.0f"), _told(wires, ",.0f"),
                 *(f"{wires[end]:,}" if wires else "-" for end in ("least", "most")),
                 _told(row["mhz"], ".1f"), str(row["builds"]), str(row["not routed"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _told(value, form):
    if value is None:
        return "-"
    return format(value["mean"], form) + (f" ± {value['sd']:{form}}" if "sd" in value else "")


def draw(rows, path):
    """Draw accuracy over LUTs, over wires and over Fmax, means of the builds of a row."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, sharey=True, figsize=(10.5, 3.6), layout="constrained")
    wirings = list(dict.fromkeys(row["wiring"] for row in rows))
    markers = dict(zip(ORDERS, "os^v", strict=True))
    for row in rows:
        for axis, key in zip(axes, ("luts", "wires", "mhz"), strict=True):
            if row[key]:
                axis.plot(row[key]["mean"], row["test"]["mean"], markers[row["order"]],
                          color=f"C{wirings.index(row['wiring'])}", markersize=6,
                          markerfacecolor="none", label=f"{row['wiring']}, {row['order']}")
    axes[0].set(ylabel="test accuracy, %")
    for axis, title in zip(axes, ("LUTs", "wires as placed, tiles", "Fmax, MHz"), strict=True):
        axis.set(xlabel=title)
        axis.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=7, loc="outside right upper")
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def main(argv=None):
    """Run the bench. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.routed", description=__doc__)
    parser.add_argument("--recipe", metavar="RECIPE", default="digits", help="(default: digits)")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[],
        dest="overrides", help="of every row, such as epochs=30; may be repeated")
    parser.add_argument("--board", metavar="NAME", default="icebreaker",
                        help="(default: icebreaker)")
    parser.add_argument("--wiring", metavar="NAME", action="append", choices=WIRINGS,
                        help=f"only these rows: {', '.join(map(repr, WIRINGS))}")
    parser.add_argument("--order", metavar="NAME", action="append", choices=ORDERS,
                        help=f"only these: {', '.join(map(repr, ORDERS))}")
    parser.add_argument("--seeds", metavar="N", type=positive, default=1,
                        help="trainings of a row (default: 1)")
    parser.add_argument("--placers", metavar="N", type=positive, default=2,
                        help="seeds of the placer for each (default: 2)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("build", "routed"),
                        help="folder of what is kept (default: %(default)s)")
    parser.add_argument("--picture", metavar="FILE", type=Path,
                        help="where the picture goes (default: routed.png in that folder)")
    parser.add_argument("--lines", metavar="FILE", type=Path, default=LINES,
                        help="a line a row that was found (default: %(default)s)")
    parser.add_argument("--kept", action="store_true",
                        help="train and build nothing, tell what the lines hold of these rows")
    add_data_dir(parser)
    args = parser.parse_args(argv)
    return guarded(lambda: _run(args))


def _run(args):
    of = {"recipe": args.recipe, "set": args.overrides, "board": args.board}
    if not args.kept:
        _build(of, args)
    known = {_key(row): row for row in read(args.lines)}
    rows = [known[key] for wiring in args.wiring or WIRINGS for order in args.order or ORDERS
            if (key := _key({**of, "wiring": wiring, "order": order})) in known]
    if not rows:
        raise UserError(f"{args.lines}: there is no such row; without --kept it is built")
    print(table(rows))
    picture = args.picture or args.out / "routed.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw(rows, picture)
    print(picture, file=sys.stderr)


def _build(of, args):
    """Train and build what is not yet, and put a line a row."""
    board = boards.get(args.board)
    for wiring in args.wiring or WIRINGS:
        networks = [trained(wiring, args, seed) for seed in range(args.seeds)]
        for order in args.order or ORDERS:
            found = []
            for seed, (accuracy, network) in enumerate(networks):
                own = ORDERS[order](network)
                folder = args.out / _slug(wiring) / f"seed{seed}-{_slug(order)}"
                found.append((accuracy, length(own), [placed(own, board, placer, folder) for placer
                                                      in range(1, args.placers + 1)]))
            put(args.lines, [{**of, "wiring": wiring, "order": order, **line(found)}], _key)


def _key(row):
    """What a row is known by."""
    return (row["recipe"], tuple(row["set"]), row["board"], row["wiring"], row["order"])


def _slug(name):
    return re.sub(r"\W+", "-", name)


if __name__ == "__main__":
    sys.exit(main())
