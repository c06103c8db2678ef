"""Residual connections of one bit: which function of the two bits learns best.

Networks for digits: a convolution, two blocks of two convolutions (16 channels of 3 x 3 pixels,
with a border of zeros), pooling, a dense layer. They differ in what becomes of a block's input x
and of what its two convolutions make, b and c = conv(b). Every run ends in a frozen file and is
kept.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from bench.kept import mean, result

__all__ = ["WAYS", "main", "recipe"]

WAYS = {
    "none": "c alone: a chain",
    "xor": "x XOR c", "and": "x AND c", "or": "x OR c",
    "majority": "majority of x, b and c",
    "learned": "a learned table of x and c, one a channel",
    "concatenation": "x and c side by side: the next layer has twice the weights",
}


def recipe(way, seed, epochs):
    """Recipe of a network with one of :data:`WAYS`."""
    from bitwright.model.recipe import Recipe

    convolution = {"kind": "convolution", "neurons": 16, "kernel": 3, "padding": "same"}
    layers, x = [convolution | {"name": "x0"}], "x0"
    for block in (1, 2):
        layers += [convolution | {"name": f"b{block}"}, convolution | {"name": f"c{block}"}]
        parts = [x, f"c{block}"]
        if way == "majority":
            parts.insert(1, f"b{block}")
        x = f"c{block}" if way == "none" else f"x{block}"
        if way == "concatenation":
            layers.append({"kind": "join", "inputs": parts, "name": x})
        elif way != "none":
            merge = ({"kind": "learned_merge"} if way == "learned"
                     else {"kind": "merge", "function": way})
            layers += [{"kind": "join", "inputs": parts},
                       merge | {"parts": len(parts), "name": x}]
    layers += [{"kind": "pool", "kernel": 2, "stride": 2}, {"kind": "xnor", "neurons": 32}]
    return Recipe.of({
        "name": f"residual-{way}", "data": "digits", "seed": seed, "epochs": epochs,
        "patience": epochs, "backprop": {"learning_rate": 0.03},
        "modulate": {"levels": "even", "depth": 2}, "layers": layers,
        "head": {"kind": "scores", "temperature": 6.0}})


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.residual", description=__doc__)
    parser.add_argument("--epochs", metavar="N", type=int, default=12,
                        help="epochs of each run (default: %(default)s)")
    parser.add_argument("--seeds", metavar="N", type=int, default=2,
                        help="runs of each, seeds from 0 (default: %(default)s)")
    parser.add_argument("--only", metavar="WAY", choices=WAYS, action="append",
                        help=f"one of {', '.join(WAYS)}; can be given several times")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/residual"),
                        help="keep networks and figures in DIR (default: %(default)s)")
    args = parser.parse_args(argv)
    titles = ("a block makes of its input x and of its convolutions b, c",
              "validation accuracy, %", "test accuracy, %", "training accuracy, %",
              "CPU s an epoch")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for way in args.only or WAYS:
        runs = [result(recipe(way, seed, args.epochs), args.out) for seed in range(args.seeds)]
        cells = [mean([100 * run[part] for run in runs]) for part in ("validation", "test")]
        cells.append(mean([100 * run["curve"][-1]["train_accuracy"] for run in runs]))
        cpu = np.median([run["seconds"] for run in runs]) / args.epochs
        lines.append(f"| {WAYS[way]} | {' | '.join(cells)} | {cpu:.1f} |")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
