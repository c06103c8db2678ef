"""Networks of Hinton's forward-forward paper, as large and as long as a small machine lets them be.

The part of :mod:`bench.forward_forward` that goes by arXiv:2212.13345: layers of reals with labels
and without, CIFAR-10 (JPEG), and the search for their settings on validation splits.
"""

import time

from bench.kept import mean, result

__all__ = ["GRIDS", "cifar", "hinton", "search", "steps", "unsupervised"]

SUPERVISED = "mnist-ff-hinton"
UNSUPERVISED = "mnist-ff-unsupervised"
REALS = "cifar10-jpeg-ff-real"
BITS = "cifar10-jpeg-ff"


def dense(width, count, kind="kind='dense', unit_length=true"):
    """Override of a recipe: so many dense layers of such a width."""
    layer = f"{{{kind}, neurons={width}}}"
    return f"layers=[{', '.join([layer] * count)}]"


LOCAL = ("layers=[{kind='local_dense', channels=8, kernel=10, stride=3}, "
         "{kind='local_dense', channels=16, kernel=4}, "
         "{kind='dense', unit_length=true, neurons=500}]")
BACKPROP = ["learning=backprop", "modulate.labels=none"]
REAL_BACKPROP = [*BACKPROP, "backprop.learning_rate=0.001", dense(300, 2, "kind='dense'"),
                 "head={kind='linear'}"]

GRIDS = {
    "hinton": (SUPERVISED, [
        [f"forward-forward.loss={loss}", f"forward-forward.temperature={temperature}",
         f"forward-forward.candidates={candidates}"]
        for loss, temperature in (("softplus", 1.0), ("symba", 0.1)) for candidates in (1, 3)]),
    "unsupervised": (UNSUPERVISED, [
        [f"unsupervised-forward-forward.learning_rate={rate}",
         f"unsupervised-forward-forward.threshold={threshold}",
         f"unsupervised-forward-forward.temperature={threshold / 4}"]
        for threshold in (0.002, 0.02, 0.2) for rate in (0.003, 0.01)]),
    "cifar-real": (REALS, [
        [f"forward-forward.loss={loss}", f"forward-forward.temperature={temperature}",
         f"forward-forward.learning_rate={rate}", f"modulate.labels={labels}"]
        for loss, temperature, rate, labels in (
            ("softplus", 1.0, 0.03, "first"), ("softplus", 1.0, 0.1, "first"),
            ("softplus", 1.0, 0.03, "dull"), ("softplus", 1.0, 0.1, "dull"),
            ("symba", 0.1, 0.1, "dull"))]),
    "cifar-bits": (BITS, [[f"modulate.depth={depth}"] for depth in (1, 2)]),
}
"""Recipe and settings that ``search`` tries; the best are those of the recipe."""


def kept(name, title, overrides, args):
    """Results of a changed recipe, one a seed. The title goes into the names of their files."""
    from bitwright.model.recipe import load_recipe

    epochs = [f"epochs={args.epochs}", f"patience={args.epochs}"] if args.epochs else []
    slug = title.replace(",", "").replace(" ", "-")
    return [result(load_recipe(name, [*overrides, *epochs, f"seed={seed}", f"name={name}-{slug}"]),
                   args.out, args.data_dir) for seed in range(args.seeds)]


def head(title):
    """Print the first lines of a table."""
    print(f"| {title} | seeds | epochs | validation, % | test, % | CPU s |\n" + "|---" * 6 + "|")


def row(title, results):
    """Print what came out of one way."""
    print(f"| {title} | {len(results)} | {results[0]['recipe']['epochs']} |",
          mean([100 * item["validation"] for item in results]), "|",
          mean([100 * item["test"] for item in results]), "|",
          mean([item["seconds"] for item in results], "{:.0f}"), "|", flush=True)


def hinton(args):
    """Print the table of layers that learn with labels, on pictures as they are and shifted."""
    head(f"{args.layers} layers of {args.width}")
    for jitter in args.jitter:
        shifted = f", shifted by up to {jitter}" if jitter else ""
        for way in args.ways:
            overrides = [dense(args.width, args.layers), f"jitter={jitter}"]
            if way == "BP":
                overrides = [*BACKPROP, "backprop.learning_rate=0.001", "head={kind='linear'}",
                             dense(args.width, args.layers, "kind='dense'"), f"jitter={jitter}"]
            title = f"{way} {args.layers}x{args.width} {jitter}"
            row(way + shifted, kept(SUPERVISED, title, overrides, args))


def unsupervised(args):
    """Print the table of layers that learn without labels, and of a read-out of random ones."""
    head("layers")
    frozen = "unsupervised-forward-forward.learning_rate=1e-12"
    for title, overrides in {"dense": [], "dense, untrained": [frozen], "local": [LOCAL]}.items():
        row(title, kept(UNSUPERVISED, title, overrides, args))


def cifar(args):
    """Print the table of CIFAR-10 (JPEG): reals and bits, by forward-forward and by gradients."""
    head("network")
    for title, name, overrides in (
            ("reals, FF", REALS, []), ("reals, BP", REALS, REAL_BACKPROP),
            ("bits, FF", BITS, []),
            ("bits, STE", BITS, [*BACKPROP, "backprop.learning_rate=0.03",
                                 "head={kind='scores', temperature=16.0}"])):
        row(title, kept(name, title, overrides, args))


def search(args):
    """Print the validation accuracy of every choice of settings, after few epochs."""
    for which in args.which or GRIDS:
        name, grid = GRIDS[which]
        print(f"| settings of {name} | seeds | epochs | validation, % |\n" + "|---" * 4 + "|")
        for overrides in grid:
            pairs = [override.split("=") for override in overrides]
            title = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in pairs)
            results = kept(name, title, overrides, args)
            print(f"| {title} | {args.seeds} | {args.epochs} |",
                  mean([100 * item["validation"] for item in results]), "|", flush=True)


def steps(args):
    """Print the time of a step of the networks of Hinton's paper, and of all its epochs."""
    import torch

    from bitwright import data
    from bitwright.model.recipe import load_recipe
    from bitwright.model.training.trainer import Trainer

    torch.set_num_threads(1)
    source = data.load("mnist", args.data_dir)
    print("| network | CPU ms a step of 100 | epochs | CPU hours |\n" + "|---" * 4 + "|")
    for title, name, epochs, overrides in (
            ("supervised, 4 x 2000", SUPERVISED, 60, ["forward-forward.candidates=1"]),
            ("supervised, 4 x 2000, shifted", SUPERVISED, 500, ["forward-forward.candidates=1"]),
            ("unsupervised, 4 x 2000", UNSUPERVISED, 100, [])):
        trainer = Trainer(load_recipe(name, [dense(2000, 4), *overrides]), source)
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
