"""Forward-forward learning: the tables and pictures of docs/learning/forward-forward.md.

``real`` trains networks of real numbers on MNIST as the experiments do that the page compares with,
and prunes them. ``binary`` trains networks of bits and freezes them. ``pipeline`` measures layers
that learn in processes of their own. ``unsupervised`` trains with hybrid pictures, and ``steps``
times the networks of Hinton's paper. What is trained already is kept.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from bench.kept import mean, result

__all__ = ["main"]

LAYERS = (512, 256, 10)
PRUNED = (0, 20, 40, 50, 60, 70, 80, 85, 90, 93, 95, 97, 99)
"""Shares of each layer's weights, in percent, that are set to 0."""
CURVE = 2000
"""Test samples of a point of the pruning curve; the tables use all of them."""

FF = {"learning_rate": 0.1, "schedule": "constant", "threshold": 5.0}
WAYS = {
    "softplus": ("FF, softplus, layer by layer", FF | {"order": "one-by-one"}, False),
    "relu": ("FF, ReLU loss, layer by layer", FF | {"order": "one-by-one", "loss": "relu"}, False),
    "inverted": ("FF, softplus, reversed sign", FF | {"order": "one-by-one"}, True),
    "parallel": ("FF, softplus, layer-parallel", FF, False),
    "backprop": ("BP", {"learning_rate": 0.01}, False),
}
"""Title, settings of the rule, and whether positive samples have the smaller goodness."""

BINARY = ("iris-ff", "digits-ff", "mnist-ff", "fashion-mnist-ff")

UNSUPERVISED = {
    "dense": [{"kind": "unit_dense", "neurons": 500}] * 3,
    "local": [{"kind": "local_dense", "channels": 8, "kernel": 10, "stride": 3},
              {"kind": "local_dense", "channels": 16, "kernel": 4, "stride": 1},
              {"kind": "unit_dense", "neurons": 500}],
}
HINTON = [{"kind": "unit_dense", "neurons": 2000}] * 4


def real_recipe(way, seed, epochs, data):
    """Recipe of one way to train 784-512-256-10, for so many epochs a layer."""
    from model.recipe import Recipe

    _, settings, inverted = WAYS[way]
    rule = "backprop" if way == "backprop" else "forward-forward"
    kind = "dense" if way == "backprop" else "unit_dense"
    hidden = [{"kind": kind, "neurons": width} for width in LAYERS]
    turns = len(LAYERS) if settings.get("order") == "one-by-one" else 1
    bp = way == "backprop"
    return Recipe.of({
        "name": f"{data}-real-{way}", "data": data, "seed": seed, "epochs": epochs * turns,
        "patience": epochs * turns, "batch": 64, "validation": 0.02, "learning": rule,
        rule: settings, "modulate": {"levels": "real", "labels": "none" if bp else "first"},
        "layers": hidden[:-1] if bp else hidden,
        "head": {"kind": "linear"} if bp else {"kind": "mean_square", "inverted": inverted}})


def layer_scores(network, features):
    """Scores by the first n layers, n = 1 to all: shape (n, samples, classes)."""
    import torch

    from model.learning.forward_forward_layer import goodness

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

    matrices = [layer.weights for layer in network.layers]
    if not network.head.per_frame:
        matrices.append(network.head.weights)
    with torch.no_grad():
        for weights in matrices:
            count = weights.numel() * percent // 100
            if count:
                limit = weights.abs().flatten().kthvalue(count)[0]
                weights[weights.abs() <= limit] = 0


def real_result(way, seed, epochs, data_name, out, data_dir):
    """Train, test and prune one network of reals, unless it has been done."""
    import torch

    import ir
    from model import data
    from model.trainer import Trainer

    recipe = real_recipe(way, seed, epochs, data_name)
    path = Path(out, f"{recipe.name}-seed{seed}.json")
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["recipe"] == recipe.plain():
            return kept
    torch.set_num_threads(1)
    source = data.load(data_name, data_dir)
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
    ir.write_atomic(path, json.dumps(values))
    print(f"{path.name}: {values['test']}", file=sys.stderr)
    return values


