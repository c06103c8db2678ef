"""Flip backpropagation: the tables and pictures of docs/learning/flip.md.

``iris`` compares variants of the rule on the report's network, ``ablation`` order, update and
suppressor; both print the final accuracy on 30 validation samples, of the last epoch and not of
the best. ``steps`` goes from the report's rule to ours on digits, ``search`` tries the settings
around those of a recipe for pictures on validation data, ``images`` prints test accuracies of the
recipes, ``pictures`` draws what the layers do over the epochs, and ``operators`` compares packed
words with matrix products. ``noise`` measures what of the code v3 was left out.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path

import numpy as np

__all__ = ["VARIANTS", "main"]

PADS = ("layers.0.bias=12", "head.bias=0")
RANK = ("fbf.mask=rank", "fbf.update_rate=0.02")
CENTRED = ('layers.0.centre="batch"', 'head.centre="batch"')
WISHES = ("fbf.signal=wish", "fbf.error=chance")
VARIANTS = {
    "the report's rule, pad bits masked": (),
    "the same with 12 bias bits a neuron, which the pad bits were": PADS,
    "as published: XNOR, mask of the first flips": ("fbf.update=xnor",),
    "as published, with the pad bits": ("fbf.update=xnor", *PADS),
    "order v1": ("fbf.order=v1",),
    "v3's rank rule, 2 % of a layer": RANK,
    "counts centred by the batch": CENTRED,
    "wishes, gradient by chance": WISHES,
    "wishes, gradient by chance, rank rule": (*WISHES, *RANK),
    "wishes, gradient by chance, rank rule, centred": (*WISHES, *RANK, *CENTRED),
}
"""Overrides of the recipe iris-fbf. The second and fourth are the pad bits of the published code:
4 features are padded to 8 in each of 3 depths."""

STEPS = {
    "the report's rule, s growing": ("fbf.signal=flip", "fbf.error=sign", "fbf.mask=vote",
                                     "fbf.window=0.0", 'layers.0.centre="half"',
                                     'head.centre="half"'),
    "rank rule": ("fbf.mask=rank",),
    "counts centred by the batch": CENTRED,
    "wishes": ("fbf.signal=wish",),
    "gradient by chance": ("fbf.error=chance",),
    "window of one deviation": ("fbf.window=1.0",),
}
"""From the report's rule to that of digits-fbf: each row is the one above it, and its overrides."""

RATES = (0.005, 0.01, 0.02)
INTERVALS = {"digits": (10, 20, 40), "mnist": (2, 3, 5)}
"""What is searched: update rates, and epochs after which the suppressor goes up, a data set."""

SEARCHED = {"mnist": (10_000, 5_000)}
"""Training samples that a search trains on and validates on; else all, as the recipe splits."""

IMAGES = ("digits-fbf", "mnist-fbf", "fashion-mnist-fbf", "digits-bop", "mnist-bop")


def irises():
    """All 150 samples as one data set; its test part is the first 30, and is not looked at."""
    from bitwright.data import DataSet, tabular

    features, labels, classes = tabular.millimetres()
    return DataSet("iris, all", features, labels, features[:30], labels[:30], bits=7, signed=False,
                   full_scale=80, shape=(4,), classes=classes)



def split(labels, seed):
    """120 and 30 samples: the report's own split, which is one for all seeds, or one a seed."""
    from sklearn.model_selection import train_test_split

    from bitwright.data import stratified

    if seed is None:
        return tuple(train_test_split(np.arange(len(labels)), test_size=0.2, random_state=42))
    return stratified(labels, share=0.2, seed=seed)


def learn(name, source, overrides, seed, parts, telemetry=None, noise=None):
    """Train as a recipe says. Returns the validation accuracy of every epoch."""
    from bitwright.model.recipe import load_recipe
    from bitwright.model.training.trainer import Trainer

    recipe = load_recipe(name, [*overrides, f"seed={seed}", "patience=1000"])
    trainer = Trainer(recipe, source, parts)
    if noise:
        from bench.fbf_noise import Noisy

        trainer.rule = Noisy(trainer.network, recipe.rule, epochs=recipe.epochs,
                             task=trainer.task, generator=trainer._draws, **noise)
    trainer.rule.telemetry = telemetry
    while not trainer.finished:
        trainer.run_epoch(lambda samples, accuracy: None)
    return [entry["validation_accuracy"] for entry in trainer.curve]


def summary(source, overrides, seeds, *, fixed):
    """Final accuracy, mean and deviation, and mean best one, over seeds."""
    curves = [learn("iris-fbf", source, overrides, seed,
                    split(source.labels, None if fixed else seed)) for seed in range(seeds)]
    final = np.array([curve[-1] for curve in curves])
    best = np.mean([max(curve) for curve in curves])
    return f"{final.mean():.3f} ± {final.std(ddof=1):.3f} | {best:.3f}"


