"""Compare relaxations of backpropagation: the same networks, of reals and of bits, by each rule.

``search`` trains each with several learning rates for a few epochs and prints the accuracy on the
validation split; what it found is in RATES. ``table`` prints the test errors, ``angles`` draws the
angles between the gradients and those of backpropagation. What is done already is kept.
"""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.kept import mean, result

__all__ = ["RATES", "WAYS", "Way", "main", "recipe"]


@dataclass(frozen=True)
class Way:
    """A network and how it learns."""

    title: str
    network: str
    learning: str
    settings: dict[str, Any] = field(default_factory=dict)


WAYS = {
    "real-bp": Way("BP", "real", "backprop"),
    "real-fa": Way("FA", "real", "feedback-alignment"),
    "real-dfa": Way("DFA", "real", "direct-feedback-alignment"),
    "real-usf": Way("uSF", "real", "sign-feedback"),
    "real-ifa": Way("IFA, into the input", "real", "indirect-feedback-alignment"),
    "real-ifa1": Way("IFA, into the first layer", "real", "indirect-feedback-alignment",
                     {"entry": "first-layer"}),
    "real-head": Way("only the head learns", "real", "direct-feedback-alignment",
                     {"matrix": "zeros"}),
    "norm-bp": Way("BP", "norm", "backprop"),
    "norm-fa": Way("FA", "norm", "feedback-alignment"),
    "norm-dfa": Way("DFA", "norm", "direct-feedback-alignment"),
    "norm-usf": Way("uSF", "norm", "sign-feedback"),
    "bits-bp": Way("BP, which is uSF", "bits", "backprop"),
    "bits-fa": Way("FA", "bits", "feedback-alignment"),
    "bits-fa1": Way("FA, signs", "bits", "feedback-alignment", {"matrix": "signs"}),
    "bits-dfa": Way("DFA", "bits", "direct-feedback-alignment"),
    "bits-dfa1": Way("DFA, signs", "bits", "direct-feedback-alignment", {"matrix": "signs"}),
    "bits-ifa": Way("IFA, into the input", "bits", "indirect-feedback-alignment"),
    "bits-ifa1": Way("IFA, into the first layer", "bits", "indirect-feedback-alignment",
                     {"entry": "first-layer"}),
    "bits-head": Way("only the head learns", "bits", "direct-feedback-alignment",
                     {"matrix": "zeros"}),
}

COLOURS = {"FA": "C0", "DFA": "C1", "uSF": "C2", "IFA, into the input": "C3",
           "IFA, into the first layer": "C4"}
"""Of the rules in pictures."""

NETWORKS = {"real": "real", "norm": "real, batch norm", "bits": "bits"}

DIGITS = {"data": "digits", "layers": 2, "neurons": 64, "depth": 2, "batch": 64,
          "validation": 0.15, "temperature": 8.0, "epochs": 40, "seeds": 5, "search": 30,
          "search_seeds": 2}
DATA = {"digits": DIGITS,
        "mnist": {"data": "mnist", "layers": 2, "neurons": 128, "depth": 1, "batch": 128,
                  "validation": 0.1, "temperature": 16.0, "epochs": 10, "seeds": 2, "search": 3,
                  "search_seeds": 1}}

GRIDS = {"digits": {"real": (0.001, 0.003, 0.01, 0.03), "norm": (0.003, 0.01, 0.03, 0.1),
                    "bits": (0.01, 0.03, 0.1)},
         "mnist": {"real": (0.001, 0.003, 0.01, 0.03), "norm": (0.001, 0.003, 0.01, 0.03),
                   "bits": (0.01, 0.03, 0.1)}}
"""Learning rates that are tried."""

RATES: dict[str, dict[str, float]] = {
    "digits": {
        "real-bp": 0.01, "real-fa": 0.01, "real-dfa": 0.03, "real-usf": 0.01, "real-ifa": 0.003,
        "real-ifa1": 0.01, "real-head": 0.03,
        "norm-bp": 0.03, "norm-fa": 0.01, "norm-dfa": 0.03, "norm-usf": 0.03,
        "bits-bp": 0.03, "bits-fa": 0.1, "bits-fa1": 0.1, "bits-dfa": 0.03, "bits-dfa1": 0.1,
        "bits-ifa": 0.03, "bits-ifa1": 0.1, "bits-head": 0.03},
    "mnist": {
        "real-bp": 0.01, "real-fa": 0.003, "real-dfa": 0.003, "real-usf": 0.01, "real-ifa": 0.003,
        "real-ifa1": 0.003, "real-head": 0.03,
        "norm-bp": 0.003, "norm-fa": 0.003, "norm-dfa": 0.01, "norm-usf": 0.01,
        "bits-bp": 0.03, "bits-fa": 0.03, "bits-fa1": 0.03, "bits-dfa": 0.03, "bits-dfa1": 0.03,
        "bits-ifa": 0.03, "bits-ifa1": 0.03, "bits-head": 0.1},
}
"""Best on the validation split, as ``search`` prints them."""