def real(args):
    """Print the table of networks of reals, and draw the pruning curve."""
    rows = {way: [real_result(way, seed, args.epochs, args.data, args.out, args.data_dir)
                  for seed in range(args.seeds)] for way in args.ways or WAYS}
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
    for way, results in rows.items():
        points = np.array([[100 * item["pruning"][str(percent)][-1] for percent in PRUNED]
                           for item in results])
        axes.plot(PRUNED, points.mean(0), ".-", label=WAYS[way][0])
        axes.fill_between(PRUNED, points.min(0), points.max(0), alpha=0.2)
    axes.set(xlabel="weights of each layer set to 0, %", ylabel="test accuracy, %", ylim=(0, 100))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def binary(args):
    """Print the table of networks of bits."""
    import ir
    from model import data
    from model.recipe import load_recipe

    print("| recipe | seeds | epochs | validation, % | test in `ir`, % | first layer alone, % | "
          "weights |\n" + "|---" * 7 + "|")
    for name in args.recipes or BINARY:
        results, first, weights = [], [], 0
        for seed in range(args.seeds):
            overrides = [f"seed={seed}"]
            if args.epochs:
                overrides += [f"epochs={args.epochs}", f"patience={args.epochs}"]
            recipe = load_recipe(name, overrides)
            results.append(result(recipe, args.out, args.data_dir))
            network = ir.load(Path(args.out, f"{name}-seed{seed}.safetensors"))
            source = data.load(recipe.data, args.data_dir)
            taps = network.evaluate(source.x_test, taps=["xnor0"]).taps["xnor0"]
            first.append((taps.sum(axis=2).argmax(0) == source.y_test).mean())
            weights = sum(entry.node.weights.size for entry in network.entries[1:-1])
        print(f"| {name} | {args.seeds} | {recipe.epochs} |",
              mean([100 * item["validation"] for item in results]), "|",
              mean([100 * item["test"] for item in results]), "|",
              mean(100 * np.array(first)), f"| {weights:,} |", flush=True)


def pipeline(args):
    """Print the time of a step with layers in one process and in several, side by side."""
    import torch

    from model import data
    from model.learning.forward_forward_pipeline import shares
    from model.recipe import Recipe
    from model.trainer import Trainer

    torch.set_num_threads(1)
    source = data.load("mnist", args.data_dir)
    features, labels = torch.from_numpy(source.features), torch.from_numpy(source.labels)
    print("| layers | processes | largest share of the work | ms a step, one process | "
          "ms a step, pipeline | speed-up | limit |\n" + "|---" * 7 + "|")
    for widths in (LAYERS, (500, 500, 500, 500)):
        for processes in args.processes:
            times = {0: [], processes: []}
            trainers = {}
            for count in times:
                recipe = Recipe.of({
                    "name": "pipeline", "data": "mnist", "epochs": 1, "batch": 64,
                    "learning": "forward-forward",
                    "forward-forward": FF | {"processes": count},
                    "modulate": {"levels": "real", "labels": "first"},
                    "layers": [{"kind": "unit_dense", "neurons": width} for width in widths],
                    "head": {"kind": "mean_square"}})
                trainers[count] = Trainer(recipe, source)
            for _ in range(args.repeats):  # in turn, so that other work of the machine hits both
                for count, trainer in trainers.items():
                    trainer.rule.begin_epoch(0)
                    trainer.rule.step(features[:64], labels[:64])  # until the workers are there
                    started = time.perf_counter()
                    for step in range(args.steps):
                        part = slice(64 * step, 64 * (step + 1))
                        trainer.rule.step(features[part], labels[part])
                    trainer.rule.end_epoch()
                    times[count].append(1000 * (time.perf_counter() - started) / args.steps)
            trainers[processes].rule.close()
            sizes = [a * b for a, b in zip((784, *widths), widths, strict=False)]
            largest = max(sum(sizes[part]) for part in shares(sizes, processes)) / sum(sizes)
            alone, piped = (float(np.median(values)) for values in times.values())
            print(f"| 784-{'-'.join(map(str, widths))} | {processes} | {100 * largest:.0f} % | "
                  f"{alone:.1f} | {piped:.1f} | {alone / piped:.2f} | "
                  f"{min(1 / largest, args.cores):.2f} |", flush=True)


def unsupervised_recipe(name, layers, seed, epochs, data_name, jitter):
    """Recipe with hybrid pictures."""
    from model.recipe import Recipe

    return Recipe.of({
        "name": f"{data_name}-unsupervised-{name}{'-jitter' if jitter else ''}", "data": data_name,
        "seed": seed, "epochs": epochs, "patience": epochs, "batch": 100, "validation": 0.1,
        "learning": "unsupervised-forward-forward",
        "unsupervised-forward-forward": {"learning_rate": 0.003, "readout_rate": 0.003,
                                         "threshold": 0.02, "temperature": 0.005,
                                         "jitter": jitter},
        "modulate": {"levels": "real"}, "layers": layers, "head": {"kind": "readout"}})


