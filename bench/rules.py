"""Train one binary network by every learning rule, and print one table of what each needs.

The network is the same for all: one bit a feature, two hidden layers of XNOR-popcount neurons, ten
scores. What differs is how it learns. Every run is a process of its own, so that its peak memory
is its own, ends in a frozen file (which compares torch with the golden evaluator on all test
samples), and is kept: a stopped table goes on.

``--search`` changes one setting of a rule at a time, the others as they are in RULES, and prints
accuracies on the validation split; what it found is in RULES.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from bench.kept import kept, mean, result

__all__ = ["RULES", "Way", "main", "recipe", "slug"]

HIDDEN = 128
"""Neurons of each of the two hidden layers."""


XNOR = MappingProxyType({"kind": "xnor"})
SCORES = MappingProxyType({"kind": "scores", "temperature": 16.0})
NOTHING = MappingProxyType({})
RATES = MappingProxyType({"learning_rate": (0.01, 0.03, 0.1)})


class Widths(NamedTuple):
    """Values that flow through the network for one sample."""

    inputs: int
    """Bits that the layers read: of the input, and of each hidden layer."""
    neurons: int
    """Sums of the hidden layers."""
    classes: int


class Way(NamedTuple):
    """How a recipe learns by a rule."""

    learning: str
    settings: Mapping[str, Any]
    """Of the rule, as in a recipe; ``rises`` is how often the suppressor goes up. Chosen on
    validation splits: what is in no grid, on the page of the rule."""
    kept: Callable[[Widths], int]
    """Bits that a device keeps of one sample between the passes over it: a sum as 32 bits, a bit
    as 1."""
    layer: Mapping[str, Any] = XNOR
    head: Mapping[str, Any] = SCORES
    modulate: Mapping[str, Any] = NOTHING
    batch: int = 128
    grids: Mapping[str, tuple[float, ...]] = RATES
    """Values that ``--search`` tries, by setting."""


def gradients(widths):
    """Inputs as bits; each neuron's sum and error, and each score's error, as reals."""
    return widths.inputs + 32 * (2 * widths.neurons + widths.classes)


def local(widths):
    """Two passes through one layer at a time, the greater of them: bits in, sums, no error."""
    return 2 * (max(widths.inputs - widths.neurons, widths.neurons) + 32 * widths.neurons // 2)


def flips(widths):
    """Inputs as bits; of each neuron whether its sum was near a threshold, and what it should be;
    the scores as reals."""
    return widths.inputs + 2 * widths.neurons + 32 * widths.classes


def probabilities(widths):
    """Each neuron's probability, its mass at the threshold and its error, each score's error."""
    return widths.inputs + 32 * (3 * widths.neurons + widths.classes)


BITS = MappingProxyType({"kind": "bmab", "centre": "batch"})
VOTES = MappingProxyType({"kind": "bma", "centre": "batch"})
WISHES = MappingProxyType({"signal": "wish", "error": "chance", "mask": "rank", "suppressor": 1,
                           "window": 1.0})
SHARES = MappingProxyType({"update_rate": (0.001, 0.003, 0.01), "rises": (1, 3, 7)})

RULES: dict[str, Way] = {
    "STE, clipped": Way("backprop", {"learning_rate": 0.03}, gradients),
    "STE, identity": Way("straight-through", {"surrogate": "identity", "learning_rate": 0.01},
                         gradients),
    "STE, quadratic": Way("straight-through", {"surrogate": "quadratic", "learning_rate": 0.03},
                          gradients),
    "STE, Darabi": Way("straight-through", {"surrogate": "sign-swish", "beta": 2.0,
                                            "regulariser": "manhattan", "regularisation": 1e-5,
                                            "learning_rate": 0.03}, gradients,
                       grids={**RATES, "beta": (2.0, 5.0), "regularisation": (1e-6, 1e-5, 1e-4)}),
    "FA": Way("feedback-alignment", {"matrix": "signs", "learning_rate": 0.03}, gradients),
    "DFA": Way("direct-feedback-alignment", {"matrix": "signs", "learning_rate": 0.03}, gradients),
    "uSF": Way("sign-feedback", {"learning_rate": 0.03}, gradients,
               grids=NOTHING),  # with bits it is clipped STE
    "IFA": Way("indirect-feedback-alignment", {"entry": "first-layer", "matrix": "signs",
                                               "learning_rate": 0.03}, gradients),
    "Bop": Way("bop", {"learning_rate": 0.03, "adaptivity": 3e-4, "threshold": 1e-6}, gradients,
               grids={**RATES, "adaptivity": (1e-4, 3e-4, 1e-3), "threshold": (1e-7, 1e-6, 1e-5)}),
    "FBF, as reported": Way("fbf", {}, flips, MappingProxyType({"kind": "bmab"}),
                            MappingProxyType({"kind": "bma"}), batch=500, grids=NOTHING),
    "FBF": Way("fbf", {**WISHES, "update_rate": 0.003, "rises": 3}, flips, BITS, VOTES, batch=500,
               grids=SHARES),
    "flip, v1": Way("fbf", {**WISHES, "order": "v1", "update_rate": 0.003, "rises": 3}, flips,
                    BITS, VOTES, batch=500, grids={"update_rate": SHARES["update_rate"]}),
    "forward-forward": Way("forward-forward", {"loss": "symba", "temperature": 0.1,
                                               "candidates": 3, "learning_rate": 0.01}, local,
                           head=MappingProxyType({"kind": "goodness"}),
                           modulate=MappingProxyType({"labels": "slot"})),
    "Bernoulli": Way("bernoulli", {"learning_rate": 0.03, "soft": 0.15, "regulariser": 0.3},
                     probabilities, MappingProxyType({"kind": "bernoulli"}),
                     MappingProxyType({"kind": "expectation"})),
}


def recipe(name, data, seed, epochs, changed=NOTHING):
    """Recipe of the network on a data set, by the name of a rule in :data:`RULES`."""
    from bitwright.model.recipe import Recipe

    way = RULES[name]
    settings = {**way.settings, **changed}
    if "rises" in settings:
        settings["suppressor_every"] = max(1, epochs // (settings.pop("rises") + 1))
    hidden = {"neurons": HIDDEN, **way.layer}
    return Recipe.of({
        "name": f"{data}-{slug(name)}", "data": data, "seed": seed, "epochs": epochs,
        "patience": epochs, "batch": min(way.batch, 200) if data == "digits" else way.batch,
        "validation": 0.15 if data == "digits" else 0.1,
        "learning": way.learning, way.learning: settings,
        "modulate": {"levels": "even", "depth": 1, **way.modulate},
        "layers": [hidden, hidden], "head": dict(way.head)})


def slug(name):
    """Name of a rule for a file."""
    return name.lower().replace(", ", "-").replace(" ", "-")


def state(trainer):
    """What is kept from one update to the next, while everything still learns.

    Returns
    -------
    real : int
        Real values: latent weights, statistics, optimizer, feedback.
    bits : int
        Bits of state that are no real value: binary weights, matrices of signs.
    moved : int
        Bits of it read or written by an update: all is read once, what a step changes is written.
    """
    import torch

    part = slice(trainer.recipe.batch)
    batch = (torch.from_numpy(trainer.data.features[part]),
             torch.from_numpy(trainer.data.labels[part]))
    trainer.network.train()
    trainer.rule.begin_epoch(0)
    trainer.rule.step(*batch)  # after which optimizers have their moments
    before = tensors(trainer)
    trainer.rule.step(*batch)
    after = tensors(trainer)
    real = bits = moved = 0
    for key, value in before.items():
        size = width(value)
        changed = key not in after or not torch.equal(value, after[key])
        moved += value.numel() * size * (1 + changed)
        if size == 32:
            real += value.numel()
        else:
            bits += value.numel() * size
    return real, bits, moved


def width(value):
    """Bits of an entry: 1 where there are only bits or signs, 32 of a real."""
    if not value.is_floating_point():
        return 1
    magnitudes = value.abs().unique()
    return 1 if value.numel() > 1 and len(magnitudes) == 1 and magnitudes[0] else 32


def tensors(trainer):
    """Copies of the tensors that learning keeps, by path. Thresholds and wiring are no state."""
    import torch

    found = {}

    def walk(value, path):
        if isinstance(value, torch.Tensor):
            if value.is_floating_point() or path.endswith("weights.all"):
                found[path] = value.clone()
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{path}.{key}")
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                walk(item, f"{path}.{index}")

    walk({"network": trainer.network.state_dict(), "rule": trainer.rule.state_dict()}, "")
    return found


def measured(recipe, out, data_dir):
    """Result that is kept of a recipe, or that of a training in a process of its own."""
    values = kept(recipe, out)
    if values is None:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            values = process.submit(result, recipe, out, data_dir).result()
    return values


def search(names, args):
    """Print accuracies on the validation split, seed 0, for each value of each setting."""
    print("| rule | setting | value: validation accuracy, % | best |")
    print("|---|---|---|---|")
    for name in names:
        way = RULES[name]
        for key, values in way.grids.items():
            found = {value: 100 * measured(
                recipe(name, args.data, 0, args.epochs, {key: value}), args.out / "search" /
                ("plain" if way.settings[key] == value else f"{key}-{value}"),
                args.data_dir)["validation"] for value in values}
            cells = ", ".join(f"{value}: {accuracy:.2f}" for value, accuracy in found.items())
            print(f"| {name} | {key} | {cells} | {max(found, key=found.get)} |")


def line(name, runs, args, source):
    """A row of the table."""
    from bitwright.model.training.trainer import Trainer

    test = mean([100 * run["test"] for run in runs])
    cpu = np.median([run["seconds"] for run in runs]) / args.epochs
    wall = np.median([run["wall"] for run in runs])
    peak = max(run["peak"] for run in runs)
    trainer = Trainer(recipe(name, args.data, 0, args.epochs), source)
    real, bits, moved = state(trainer)
    widths = Widths(trainer.network.modulator.geometry.width + 2 * HIDDEN, 2 * HIDDEN,
                    len(source.classes))
    held = RULES[name].kept(widths)
    moved += 2 * trainer.recipe.batch * held
    return (f"| {name} | {test} | {cpu:.1f} | {wall:.0f} | {peak:.0f} | "
            f"{real:,} | {bits:,} | {held:,} | {trainer.recipe.batch} | {moved / 1e6:.2f} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.rules", description=__doc__)
    parser.add_argument("data", metavar="DATA", nargs="?", default="digits",
                        help="data set (default: %(default)s)")
    parser.add_argument("--epochs", metavar="N", type=int, default=8,
                        help="epochs of each run (default: %(default)s)")
    parser.add_argument("--seeds", metavar="N", type=int, default=2,
                        help="runs of each rule, seeds from 0 (default: %(default)s)")
    parser.add_argument("--only", metavar="RULE", choices=sorted(RULES), action="append",
                        help=f"one of {', '.join(RULES)}; can be given several times")
    parser.add_argument("--search", action="store_true",
                        help="print validation accuracies with other settings, seed 0")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/rules"),
                        help="keep networks and figures in DIR (default: %(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="as for model.train")
    args = parser.parse_args(argv)
    names = args.only or list(RULES)
    if args.search:
        search(names, args)
        return 0
    titles = ("rule", "test accuracy, %", "CPU s an epoch", "wall-clock, s", "peak memory, MiB",
              "real values kept", "bits of state beside them", "bits kept a sample",
              "samples an update", "Mbit moved an update")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    results = {name: [measured(recipe(name, args.data, seed, args.epochs), args.out, args.data_dir)
                      for seed in range(args.seeds)] for name in names}
    from bitwright import data as sources

    source = sources.load(args.data, args.data_dir)
    lines += [line(name, runs, args, source) for name, runs in results.items()]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
