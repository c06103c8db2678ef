"""Forward-forward learning: the tables and pictures of docs/learning/forward-forward.md.

``real`` trains networks of real numbers on MNIST as the experiments do that the page compares
with, and prunes them. ``binary`` trains networks of bits and freezes them, ``ablation`` changes one
choice at a time. ``pipeline`` measures layers that learn in processes of their own. ``hinton``,
``unsupervised`` and ``cifar`` train networks after Hinton's paper, smaller ones and not as long,
with the settings that ``search`` finds, and ``steps`` times those of the paper itself. What is
trained already is kept.
"""

import argparse
import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy as np

from bench.forward_forward_hinton import GRIDS, cifar, hinton, search, steps, unsupervised
from bench.forward_forward_real import FF, LAYERS, WAYS, real
from bench.kept import mean, result

__all__ = ["main"]

BINARY = ("iris-ff", "digits-ff", "mnist-ff", "fashion-mnist-ff")

LUTS = ("layers=[{kind='lut', width=600, wiring='learnable', window=25}, "
        "{kind='lut', width=400, wiring='random'}]")
ABLATION = {
    "as it is": [],
    "random negatives": ["forward-forward.candidates=1"],
    "hardest of all negatives": ["forward-forward.candidates=9"],
    "softplus": ["forward-forward.loss=softplus", "forward-forward.threshold=0.5"],
    "ReLU": ["forward-forward.loss=relu", "forward-forward.threshold=0.5"],
    "layer by layer": ["forward-forward.order=one-by-one"],
    "labels in a slot": ["modulate.labels=slot", "modulate.label_width=1"],
    "labels in the first pixels": ["modulate.labels=first", "modulate.label_width=1"],
    "second layer alone decides": ["head.first_layer=2"],
    "look-up tables": [LUTS],
}


def binary(args):
    """Print the table of networks of bits."""
    from bitwright import data, ir
    from bitwright.model.recipe import load_recipe

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


def ablation(args):
    """Print what each choice of digits-ff is worth."""
    from bitwright.model.recipe import load_recipe

    print("| change | seeds | epochs | validation, % | test, % |\n" + "|---" * 5 + "|")
    for title, overrides in ABLATION.items():
        results = []
        for seed in range(args.seeds):
            recipe = load_recipe("digits-ff", [*overrides, f"epochs={args.epochs}", f"seed={seed}",
                                               f"name=digits-ff-{title.replace(' ', '-')}"])
            results.append(result(recipe, args.out, args.data_dir))
        print(f"| {title} | {args.seeds} | {args.epochs} |",
              mean([100 * item["validation"] for item in results]), "|",
              mean([100 * item["test"] for item in results]), "|", flush=True)


def cpu_seconds(pid):
    """CPU time of a process so far. Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pipeline_trainer(widths, processes, source):
    """Training of layers of such widths, in one process (0) or in several."""
    from bitwright.model.recipe import Recipe
    from bitwright.model.training.trainer import Trainer

    return Trainer(Recipe.of({
        "name": "pipeline", "data": "mnist", "epochs": 1, "batch": 64,
        "learning": "forward-forward", "forward-forward": FF | {"processes": processes},
        "modulate": {"levels": "real", "labels": "first"},
        "layers": [{"kind": "dense", "unit_length": True, "neurons": width} for width in widths],
        "head": {"kind": "mean_square"}}), source)


def run_steps(trainer, features, labels, steps):
    """Time some steps: milliseconds a step by the clock, and of each process's CPU."""
    rule = trainer.rule
    rule.begin_epoch(0)
    rule.step(features[:64], labels[:64])  # until the workers are there
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
    before = [cpu_seconds(pid) for pid in pids]
    started = time.perf_counter()
    for step in range(steps):
        part = slice(64 * step, 64 * (step + 1))
        rule.step(features[part], labels[part])
    rule.end_epoch()
    wall = time.perf_counter() - started
    used = [cpu_seconds(pid) - start for pid, start in zip(pids, before, strict=True)]
    rule.close()
    return 1000 * wall / steps, [1000 * value / steps for value in used]


