"""Every learning rule on convolutions: which layers it takes, and how well it learns two networks.

``matrix`` prints what each rule does with each kind of layer, from what rules ask and layers offer.
Without it, a chain (convolution, pooling, convolution, dense) and a graph (with a residual
connection of one bit) are trained by every rule on digits. Every run ends in a frozen file and is
kept: a stopped table goes on.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from bench.kept import mean, result
from bench.rules import RULES, slug

__all__ = ["main", "matrix", "recipe"]

CONVOLUTIONS = {"xnor": "convolution", "bmab": "bmab_convolution",
                "bernoulli": "bernoulli_convolution"}
"""The convolution of the neurons of each dense layer."""

NETWORKS = ("chain", "residual")

WAYS = [name for name in RULES if name not in ("STE, identity", "STE, quadratic",
                                               "FBF, as reported", "flip, v1")]
"""One of each rule."""


def recipe(name, network, seed, epochs):
    """Recipe of a network of :data:`NETWORKS` by a rule of :data:`bench.rules.RULES`."""
    from bitwright.model.recipe import Recipe

    way = RULES[name]
    settings = {**way.settings}
    if "rises" in settings:
        settings["suppressor_every"] = max(1, epochs // (settings.pop("rises") + 1))
    if "entry" in settings and network == "residual":
        settings["entry"] = "input"
    dense = {"neurons": 32, **way.layer}
    slides = {**dense, "kind": CONVOLUTIONS[way.layer["kind"]], "neurons": 16}
    pool = {"kind": "pool", "kernel": 2, "stride": 2}
    layers = [slides | {"kernel": 3, "name": "a"}]
    if network == "residual":
        layers += [slides | {"kernel": 1, "name": "b"}, {"kind": "join", "inputs": ["a", "b"]},
                   {"kind": "merge", "function": "and"}]
    layers += [pool, slides | {"kernel": 2}, dense]
    head = {**way.head}
    if head["kind"] == "goodness":
        head["first_layer"] = len(layers)  # the bits of positions drown those of the dense layer
    return Recipe.of({
        "name": f"{network}-{slug(name)}", "data": "digits", "seed": seed, "epochs": epochs,
        "patience": epochs, "batch": min(way.batch, 64), "learning": way.learning,
        way.learning: settings, "modulate": {"levels": "even", "depth": 2, **way.modulate},
        "layers": layers, "head": head})


def matrix():
    """Lines of a table: what rules do with layers of bits."""
    from bitwright.model.heads import Head
    from bitwright.model.layers import Layer
    from bitwright.model.rules import Rule

    groups = {}
    for kind, cls in sorted(Layer.kinds.items()):
        if cls.values == cls.makes == "bits" and getattr(cls, "freezes", True):
            groups.setdefault(cls.traits, []).append(kind)
    yield "| rule | " + " | ".join(
        ", ".join(f"`{kind}`" for kind in kinds) for kinds in groups.values()) + " | heads |"
    yield "|---" * (len(groups) + 2) + "|"
    for kind, rule in sorted(Rule.kinds.items()):
        cells = [_does(rule, Layer.kinds[kinds[0]]) for kinds in groups.values()]
        heads = ", ".join(f"`{head}`" for head, cls in sorted(Head.kinds.items())
                          if cls.values == "bits" and rule.needs.allows(cls))
        yield f"| `{kind}` | {' | '.join(cells)} | {heads} |"


def _does(rule, layer):
    """What a rule does with a kind of layer."""
    from bitwright.model.base import Trait

    if Trait.PASSES in layer.traits:
        return "passes"
    if rule.needs.of_layer(first=False) in layer.traits:
        return "learns"
    return "learns, first" if rule.needs.of_layer(first=True) in layer.traits else "—"


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.rules_convolution",
                                     description=__doc__)
    parser.add_argument("action", metavar="matrix", nargs="?", choices=["matrix"],
                        help="print which rule takes which layers")
    parser.add_argument("--epochs", metavar="N", type=int, default=12,
                        help="epochs of each run (default: %(default)s)")
    parser.add_argument("--seeds", metavar="N", type=int, default=1,
                        help="runs of each rule, seeds from 0 (default: %(default)s)")
    parser.add_argument("--only", metavar="RULE", choices=WAYS, action="append",
                        help=f"one of {', '.join(WAYS)}; can be given several times")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/rules-convolution"),
                        help="keep networks and figures in DIR (default: %(default)s)")
    args = parser.parse_args(argv)
    if args.action:
        print("\n".join(matrix()))
        return 0
    lines = ["| rule | chain: test accuracy, % | residual: test accuracy, % | CPU s an epoch |",
             "|---|---|---|---|"]
    for name in args.only or WAYS:
        runs = {network: [result(recipe(name, network, seed, args.epochs), args.out)
                          for seed in range(args.seeds)] for network in NETWORKS}
        tests = [mean([100 * run["test"] for run in runs[network]]) for network in NETWORKS]
        cpu = np.median([run["seconds"] for run in runs["residual"]]) / args.epochs
        lines.append(f"| {name} | {tests[0]} | {tests[1]} | {cpu:.1f} |")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