def recipe(name, data, *, rate, seed, epochs, angles=False):
    """Recipe of a way to learn one of :data:`DATA`."""
    from bitwright.model.recipe import Recipe

    way, plan = WAYS[name], DATA[data]
    rule = {"learning_rate": rate, **way.settings, **({"angles": True} if angles else {})}
    if way.network == "bits":
        layer = {"kind": "xnor", "neurons": plan["neurons"]}
        head = {"kind": "scores", "temperature": plan["temperature"]}
        modulate = {"levels": "even", "depth": plan["depth"]}
    else:
        layer = {"kind": "dense", "neurons": plan["neurons"], "batch_norm": way.network == "norm"}
        head, modulate = {"kind": "linear"}, {"levels": "real"}
    return Recipe.of({
        "name": f"{data}-{name}", "data": plan["data"], "seed": seed, "epochs": epochs,
        "patience": epochs, "batch": plan["batch"], "validation": plan["validation"],
        "learning": way.learning, way.learning: rule, "modulate": modulate,
        "layers": [layer] * plan["layers"], "head": head})


def search(data, names, out, data_dir):
    """Print the accuracy on the validation split for each learning rate."""
    plan = DATA[data]
    print("| way | learning rate: validation accuracy, % | best |")
    print("|---|---|---|")
    for name in names:
        found = {}
        for rate in GRIDS[plan["data"]][WAYS[name].network]:
            runs = [result(recipe(name, data, rate=rate, seed=seed, epochs=plan["search"]),
                           out / "search" / f"{rate}", data_dir)["validation"]
                    for seed in range(plan["search_seeds"])]
            found[rate] = 100 * sum(runs) / len(runs)
        cells = ", ".join(f"{rate}: {value:.2f}" for rate, value in found.items())
        print(f"| {name} | {cells} | {max(found, key=found.get)} |")


def runs(data, name, out, data_dir, seeds):
    """Results of a way, one a seed. Angles are measured in the first."""
    angles = WAYS[name].learning != "backprop"
    return [result(recipe(name, data, rate=RATES[data][name], seed=seed,
                          epochs=DATA[data]["epochs"], angles=angles and seed == 0), out, data_dir)
            for seed in range(seeds)]


def table(data, names, out, data_dir, seeds):
    """Print the test errors."""
    print("| network | rule | learning rate | seeds | test error, % | angles to BP in the last "
          "epoch, a layer each, degrees | CPU s an epoch |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        way, done = WAYS[name], runs(data, name, out, data_dir, seeds)
        last = done[0]["curve"][-1]
        angles = [f"{value:.0f}" for key, value in last.items()
                  if key.startswith("train_angle.")]
        plain = done[1:] or done  # the first measures angles, which takes time
        seconds = sum(run["seconds"] / len(run["curve"]) for run in plain) / len(plain)
        errors = mean([100 - 100 * run["test"] for run in done])
        print(f"| {NETWORKS[way.network]} | {way.title} | {RATES[data][name]} | {len(done)} | "
              f"{errors} | {' / '.join(angles) or '-'} | {seconds:.2f} |")


def angles(data, names, out, data_dir, picture):
    """Draw the angles over the epochs, one panel a network and layer."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = [network for network in NETWORKS
             if any(WAYS[name].network == network for name in names)]
    layers = DATA[data]["layers"]
    figure, axes = plt.subplots(len(shown), layers, figsize=(2 + 3 * layers, 2.6 * len(shown)),
                                sharex=True, sharey=True, squeeze=False, layout="constrained")
    for row, network in zip(axes, shown, strict=True):
        for name in names:
            way = WAYS[name]
            plain = way.learning == "backprop" or way.settings.get("matrix") == "zeros"
            if way.network != network or plain:
                continue
            curve = runs(data, name, out, data_dir, 1)[0]["curve"]
            series = [key for key in curve[0] if key.startswith("train_angle.")]
            for layer, (panel, key) in enumerate(zip(row, series, strict=True)):
                panel.plot([entry["epoch"] for entry in curve], [entry[key] for entry in curve],
                           label=way.title, color=COLOURS[way.title.removesuffix(", signs")],
                           linestyle="--" if way.title.endswith("signs") else "-")
                panel.set_title(f"{NETWORKS[network]}, layer {layer + 1}", fontsize=9)
        row[0].set_ylabel("degrees")
        row[-1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for panel in axes[-1]:
        panel.set_xlabel("epoch")
    axes[0, 0].set_ylim(0, 95)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=90, metadata={"Software": None})
    print(picture)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.feedback", description=__doc__)
    parser.add_argument("what", metavar="WHAT", choices=["search", "table", "angles"],
                        help="search, table or angles")
    parser.add_argument("data", metavar="DATA", choices=sorted(DATA),
                        help=f"one of {', '.join(sorted(DATA))}")
    parser.add_argument("--ways", metavar="NAMES",
                        help="rows, separated by commas (default: all; those with a learning rate)")
    parser.add_argument("--seeds", metavar="N", type=int,
                        help="seeds of the table (default: 2 for mnist, else 5)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/feedback"),
                        help="keep results in DIR (default: %(default)s)")
    parser.add_argument("--picture", metavar="FILE", type=Path,
                        help="of the angles (default: docs/learning/feedback-DATA.png)")
    parser.add_argument("--data-dir", metavar="DIR", help="as for model.train")
    args = parser.parse_args(argv)
    chosen = WAYS if args.what == "search" else RATES[args.data]
    names = args.ways.split(",") if args.ways else list(chosen)
    for name in names:
        if name not in chosen:
            parser.error(f"--ways must name some of {', '.join(chosen)}, not {name!r}")
    if args.what == "search":
        search(args.data, names, args.out, args.data_dir)
    elif args.what == "table":
        table(args.data, names, args.out, args.data_dir, args.seeds or DATA[args.data]["seeds"])
    else:
        angles(args.data, names, args.out, args.data_dir,
               args.picture or Path(f"docs/learning/feedback-{args.data}.png"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
