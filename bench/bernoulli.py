"""Bernoulli networks: convergence and cost of the gradients, schedules of binarisation, MNIST.

python -m bench.bernoulli convergence    steps until a random weight matrix is recovered
python -m bench.bernoulli gradients      error and time of each gradient
python -m bench.bernoulli schedules      three ways from probabilities to bits
python -m bench.bernoulli mnist          the same networks by probabilities and straight through
python -m bench.bernoulli picture        soft and hard accuracy over the epochs of kept runs

Trained networks are kept with their curves, so that a stopped table goes on.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

__all__ = ["main"]

GRADIENTS = ("precise", "three", "five", "autograd")

WIDTH, NEURONS, BATCH, RATE, LIMIT = 32, 8, 32, 0.025, 1000
"""Of the recovery of a matrix: its columns and rows, vectors a step, learning rate of Adam, and
steps at most."""

SMALL = 0.01
"""Mean squared error of a tail at which the recovery has converged."""


def recovery(gradient, seed):
    """Steps of Adam until a random weight matrix is recovered, and until the loss is small.

    A layer in doubt sees random -1/+1 vectors, and learns the signs of their products with the
    matrix through P(S >= N / 2) and the squared error.
    """
    import torch

    from bitwright.model.poisson_binomial import bernoulli_tail

    generator = torch.Generator().manual_seed(seed)
    right = 2.0 * torch.randint(2, (NEURONS, WIDTH), generator=generator) - 1
    weights = ((torch.rand(NEURONS, WIDTH, generator=generator) - 0.5) / 5).requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=RATE)
    threshold = torch.full((NEURONS,), WIDTH / 2)
    recovered = None
    for step in range(1, LIMIT + 1):
        x = 2.0 * torch.randint(2, (WIDTH, BATCH), generator=generator) - 1
        tail = bernoulli_tail(weights, x, threshold, gradient)
        loss = (tail - (right @ x >= 0).float()).square().mean()
        if recovered is not None and loss < SMALL:
            return recovered, step
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            weights.clamp_(-1, 1)
        if recovered is None and torch.equal(weights.detach().sign(), right):
            recovered = step
    raise SystemExit(f"no recovery in {LIMIT} steps: {gradient}, seed {seed}")


def convergence(args):
    document = {"precise": 57.7, "three": 63.4, "five": 59.2, "autograd": 57.3}
    print(f"N = {WIDTH} inputs, M = {NEURONS} neurons, {BATCH} vectors a step, Adam {RATE}, "
          f"{args.seeds} seeds; mean steps ± sd\n")
    print(f"| gradient | all bits right | loss below {SMALL} | document |\n|---|---|---|---|")
    for gradient in GRADIENTS:
        runs = zip(*(recovery(gradient, seed) for seed in range(args.seeds)), strict=True)
        cells = [f"{statistics.mean(steps):.1f} ± {statistics.stdev(steps):.1f}" for steps in runs]
        print(f"| {gradient} | {' | '.join(cells)} | {document[gradient]} |", flush=True)


SIZES = ((36, 8, 9216), (128, 64, 128), (800, 32, 512))
"""Inputs, neurons and columns of the layers of mnist-bernoulli: 64 samples, or 128."""

DOUBTS = {"wide": 0.5, "near bits": 4.0}
"""Of weights and inputs: normal numbers times this, cut at -1 and +1."""


def gradients(args):
    """Error of each derivative against the float64 recursion, and the CPU time of each."""
    import torch

    from bitwright.model.poisson_binomial import bernoulli_tail
    from tests.reference import poisson_binomial as exact

    del args
    torch.set_num_threads(1)
    peak = machine()
    print(f"matrix product: {peak:.0f} GFLOP/s, one thread\n")
    print("| inputs | doubt | deviation of S | gradient | relative error | forward, ms | "
          "backward, ms | factors a second, 10^9 |\n" + "|---" * 8 + "|")
    for (n, sums, columns), (doubt, spread) in ((s, d) for s in SIZES for d in DOUBTS.items()):
        rng = np.random.default_rng(n)
        u, a = (torch.from_numpy(np.clip(rng.normal(size=shape) * spread, -1, 1)).float()
                for shape in ((sums, n), (n, columns)))
        threshold = torch.full((sums,), round(n / 2) + 0.0)
        p = ((1 + u[:, :, None].double() * a[:, :40].double()) / 2).numpy()[:4]
        deviation = np.sqrt((p * (1 - p)).sum(1)).mean()
        truth = np.stack([[exact.precise(p[o, :, c], round(n / 2)) for c in range(40)]
                          for o in range(4)])
        for gradient in GRADIENTS:
            if gradient == "autograd" and n * sums * columns > 1 << 21:
                continue  # gigabytes of tape
            found = np.empty_like(truth)
            for o, c in np.ndindex(4, 40):
                # The derivative by u over a / 2 is that by p; where a is 0, so is neither known.
                one, other = u[o : o + 1].clone().requires_grad_(), a[:, c : c + 1]
                bernoulli_tail(one, other, threshold[:1], gradient).backward()
                scale = np.where(other[:, 0] == 0, np.nan, other[:, 0].numpy() / 2)
                found[o, c] = one.grad[0].numpy() / scale
            error = np.sqrt(np.nanmean((found - truth) ** 2) / np.nanmean(truth**2))
            forward, backward = timed(u, a, threshold, gradient)
            print(f"| {n} | {doubt} | {deviation:.1f} | {gradient} | {error:.1e} | "
                  f"{1e3 * forward:.1f} | {1e3 * backward:.1f} | "
                  f"{n * sums * columns / forward / 1e9:.2f} |", flush=True)


def timed(u, a, threshold, gradient):
    """Least CPU seconds of nine passes, forward and backward."""
    from bitwright.model.poisson_binomial import bernoulli_tail

    best = [float("inf"), float("inf")]
    for _ in range(9):
        weights, x = u.clone().requires_grad_(), a.clone().requires_grad_()
        start = time.process_time()
        tail = bernoulli_tail(weights, x, threshold, gradient)
        middle = time.process_time()
        tail.sum().backward()
        for index, seconds in enumerate((middle - start, time.process_time() - middle)):
            best[index] = min(best[index], seconds)
    return best


def machine():
    """Floating-point operations a second of a matrix product, in 10^9: the limit in practice."""
    import torch

    x = torch.rand(512, 512)
    best = float("inf")
    for _ in range(20):
        start = time.process_time()
        x @ x
        best = min(best, time.process_time() - start)
    return 2 * 512**3 / best / 1e9


def trained(name, args, seed, *overrides):
    """A frozen network with its curve: the kept one, or a new training."""
    import torch

    from bitwright import data, ir
    from bitwright.model.recipe import load_recipe
    from bitwright.model.training.trainer import Trainer

    file = args.out / f"{name}-seed{seed}.safetensors"
    if not file.exists():
        recipe = load_recipe(name.split("+")[0], [f"seed={seed}", *overrides])
        torch.set_num_threads(1)
        trainer = Trainer(recipe, data.load(recipe.data, args.data_dir))
        started = time.process_time()
        while not trainer.finished:
            entry = trainer.run_epoch(lambda samples, accuracy: None)
            print(f"{name} seed {seed}: epoch {entry['epoch']}/{recipe.epochs}, validation "
                  f"{entry['validation_accuracy']:.2%}", file=sys.stderr)
        network = trainer.freeze()
        network.provenance["cpu_s"] = time.process_time() - started
        ir.save(file, network)
    return ir.load(file)


def row(title, networks):
    """Training accuracy before the first bits, in doubt and as bits; frozen accuracy; seconds."""
    before = []
    for network in networks:
        provenance = network.provenance
        for first in changes(provenance["recipe"])[:1]:
            entry = provenance["curve"][first - 1]
            before.append((entry["train_accuracy"], entry["train_hard_accuracy"]))
    cells = [percent(values) for values in zip(*before, strict=True)] or ["-", "-"]
    cells += [percent([n.provenance["accuracy"][key] for n in networks])
              for key in ("validation", "test_ir")]
    epochs = networks[0].provenance["recipe"]["epochs"]
    return (f"| {title} | {epochs} | {' | '.join(cells)} | "
            f"{statistics.mean(n.provenance['cpu_s'] for n in networks):.0f} |")


def percent(values):
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.2f}{spread}"


HEADER = ("| | epochs | training before the first bits: in doubt, % | the same as bits, % | "
          "validation, % | test, frozen, % | CPU s |\n|---|---|---|---|---|---|---|")


def schedules(args):
    print(f"{args.recipe}, {args.seeds} seeds\n\n{HEADER}")
    for schedule in ("at-once", "layer-by-layer", "part-by-part"):
        networks = [trained(f"{args.recipe}+{schedule}", args, seed,
                            f"bernoulli.schedule={schedule}") for seed in range(args.seeds)]
        print(row(schedule, networks), flush=True)


def mnist(args):
    print(f"{args.seeds} seeds\n\n{HEADER}")
    for recipe in ("mnist-bernoulli", "mnist-conv", "mnist-bernoulli-wide", "mnist-conv-wide",
                   "mnist-bernoulli-dense"):
        networks = [trained(recipe, args, seed) for seed in range(args.seeds)]
        print(row(recipe, networks), flush=True)


def picture(args):
    """Curves of every kept run of a recipe, one panel a schedule."""
    import matplotlib
    import matplotlib.pyplot as plt

    from bitwright import ir

    matplotlib.use("agg")
    names = sorted({file.stem.rsplit("-seed", 1)[0] for file in args.out.glob("*.safetensors")
                    if file.stem.startswith(args.recipe)})
    if not names:
        raise SystemExit(f"{args.out}: no run of {args.recipe}; train one first")
    figure, panels = plt.subplots(1, len(names), figsize=(4.2 * len(names), 3.2), squeeze=False,
                                  sharey=True, layout="constrained")
    for axes, name in zip(panels[0], names, strict=True):
        for index, file in enumerate(sorted(args.out.glob(f"{name}-seed*.safetensors"))):
            curve = ir.load(file).provenance["curve"]
            for key, colour, label in (("train_accuracy", "tab:blue", "in doubt, training"),
                                       ("train_hard_accuracy", "tab:orange", "bits, training"),
                                       ("validation_accuracy", "tab:green", "bits, validation")):
                if key in curve[0]:
                    axes.plot([entry["epoch"] for entry in curve],
                              [100 * entry[key] for entry in curve], color=colour, linewidth=1,
                              alpha=0.7, label=label if index == 0 else None)
        recipe = ir.load(file).provenance["recipe"]
        for start in changes(recipe):
            axes.axvline(start + 0.5, color="0.8", linewidth=0.6, zorder=0)
        axes.set(title=name.partition("+")[2] or name, xlabel="epoch", ylim=(args.floor, 100.5))
    panels[0][0].set_ylabel("accuracy, %")
    panels[0][0].legend(loc="lower right", fontsize="small")
    args.png.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.png, dpi=90)
    print(args.png)


def changes(recipe):
    """Epochs at whose start weights became bits."""
    from bitwright.model.recipe import Recipe

    if recipe["learning"] != "bernoulli":
        return []
    made = Recipe.of(recipe)
    shares = made.rule.shares(len(made.layers) + 1, made.epochs)
    return [epoch for epoch in range(1, made.epochs) if shares[epoch] != shares[epoch - 1]]


COMMANDS = {"convergence": convergence, "gradients": gradients, "schedules": schedules,
            "mnist": mnist, "picture": picture}


def parser():
    parser = argparse.ArgumentParser(prog="python -m bench.bernoulli", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", metavar="WHAT", choices=sorted(COMMANDS),
                        help=f"one of {', '.join(COMMANDS)}")
    parser.add_argument("--seeds", metavar="N", type=int, default=5,
                        help="runs of each kind, seeds from 0 (default: %(default)s)")
    parser.add_argument("--recipe", metavar="NAME", default="digits-bernoulli",
                        help="of the schedules and of the picture (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/bernoulli"),
                        help="keep networks in DIR (default: %(default)s)")
    parser.add_argument("--png", metavar="FILE", type=Path, default=Path("build/bernoulli.png"),
                        help="file of the picture (default: %(default)s)")
    parser.add_argument("--floor", metavar="PERCENT", type=float, default=60.0,
                        help="lowest accuracy in the picture (default: %(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="as for model.train")
    return parser


def main(argv=None):
    args = parser().parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    COMMANDS[args.what](args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