def unsupervised(args):
    """Print the table of layers that learn without labels."""
    print("| layers | epochs | seeds | validation, % | test, % | CPU s |\n" + "|---" * 6 + "|")
    names = {"hinton": HINTON} if args.full else UNSUPERVISED
    for name, layers in names.items():
        epochs = 100 if args.full else args.epochs
        results = [result(unsupervised_recipe(name, layers, seed, epochs, args.data, args.jitter),
                          args.out, args.data_dir) for seed in range(args.seeds)]
        print(f"| {name} | {epochs} | {args.seeds} |",
              mean([100 * item["validation"] for item in results]), "|",
              mean([100 * item["test"] for item in results]), "|",
              mean([item["seconds"] for item in results], "{:.0f}"), "|", flush=True)


def steps(args):
    """Print the time of a step of the networks of Hinton's paper, and of all its epochs."""
    import torch

    from model import data
    from model.recipe import Recipe
    from model.trainer import Trainer

    torch.set_num_threads(1)
    source = data.load("mnist", args.data_dir)
    supervised = {
        "name": "hinton", "data": "mnist", "epochs": 60, "batch": 100,
        "learning": "forward-forward", "forward-forward": {},
        "modulate": {"levels": "real", "labels": "first"}, "layers": HINTON,
        "head": {"kind": "mean_square", "first_layer": 2}}
    print("| network | CPU ms a step of 100 | epochs | CPU hours |\n" + "|---" * 4 + "|")
    for title, recipe, epochs in (
            ("supervised, 4 x 2000", Recipe.of(supervised), 60),
            ("unsupervised, 4 x 2000",
             unsupervised_recipe("hinton", HINTON, 0, 100, "mnist", 0), 100)):
        trainer = Trainer(recipe, source)
        features, labels = torch.from_numpy(source.features), torch.from_numpy(source.labels)
        trainer.rule.begin_epoch(0)
        trainer.rule.step(features[:100], labels[:100])
        started = time.process_time()
        for step in range(args.steps):
            part = slice(100 * step, 100 * (step + 1))
            trainer.rule.step(features[part], labels[part])
        seconds = (time.process_time() - started) / args.steps
        hours = seconds * epochs * len(features) / 100 / 3600
        print(f"| {title} | {1000 * seconds:.0f} | {epochs} | {hours:.1f} |", flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.forward_forward", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(function, *, seeds=None, epochs=None):
        one = commands.add_parser(function.__name__, help=function.__doc__,
                                  description=function.__doc__)
        one.set_defaults(run=function)
        one.add_argument("--data-dir", metavar="DIR",
                         help="where the data is (default: $BITLOOM_DATA)")
        if seeds:
            one.add_argument("--out", metavar="DIR", default="runs/forward-forward",
                             help="folder of results that are kept (default: %(default)s)")
            one.add_argument("--seeds", metavar="N", type=int, default=seeds,
                             help="seeds from 0 (default: %(default)s)")
            one.add_argument("--epochs", metavar="N", type=int, default=epochs,
                             help="epochs (default: %(default)s)")
        return one

    one = command(real, seeds=3, epochs=3)
    one.add_argument("--data", metavar="NAME", default="mnist", help="data set (default: mnist)")
    one.add_argument("--ways", metavar="WAY", nargs="*", choices=WAYS,
                     help=f"some of {', '.join(WAYS)} (default: all)")
    one.add_argument("--picture", metavar="FILE", help="draw the pruning curve there, as SVG")
    one = command(binary, seeds=2)
    one.add_argument("recipes", metavar="RECIPE", nargs="*",
                     help=f"(default: {', '.join(BINARY)})")
    one = command(pipeline)
    one.add_argument("--processes", metavar="N", type=int, nargs="*", default=[2, 3],
                     help="processes of the pipeline (default: 2 3)")
    one.add_argument("--steps", metavar="N", type=int, default=100,
                     help="steps of a measurement (default: %(default)s)")
    one.add_argument("--repeats", metavar="N", type=int, default=5,
                     help="measurements, of which the median counts (default: %(default)s)")
    one.add_argument("--cores", metavar="N", type=int, default=2,
                     help="cores of the machine, which bound the speed-up (default: %(default)s)")
    one = command(unsupervised, seeds=2, epochs=5)
    one.add_argument("--data", metavar="NAME", default="mnist", help="data set (default: mnist)")
    one.add_argument("--jitter", metavar="N", type=int, default=0,
                     help="pixels of random shifts (default: %(default)s)")
    one.add_argument("--full", action="store_true",
                     help="the network of Hinton's paper and its 100 epochs: days on two cores")
    one = command(steps)
    one.add_argument("--steps", metavar="N", type=int, default=10,
                     help="steps of a measurement (default: %(default)s)")
    args = parser.parse_args(argv)
    args.run(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
