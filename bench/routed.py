"""What wiring costs on a device: accuracy, LUTs, wires and Fmax, as a table and a picture.

Networks of one recipe, whose tables may read everything, or a window, or pay for their wires while
they learn, are trained, placed and routed with their board. Each is also built in other orders,
which are the same function: nodes placed anew as by `bitwright minimise --arrange`, nodes shuffled,
features shuffled. Wires are what nextpnr's placer adds up, half the perimeter around every net, in
tiles. All results are kept, so that the same command goes on where it was stopped.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np

from bench.kept import kept, mean, result
from bench.shuffled import features_shuffled, nodes_shuffled
from bitwright import boards, files, ir
from bitwright.command import add_data_dir, guarded, positive
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.options import Options
from bitwright.hw.flow.place import PlaceError, RouteError
from bitwright.hw.plan import Plan
from bitwright.hw.report.capacity import FitError
from bitwright.minimise.arrange import arranged, length
from bitwright.model.recipe import load_recipe

__all__ = ["ORDERS", "WIRINGS", "draw", "main", "placed", "table"]

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
    """A network: its test accuracy, and what was frozen. None: it is not kept, and shall be."""
    layers = load_recipe(args.recipe).plain()["layers"]
    recipe = load_recipe(args.recipe, [f"seed={seed}", *args.overrides, *(
        f"layers.{index}.{key}={value}" for index, layer in enumerate(layers)
        if layer["kind"] == "lut" for key, value in WIRINGS[wiring].items())])
    folder = args.out / _slug(wiring)
    if args.kept and kept(recipe, folder) is None:
        return None
    found = result(recipe, folder, args.data_dir)
    return found["test"], ir.load(folder / f"{recipe.name}-seed{recipe.seed}.safetensors")


def placed(network, board, seed, folder, *, kept=False):
    """Place and route a network, unless that has been done.

    Parameters
    ----------
    network : ir.Network
    board : Board
    seed : int
        Of the placer.
    folder : Path
        Of the results and the last build.
    kept : bool
        Whether nothing is built.

    Returns
    -------
    dict or None
        None where nothing is kept and nothing shall be built. Else
        ``luts``, ``wires``, ``mhz`` and ``slowest`` (the parts between which the slowest path
        lies); the latter two are None where no router got through.
    """
    path = folder / f"{board.name}-placer{seed}.json"
    if path.exists():
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["network"] == ir.digest(network):
            return values
    if kept:
        return None
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


def table(found):
    """A Markdown table.

    Parameters
    ----------
    found : dict
        By row, of each training a tuple: test accuracy, mean wire in sides of the field, and what
        :func:`placed` says for each seed of the placer.
    """
    head = ("tables read", "order", "test, %", "wire, sides", "LUTs", "wires as placed, tiles",
            "least", "most", "Fmax, MHz", "builds", "not routed")
    lines = [f"| {' | '.join(head)} |", "|---" * 2 + "|---:" * (len(head) - 2) + "|"]
    for (wiring, order), trainings in found.items():
        builds = [one for _, _, of_seeds in trainings for one in of_seeds]
        wires = [one["wires"] for one in builds if one["wires"] is not None]
        mhz = [one["mhz"] for one in builds if one["mhz"] is not None]
        cells = [wiring, order, mean([100 * accuracy for accuracy, _, _ in trainings]),
                 mean([wire for _, wire, _ in trainings], "{:.3f}"),
                 mean([one["luts"] for one in builds], "{:,.0f}"),
                 mean(wires, "{:,.0f}") if wires else "-",
                 *(f"{end(wires):,}" if wires else "-" for end in (min, max)),
                 mean(mhz, "{:.1f}") if mhz else "-",
                 str(len(builds)), str(len(builds) - len(mhz))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(found, path):
    """Draw accuracy over wires and over Fmax, a point a build."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(8, 3.6), layout="constrained")
    wirings = list(dict.fromkeys(wiring for wiring, _ in found))
    markers = dict(zip(ORDERS, "os^v", strict=True))
    for (wiring, order), trainings in found.items():
        for axis, key in zip(axes, ("wires", "mhz"), strict=True):
            points = [(one[key], 100 * accuracy) for accuracy, _, of_seeds in trainings
                      for one in of_seeds if one[key] is not None]
            axis.plot([x for x, _ in points], [y for _, y in points], markers[order],
                      color=f"C{wirings.index(wiring)}", markersize=6, markerfacecolor="none",
                      label=f"{wiring}, {order}" if points else None)
    axes[0].set(xlabel="wires as placed, tiles", ylabel="test accuracy, %")
    axes[1].set(xlabel="Fmax, MHz")
    axes[0].legend(fontsize=7)
    for axis in axes:
        axis.grid(alpha=0.3)
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
    parser.add_argument("--kept", action="store_true",
                        help="train and build nothing, tell what is kept")
    add_data_dir(parser)
    args = parser.parse_args(argv)
    return guarded(lambda: _run(args))


def _run(args):
    board = boards.get(args.board)
    found = {}
    for wiring in args.wiring or WIRINGS:
        for seed in range(args.seeds):
            network = trained(wiring, args, seed)
            for order in args.order or ORDERS if network else ():
                accuracy, own = network[0], ORDERS[order](network[1])
                folder = args.out / _slug(wiring) / f"seed{seed}-{_slug(order)}"
                builds = [placed(own, board, placer, folder, kept=args.kept)
                          for placer in range(1, args.placers + 1)]
                if any(builds):
                    found.setdefault((wiring, order), []).append(
                        (accuracy, length(own), list(filter(None, builds))))
    print(table(found))
    picture = args.picture or args.out / "routed.png"
    draw(found, picture)
    print(picture, file=sys.stderr)


def _slug(name):
    return re.sub(r"\W+", "-", name)


if __name__ == "__main__":
    sys.exit(main())