def iris(args):
    """Variants of the rule."""
    source = irises()
    print("| rule | final accuracy, report's split | mean best | final accuracy, a split a seed | "
          "mean best |")
    print("|---|---|---|---|---|")
    for name, overrides in VARIANTS.items():
        columns = [summary(source, overrides, args.seeds, fixed=fixed) for fixed in (True, False)]
        print(f"| {name} | {' | '.join(columns)} |", flush=True)


def ablation(args):
    """Order, update and suppressor. The second phase has the suppressor of the first, plus 1."""
    source = irises()
    print("| order | update | " + " | ".join(f"s = {s}, then {s + 1}" for s in range(5)) + " |")
    print("|---" * 7 + "|")
    for order, update in itertools.product(("fbf", "v1"), ("xor", "xnor")):
        cells = []
        for suppressor in range(5):
            overrides = (f"fbf.order={order}", f"fbf.update={update}",
                         f"fbf.suppressor={suppressor}", f"fbf.second_suppressor={suppressor + 1}")
            cells.append(summary(source, overrides, args.seeds, fixed=False).split(" |")[0])
        print(f"| {order} | {update} | {' | '.join(cells)} |", flush=True)


def steps(args):
    """From the report's rule to ours on digits: accuracies on the validation split."""
    from bench.kept import result
    from bitwright.model.recipe import load_recipe

    print("| rule | final accuracy, % | best epoch's, % |")
    print("|---|---|---|")
    args.out.mkdir(parents=True, exist_ok=True)
    overrides = []
    for index, (name, added) in enumerate(STEPS.items()):
        overrides += added
        runs = [result(load_recipe("digits-fbf", [*overrides, f"seed={seed}",
                                                  f"name=digits-step{index}"]), args.out)
                for seed in range(args.seeds)]
        curves = 100 * np.array([[entry["validation_accuracy"] for entry in run["curve"]]
                                 for run in runs])
        cells = [f"{column.mean():.1f} ± {column.std(ddof=1):.1f}"
                 for column in (curves[:, -1], curves.max(1))]
        print(f"| {'+ ' if index else ''}{name} | {' | '.join(cells)} |", flush=True)


def search(args):
    """Update rate and interval of the suppressor: the best epoch's accuracy on validation data."""
    from bench.kept import mean
    from bitwright import data

    source, name = data.load(args.data, args.data_dir), f"{args.data}-fbf"
    intervals = INTERVALS[args.data]
    parts = None
    if args.data in SEARCHED:
        train, validation = SEARCHED[args.data]
        order = np.random.default_rng(0).permutation(len(source.labels))
        parts = order[:train], order[train : train + validation]
    print("| update_rate | " + " | ".join(f"suppressor_every = {n}, %" for n in intervals) + " |")
    print("|---" * (1 + len(intervals)) + "|")
    for rate in RATES:
        cells = []
        for interval in intervals:
            overrides = (f"fbf.update_rate={rate}", f"fbf.suppressor_every={interval}")
            curves = [learn(name, source, overrides, seed, parts) for seed in range(args.seeds)]
            cells.append(mean([100 * max(curve) for curve in curves]))
        print(f"| {rate} | {' | '.join(cells)} |", flush=True)


def noise(args):
    """The disrupt mask and the dropout of bits of the code v3, on digits."""
    from bench.fbf_noise import NOISE
    from bench.kept import mean
    from bitwright import data

    source = data.load("digits")
    print("| rule | final accuracy, % | best epoch's, % |")
    print("|---|---|---|")
    for name, settings in NOISE.items():
        curves = 100 * np.array([learn("digits-fbf", source, (), seed, None, noise=settings)
                                 for seed in range(args.seeds)])
        print(f"| {name} | {mean(curves[:, -1])} | {mean(curves.max(1))} |", flush=True)


def images(args):
    """Recipes for pictures, each trained, frozen and evaluated on all test samples."""
    from bench.kept import mean, result
    from bitwright.model.recipe import load_recipe

    print("| recipe | seeds | epochs | validation, % | test, % | weight bits | real values kept | "
          "bits flipped a step, first and last epoch | CPU s an epoch |")
    print("|---" * 9 + "|")
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.recipes or IMAGES:
        recipes = [load_recipe(name, [f"seed={seed}", *args.overrides])
                   for seed in range(args.seeds)]
        runs = [result(recipe, args.out, args.data_dir) for recipe in recipes]
        epochs = len(runs[0]["curve"])
        validation, test = (mean([100 * run[part] for run in runs])
                            for part in ("validation", "test"))
        flipped = [np.mean([run["curve"][epoch]["train_flipped"] for run in runs])
                   for epoch in (0, -1)]
        seconds = np.median([run["seconds"] / epochs for run in runs])
        weights, real = state(recipes[0], args.data_dir)
        print(f"| {name} | {len(runs)} | {epochs} | {validation} | {test} | {weights:,} | {real:,} "
              f"| {flipped[0]:,.0f}, {flipped[1]:,.0f} | {seconds:.2f} |", flush=True)


