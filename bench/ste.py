"""Compare straight-through variants on one network of bits: slopes, Darabi's penalty, scaling.

The learning rate is that of backpropagation on the same network. ``search`` trains each with
several steepnesses, or factors of the penalty, for a few epochs and prints the accuracy on the
validation split; what it found is in CHOSEN. ``table`` prints the test errors, ``slopes`` draws the
slopes. What is done already is kept.
"""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.feedback import DATA, RATES
from bench.kept import mean, result

__all__ = ["CHOSEN", "VARIANTS", "Variant", "main", "recipe"]


@dataclass(frozen=True)
class Variant:
    """What is set, and what is searched besides the learning rate."""

    title: str
    settings: dict[str, Any] = field(default_factory=dict)
    searched: dict[str, tuple[float, ...]] = field(default_factory=dict)


BETAS = {"beta": (1.0, 2.0, 5.0)}
FACTORS = {"regularisation": (1e-6, 1e-5, 1e-4)}
SWISH = {"surrogate": "sign-swish"}

VARIANTS = {
    "clipped": Variant("clipped: backprop's"),
    "identity": Variant("identity", {"surrogate": "identity"}),
    "quadratic": Variant("quadratic", {"surrogate": "quadratic"}),
    "swish": Variant("sign-swish", SWISH, BETAS),
    "rising": Variant("sign-swish, rising", {**SWISH, "steepness": "rising"}, BETAS),
    "learned": Variant("sign-swish, learned", {**SWISH, "steepness": "learned"}, BETAS),
    "r1": Variant("clipped, manhattan", {"regulariser": "manhattan"}, FACTORS),
    "r1-one": Variant("clipped, manhattan, alpha 1", {"regulariser": "manhattan", "alpha": "one"},
                      FACTORS),
    "r2": Variant("clipped, euclidean", {"regulariser": "euclidean"}, FACTORS),
    "darabi": Variant("sign-swish, manhattan", {**SWISH, "beta": 2.0, "regulariser": "manhattan"},
                      FACTORS),
    "xnor-net": Variant("clipped, XNOR-Net's scaling", {"scaling": "xnor-net"}),
}

CHOSEN: dict[str, dict[str, dict[str, float]]] = {
    "digits": {
        "swish": {"beta": 2.0}, "rising": {"beta": 5.0}, "learned": {"beta": 2.0},
        "r1": {"regularisation": 1e-5}, "r1-one": {"regularisation": 1e-6},
        "r2": {"regularisation": 1e-6}, "darabi": {"regularisation": 1e-6}},
    "mnist": {
        "swish": {"beta": 2.0}, "rising": {"beta": 2.0}, "learned": {"beta": 5.0},
        "r1": {"regularisation": 1e-5}, "r1-one": {"regularisation": 1e-5},
        "r2": {"regularisation": 1e-5}, "darabi": {"regularisation": 1e-6}},
}
"""Best on the validation split, as ``search`` prints them."""


def settings(name, data, choice):
    """Settings of the rule for a variant."""
    return {"learning_rate": RATES[data]["bits-bp"], **VARIANTS[name].settings, **choice}


def recipe(name, data, *, choice, seed, epochs):
    """Recipe of a variant for a data set, the network that of :mod:`bench.feedback`."""
    from bitwright.model.recipe import Recipe

    plan = DATA[data]
    layer = {"kind": "xnor", "neurons": plan["neurons"]}
    return Recipe.of({
        "name": f"{data}-{name}", "data": plan["data"], "seed": seed, "epochs": epochs,
        "patience": epochs, "batch": plan["batch"], "validation": plan["validation"],
        "learning": "straight-through",
        "straight-through": settings(name, data, choice),
        "modulate": {"levels": "even", "depth": plan["depth"]}, "layers": [layer] * plan["layers"],
        "head": {"kind": "scores", "temperature": plan["temperature"]}})


