"""Networks of real numbers that learn by forward-forward, and what is left of them when pruned.

The part of :mod:`bench.forward_forward` that repeats R. Miyagi's experiments.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from bench.kept import mean
from bitwright import files

__all__ = ["FF", "LAYERS", "WAYS", "real"]

LAYERS = (512, 256, 10)
PRUNED = (0, 20, 40, 50, 60, 70, 80, 85, 90, 93, 95, 97, 99)
"""Shares of each layer's weights, in percent, that are set to 0."""
CURVE = 2000
"""Test samples of a point of the pruning curve. The tables use all of them, at 90 %: as its samples
are others, that point is not drawn."""

FF = {"learning_rate": 0.1, "schedule": "constant", "threshold": 5.0}
WAYS = {
    "softplus": ("FF, softplus, layer by layer", FF | {"order": "one-by-one"}, False),
    "relu": ("FF, ReLU loss, layer by layer", FF | {"order": "one-by-one", "loss": "relu"}, False),
    "inverted": ("FF, softplus, reversed sign", FF | {"order": "one-by-one"}, True),
    "parallel": ("FF, softplus, layer-parallel", FF, False),
    "backprop": ("BP", {"learning_rate": 0.01}, False),
}
"""Title, settings of the rule, and whether positive samples have the smaller goodness."""


def real_recipe(way, seed, epochs, data, standard):
    """Recipe of one way to train 784-512-256-10, for so many epochs a layer."""
    from bitwright.model.recipe import Recipe

    _, settings, inverted = WAYS[way]
    rule = "backprop" if way == "backprop" else "forward-forward"
    hidden = [{"kind": "dense", "unit_length": way != "backprop", "neurons": width}
              for width in LAYERS]
    turns = len(LAYERS) if settings.get("order") == "one-by-one" else 1
    bp = way == "backprop"
    return Recipe.of({
        "name": f"{data}-{'standard' if standard else 'real'}-{way}", "data": data,
        "seed": seed, "epochs": epochs * turns, "patience": epochs * turns, "batch": 64,
        "validation": 0.02, "learning": rule, rule: settings,
        "modulate": {"levels": "real", "labels": "none" if bp else "first", "standard": standard},
        "layers": hidden[:-1] if bp else hidden,
        "head": {"kind": "linear"} if bp else {"kind": "mean_square", "inverted": inverted}})


def layer_scores(network, features):
    """Scores by the first n layers, n = 1 to all: shape (n, samples, classes)."""
    import torch

    from bitwright.model.rules.forward_forward.learner import goodness

    sign = -1 if network.head.inverted else 1
    parts = []
    with torch.no_grad():
        for start in range(0, len(features), 1000):
            x = network.modulator(torch.from_numpy(features[start : start + 1000]))
            single = []
            for layer in network.layers:
                x = layer(x)
                single.append(sign * goodness(x).view(network.modulator.frames, -1).T)
            parts.append(torch.stack(single).cumsum(0))
    return torch.cat(parts, 1).numpy()


def accuracies(network, features, labels):
    """Test accuracy by the first n layers; of a network without labels inside, by its head."""
    if not network.head.per_frame:
        return [float((network.scores(features).argmax(1) == labels).mean())]
    return [float((scores.argmax(1) == labels).mean())
            for scores in layer_scores(network, features)]


def prune(network, percent):
    """Set the smallest weights of each layer to 0. Biases stay."""
    import torch

    matrices = [layer.weights.values for layer in network.layers]
    if not network.head.per_frame:
        matrices.append(network.head.weights.values)
    with torch.no_grad():
        for weights in matrices:
            count = weights.numel() * percent // 100
            if count:
                limit = weights.abs().flatten().kthvalue(count)[0]
                weights[weights.abs() <= limit] = 0


def real_result(way, seed, args):
    """Train, test and prune one network of reals, unless it has been done."""
    import torch

    from bitwright import data
    from bitwright.model.training.trainer import Trainer

    recipe = real_recipe(way, seed, args.epochs, args.data, args.inputs == "standard")
    path = Path(args.out, f"{recipe.name}-seed{seed}.json")
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["recipe"] == recipe.plain():
            return kept
    torch.set_num_threads(1)
    source = data.load(args.data, args.data_dir)
    trainer = Trainer(recipe, source)
    if way == "backprop":  # a constant rate, as there
        trainer.rule.begin_epoch = lambda epoch: None
    started = time.process_time()
    while not trainer.finished:
        trainer.run_epoch(lambda samples, accuracy: None)
    values = {"recipe": recipe.plain(), "seconds": time.process_time() - started,
              "curve": trainer.curve, "thresholds": getattr(trainer.rule, "thresholds", []),
              "pruning": {}}
    network = trainer.network
    last = {name: value.clone() for name, value in network.state_dict().items()}
    values["test"] = accuracies(network, source.x_test, source.y_test)
    for percent in PRUNED:
        network.load_state_dict(last)
        prune(network, percent)
        part = slice(None) if percent == 90 else slice(CURVE)
        values["pruning"][str(percent)] = accuracies(network, source.x_test[part],
                                                     source.y_test[part])
    files.write_atomic(path, json.dumps(values))
    print(f"{path.name}: {values['test']}", file=sys.stderr)
    return values


def real(args):
    """Print the table of networks of reals, and draw the pruning curve."""
    rows = {way: [real_result(way, seed, args) for seed in range(args.seeds)]
            for way in args.ways or WAYS}
    print("| way | first layer | first two | all | 90 % pruned: first layer | first two | all | "
          "thresholds | CPU s |\n" + "|---" * 9 + "|")
    for way, results in rows.items():
        columns = []
        for figures in ([item["test"] for item in results],
                        [item["pruning"]["90"] for item in results]):
            means = [mean(100 * np.array(values)) for values in zip(*figures, strict=True)]
            columns += [*["-"] * (3 - len(means)), *means]
        thresholds = np.array([item["thresholds"] for item in results]).mean(0)
        print(f"| {WAYS[way][0]} |", " | ".join(columns), "|",
              ", ".join(f"{value:.2f}" for value in thresholds) or "-", "|",
              mean([item["seconds"] for item in results], "{:.0f}"), "|")
    if args.picture:
        draw(rows, args.picture)


def draw(rows, path):
    """Draw test accuracy over the share of weights that are gone."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "forward-forward"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    drawn = [percent for percent in PRUNED if percent != 90]
    for way, results in rows.items():
        points = np.array([[100 * item["pruning"][str(percent)][-1] for percent in drawn]
                           for item in results])
        axes.plot(drawn, points.mean(0), ".-", label=WAYS[way][0])
        axes.fill_between(drawn, points.min(0), points.max(0), alpha=0.2)
    axes.set(xlabel="weights of each layer set to 0, %", ylabel="test accuracy, %", ylim=(0, 100))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