def state(recipe, data_dir):
    """Weight bits of a network, and real values that its training keeps from step to step."""
    import torch

    from bitwright import data
    from bitwright.model.training.trainer import Trainer

    source = data.load(recipe.data, data_dir)
    trainer = Trainer(recipe, source)
    trainer.rule.step(torch.from_numpy(source.features[:50]), torch.from_numpy(source.labels[:50]))
    parts = [*trainer.network.layers, trainer.network.head]
    weights = sum(part.weights.matrix.numel() for part in parts)
    kept = [*trainer.network.state_dict().values(), *tensors(trainer.rule.state_dict())]
    # Bop keeps its weights at -1 and +1 in floats; they are bits all the same.
    real = sum(value.numel() for value in kept
               if value.is_floating_point() and set(value.unique().tolist()) != {-1.0, 1.0})
    return weights, real


def tensors(value):
    """Tensors of nested dicts and lists."""
    if hasattr(value, "numel"):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for item in value for tensor in tensors(item)] if isinstance(value, list) else []


def pictures(args):
    """Draw the telemetry of a training on Iris: seed 0, the report's split, the report's rule."""
    from bench.fbf_pictures import draw
    from bitwright.model.rules.flip.telemetry import Telemetry

    source = irises()
    for order in ("fbf", "v1"):
        telemetry = Telemetry()
        accuracy = learn("iris-fbf", source, (f"fbf.order={order}",), 0,
                         split(source.labels, None), telemetry)
        path = args.out / f"flip-{order}.png"
        draw(telemetry, accuracy, f"Iris, order {order}", path)
        print(path)


def operators(args):
    """Time and memory of one vote on the weights of a layer, packed and as matrix products."""
    import torch

    from bitwright.model.rules.flip import votes
    from tests.reference.flip import operators as packed
    from tests.reference.flip.words import pack

    print("| inputs x neurons, batch | packed, ms | packed products, MiB | matrix product, ms |")
    print("|---|---|---|---|")
    for inputs, neurons, batch in ((64, 64, 100), (784, 128, 100), (784, 512, 100)):
        generator = torch.Generator().manual_seed(0)
        x, w = (torch.randint(2, (rows, inputs), generator=generator) for rows in (batch, neurons))
        gradient = torch.randn(batch, neurons, generator=generator)
        x_words, w_words = pack(x)[:, None, None], pack(w)[None, None]
        x_signs, w_signs = 2.0 * x.T - 1, 2.0 * w - 1

        def by_words(x=x_words, w=w_words, gradient=gradient, inputs=inputs):
            flips = packed.popcount_backward(gradient, packed.xnor(x, w, inputs), inputs)
            return packed.vote(flips, 0, inputs)[0]

        def by_product(x=x_signs, w=w_signs, gradient=gradient, batch=batch):
            count = votes.flips_of_weights(-gradient.T.sign(), w, x)
            return pack(packed.over_threshold(count, batch, 0.5))

        if not torch.equal(by_words(), by_product()):
            raise SystemExit("the votes differ")
        times = [min(timed(call) for _ in range(args.repeats)) for call in (by_words, by_product)]
        products = inputs * neurons * batch / 2**20
        print(f"| {inputs} x {neurons}, {batch} | {1e3 * times[0]:.2f} | {products / 8:.2f} | "
              f"{1e3 * times[1]:.2f} |", flush=True)


def timed(call):
    """CPU seconds of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def parser():
    parser = argparse.ArgumentParser(
        prog="python -m bench.fbf", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command, seeds in ((iris, 20), (ablation, 20), (steps, 3), (search, 2),
                           (noise, 5), (images, 2), (pictures, None), (operators, None)):
        sub = commands.add_parser(command.__name__, help=command.__doc__.splitlines()[0].lower(),
                                  description=command.__doc__)
        sub.set_defaults(run=command)
        if seeds:
            sub.add_argument("--seeds", metavar="N", type=int, default=seeds,
                             help="trainings of each row, seeds from 0 (default: %(default)s)")
        if command is images:
            sub.add_argument("recipes", metavar="RECIPE", nargs="*",
                             help=f"recipes (default: {', '.join(IMAGES)})")
            sub.add_argument("--set", metavar="KEY=VALUE", action="append", default=[],
                             dest="overrides", help="as for model.train")
        if command is search:
            sub.add_argument("data", metavar="DATA", choices=INTERVALS,
                             help=f"data set: {' or '.join(INTERVALS)}")
        if command in (images, search):
            sub.add_argument("--data-dir", metavar="DIR", type=Path, help="as for model.train")
        if command in (images, steps):
            sub.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/fbf"),
                             help="keep networks and figures in DIR (default: %(default)s)")
        if command is pictures:
            sub.add_argument("--out", metavar="DIR", type=Path, default=Path("docs/learning"),
                             help="write the pictures to DIR (default: %(default)s)")
        if command is operators:
            sub.add_argument("--repeats", metavar="N", type=int, default=5,
                             help="calls, the fastest counts (default: %(default)s)")
    return parser


def main(argv=None):
    import torch

    args = parser().parse_args(argv)
    torch.set_num_threads(1)
    args.run(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