def search(data, names, out, data_dir):
    """Print the accuracy on the validation split for each choice."""
    plan = DATA[data]
    print("| variant | setting | validation accuracy, % | best |")
    print("|---|---|---|---|")
    for name in names:
        for key, values in VARIANTS[name].searched.items():
            found = {}
            for value in values:
                runs = [result(recipe(name, data, choice={key: value}, seed=seed,
                                      epochs=plan["search"]), out / "search" / str(value),
                               data_dir)["validation"]
                        for seed in range(plan["search_seeds"])]
                found[value] = 100 * sum(runs) / len(runs)
            cells = ", ".join(f"{value}: {accuracy:.2f}" for value, accuracy in found.items())
            print(f"| {name} | {key} | {cells} | {max(found, key=found.get)} |")


def table(data, names, out, data_dir, seeds):
    """Print the test errors."""
    print("| variant | chosen | seeds | test error, % | CPU s an epoch | learned |")
    print("|---|---|---|---|---|---|")
    for name in names:
        choice = CHOSEN[data].get(name, {})
        done = [result(recipe(name, data, choice=choice, seed=seed,
                              epochs=DATA[data]["epochs"]), out, data_dir)
                for seed in range(seeds)]
        seconds = sum(run["seconds"] / len(run["curve"]) for run in done) / len(done)
        what = ", ".join(f"{key} {value}" for key, value in choice.items())
        last = done[0]["curve"][-1]
        learned = ", ".join(f"{key.removeprefix('train_')} {value:.2f}"
                            for key, value in last.items()
                            if key.startswith(("train_beta.", "train_alpha.")))
        print(f"| {VARIANTS[name].title} | {what or '-'} | {len(done)} | "
              f"{mean([100 - 100 * run['test'] for run in done])} | {seconds:.2f} | "
              f"{learned or '-'} |")


def slopes(picture):
    """Draw the slopes."""
    import matplotlib as mpl
    import torch

    from bitwright.model.weights.surrogate import SLOPES, sign_swish

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 2.8), layout="constrained")
    x = torch.linspace(-2.2, 2.2, 881)
    for name in ("identity", "clipped", "quadratic"):
        axes.plot(x, SLOPES[name](x).float(), label=name)
    for beta in (1, 2, 5):
        axes.plot(x, sign_swish(x, beta), label=f"sign-swish, beta {beta}", linestyle="--")
    axes.set_xlabel("normalised sum less its cut")
    axes.set_ylabel("slope")
    axes.legend(fontsize=7)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=90, metadata={"Software": None})
    print(picture)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.ste", description=__doc__)
    parser.add_argument("what", metavar="WHAT", choices=["search", "table", "slopes"],
                        help="search, table or slopes")
    parser.add_argument("data", metavar="DATA", nargs="?", default="digits",
                        choices=["digits", "mnist"],
                        help="of search and table: digits or mnist (default: %(default)s)")
    parser.add_argument("--variants", metavar="NAMES", default=",".join(VARIANTS),
                        help="rows, separated by commas (default: all)")
    parser.add_argument("--seeds", metavar="N", type=int,
                        help="seeds of the table (default: 2 for mnist, else 5)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/ste"),
                        help="keep results in DIR (default: %(default)s)")
    parser.add_argument("--picture", metavar="FILE", type=Path,
                        default=Path("docs/learning/ste-slopes.png"),
                        help="of the slopes (default: %(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", help="as for model.train")
    args = parser.parse_args(argv)
    names = args.variants.split(",")
    for name in names:
        if name not in VARIANTS:
            parser.error(f"--variants must name some of {', '.join(VARIANTS)}, not {name!r}")
    if args.what == "search":
        search(args.data, names, args.out, args.data_dir)
    elif args.what == "table":
        table(args.data, names, args.out, args.data_dir, args.seeds or DATA[args.data]["seeds"])
    else:
        slopes(args.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