def pipeline(args):
    """Print the time of a step with layers in one process and in several, side by side."""
    import torch

    from bitwright import data
    from bitwright.model.rules.forward_forward.pipeline import shares

    torch.set_num_threads(1)
    source = data.load("mnist", args.data_dir)
    features, labels = torch.from_numpy(source.features), torch.from_numpy(source.labels)
    print("| layers | processes | weights of the largest part | ms a step, one process | "
          "pipeline | speed-up | CPU ms a step, one process | main process and each worker | "
          "one process over the busiest |\n" + "|---" * 9 + "|")
    for widths in (LAYERS, (500, 500, 500, 500)):
        for processes in args.processes:
            results = {0: [], processes: []}
            for _ in range(args.repeats):  # in turn, so that other work of the machine hits both
                for count, values in results.items():
                    trainer = pipeline_trainer(widths, count, source)
                    values.append(run_steps(trainer, features, labels, args.steps))
            (alone, one), (piped, each) = (
                (np.median([wall for wall, _ in values]),
                 np.median([used for _, used in values], axis=0)) for values in results.values())
            sizes = [a * b for a, b in zip((784, *widths), widths, strict=False)]
            largest = max(sum(sizes[part]) for part in shares(sizes, processes)) / sum(sizes)
            print(f"| 784-{'-'.join(map(str, widths))} | {processes} | {100 * largest:.0f} % | "
                  f"{alone:.1f} | {piped:.1f} | {alone / piped:.2f} | {one[0]:.1f} | "
                  f"{', '.join(f'{value:.1f}' for value in each)} | "
                  f"{one[0] / max(each):.2f} |", flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.forward_forward", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(function, *, seeds=None, epochs=None):
        one = commands.add_parser(function.__name__, help=function.__doc__,
                                  description=function.__doc__)
        one.set_defaults(run=function)
        one.add_argument("--data-dir", metavar="DIR",
                         help="where the data is (default: $BITWRIGHT_DATA)")
        if seeds:
            one.add_argument("--out", metavar="DIR", default="runs/forward-forward",
                             help="folder of results that are kept (default: %(default)s)")
            one.add_argument("--seeds", metavar="N", type=int, default=seeds,
                             help="seeds from 0 (default: %(default)s)")
            one.add_argument("--epochs", metavar="N", type=int, default=epochs,
                             help=f"epochs (default: {epochs or 'those of the recipe'})")
        return one

    one = command(real, seeds=3, epochs=3)
    one.add_argument("--data", metavar="NAME", default="mnist", help="data set (default: mnist)")
    one.add_argument("--ways", metavar="WAY", nargs="*", choices=WAYS,
                     help=f"some of {', '.join(WAYS)} (default: all)")
    one.add_argument("--inputs", choices=("standard", "plain"), default="standard",
                     help="pixels of mean 0 and variance 1, or from 0 to 1 (default: %(default)s)")
    one.add_argument("--picture", metavar="FILE", help="draw the pruning curve there, as SVG")
    one = command(binary, seeds=2)
    one.add_argument("recipes", metavar="RECIPE", nargs="*",
                     help=f"(default: {', '.join(BINARY)})")
    command(ablation, seeds=5, epochs=30)
    one = command(pipeline)
    one.add_argument("--processes", metavar="N", type=int, nargs="*", default=[2],
                     help="processes of the pipeline (default: 2)")
    one.add_argument("--steps", metavar="N", type=int, default=100,
                     help="steps of a measurement (default: %(default)s)")
    one.add_argument("--repeats", metavar="N", type=int, default=5,
                     help="measurements, of which the median counts (default: %(default)s)")
    one = command(hinton, seeds=2)
    one.add_argument("--layers", metavar="N", type=int, default=4,
                     help="hidden layers (default: %(default)s)")
    one.add_argument("--width", metavar="N", type=int, default=500,
                     help="neurons of each (default: %(default)s; the paper's: 2000)")
    one.add_argument("--jitter", metavar="N", type=int, nargs="*", default=[0, 2],
                     help="pixels of random shifts (default: 0 2)")
    one.add_argument("--ways", metavar="WAY", nargs="*", choices=("FF", "BP"),
                     default=["FF", "BP"], help="FF, BP (default: both)")
    command(unsupervised, seeds=2)
    command(cifar, seeds=2)
    one = command(search, seeds=1, epochs=3)
    one.add_argument("which", metavar="NETWORK", nargs="*", choices=GRIDS,
                     help=f"some of {', '.join(GRIDS)} (default: all)")
    one = command(steps)
    one.add_argument("--steps", metavar="N", type=int, default=10,
                     help="steps of a measurement (default: %(default)s)")
    args = parser.parse_args(argv)
    args.run(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
