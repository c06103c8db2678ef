"""Train one binary network by every learning rule, and print one table of what each needs.

The network is the same for all: one bit a feature, two hidden layers of XNOR-popcount neurons, ten
scores. What differs is how it learns. Every run is a process of its own, so that its peak memory
is its own, ends in a frozen file (which compares torch with the golden evaluator on all test
samples), and is kept: a stopped table goes on.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from bench.kept import mean

__all__ = ["RULES", "Way", "main", "recipe", "slug"]

GRID = (0.01, 0.03, 0.1)
"""Learning rates that ``--search`` tries."""

HIDDEN = 128
"""Neurons of each of the two hidden layers."""


XNOR = MappingProxyType({"kind": "xnor"})
SCORES = MappingProxyType({"kind": "scores", "temperature": 16.0})
NOTHING = MappingProxyType({})


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
    """Of the rule, as in a recipe. Chosen on validation splits, see the pages of the rules."""
    kept: Callable[[Widths], int]
    """Bits that a device keeps of one sample between the passes over it: a sum as 32 bits, a bit
    as 1."""
    layer: Mapping[str, Any] = XNOR
    head: Mapping[str, Any] = SCORES
    modulate: Mapping[str, Any] = NOTHING
    batch: int = 128


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

RULES: dict[str, Way] = {
    "STE, clipped": Way("backprop", {"learning_rate": 0.03}, gradients),
    "STE, identity": Way("straight-through", {"surrogate": "identity", "learning_rate": 0.01},
                         gradients),
    "STE, quadratic": Way("straight-through", {"surrogate": "quadratic", "learning_rate": 0.03},
                          gradients),
    "STE, Darabi": Way("straight-through", {"surrogate": "sign-swish", "regulariser": "manhattan",
                                            "learning_rate": 0.03}, gradients),
    "FA": Way("feedback-alignment", {"matrix": "signs", "learning_rate": 0.03}, gradients),
    "DFA": Way("direct-feedback-alignment", {"matrix": "signs", "learning_rate": 0.03}, gradients),
    "uSF": Way("sign-feedback", {"learning_rate": 0.03}, gradients),
    "IFA": Way("indirect-feedback-alignment", {"entry": "first-layer", "matrix": "signs",
                                               "learning_rate": 0.03}, gradients),
    "Bop": Way("bop", {"learning_rate": 0.03, "adaptivity": 0.001, "threshold": 1e-6}, gradients),
    "FBF, as reported": Way("fbf", {}, flips, MappingProxyType({"kind": "bmab"}),
                            MappingProxyType({"kind": "bma"}), batch=500),
    "FBF": Way("fbf", WISHES, flips, BITS, VOTES, batch=500),
    "flip, v1": Way("fbf", {**WISHES, "order": "v1"}, flips, BITS, VOTES, batch=500),
    "forward-forward": Way("forward-forward", {"loss": "symba", "temperature": 0.1,
                                               "candidates": 3, "learning_rate": 0.03}, local,
                           head=MappingProxyType({"kind": "goodness"}),
                           modulate=MappingProxyType({"labels": "slot"})),
    "Bernoulli": Way("bernoulli", {"learning_rate": 0.01, "soft": 0.15, "regulariser": 0.3},
                     probabilities, MappingProxyType({"kind": "bernoulli"}),
                     MappingProxyType({"kind": "expectation"})),
}


def recipe(name, data, seed, epochs, rate=None):
    """Recipe of the network on a data set, by the name of a rule in :data:`RULES`."""
    from model.recipe import Recipe

    way = RULES[name]
    settings = dict(way.settings) if rate is None else {**way.settings, "learning_rate": rate}
    if "suppressor" in settings:  # it goes up at each quarter of the epochs
        settings["suppressor_every"] = max(1, epochs // 4)
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


def measure(name, args, out):
    """Train, freeze and measure one network in this process. Returns plain values."""
    import torch

    import ir
    from model import data as sources
    from model.trainer import Trainer

    torch.set_num_threads(1)
    trainer = Trainer(recipe(name, args.data, args.seed, args.epochs, args.rate),
                      sources.load(args.data, args.data_dir))
    start_memory = memory(reset=True)
    wall, cpu = time.perf_counter(), time.process_time()
    while not trainer.finished:
        trainer.run_epoch(lambda samples, accuracy: None)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = memory() - start_memory
    network = trainer.freeze()
    ir.save(out, network)
    return {"accuracy": network.provenance["accuracy"], "epochs": trainer.epoch,
            "best_epoch": trainer.best["epoch"], "wall_s": wall, "cpu_s": cpu, "peak_mib": peak}


def memory(reset=False):
    """Resident memory in MiB: the highest since it was last reset, or now if it is reset.

    Linux only. The peak that the loader left behind is not the training's.
    """
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("bench.rules reads /proc/self/status, which this system lacks")


def state(trainer):
    """What is kept from one update to the next, while everything still learns.

    Returns
    -------
    real : int
        Real values: latent weights, statistics, optimizer, feedback.
    bits : int
        Bits of state that are no real value: packed binary weights, matrices of signs.
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
    """Bits of an entry: 8 of packed weights, 1 where there are only signs, 32 of a real."""
    if not value.is_floating_point():
        return 8
    magnitudes = value.abs().unique()
    return 1 if value.numel() > 1 and len(magnitudes) == 1 and magnitudes[0] else 32


def tensors(trainer):
    """Copies of the tensors that learning keeps, by path. Thresholds and wiring are no state."""
    import torch

    found = {}

    def walk(value, path):
        if isinstance(value, torch.Tensor):
            if value.is_floating_point() or value.dtype == torch.uint8:
                found[path] = value.clone()
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{path}.{key}")
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                walk(item, f"{path}.{index}")

    walk({"network": trainer.network.state_dict(), "rule": trainer.rule.state_dict()}, "")
    return found


def stem(name, args, seed, rate=None):
    """Path of what is kept of a run, without its ending."""
    folder = args.out if rate is None else args.out / f"rate-{rate}-{args.epochs}"
    return folder / f"{args.data}-{slug(name)}-seed{seed}"


def measured(name, args, seed, rate=None):
    """Figures of a run: those that are kept, or of a new process."""
    kept = stem(name, args, seed, rate).with_suffix(".json")
    if not kept.exists():
        command = [sys.executable, "-m", "bench.rules", args.data, "--out", str(args.out),
                   "--epochs", str(args.epochs), "--only", name, "--seed", str(seed)]
        command += ["--rate", str(rate)] if rate is not None else []
        command += ["--data-dir", str(args.data_dir)] if args.data_dir else []
        print("+", *command[1:], file=sys.stderr)
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"{name} on {args.data}, seed {seed}: the run failed")
    return json.loads(kept.read_text())


def searched(name, args):
    """A row of the search: accuracies on the validation split, never on the test part."""
    found = {rate: 100 * measured(name, args, 0, rate)["accuracy"]["validation"] for rate in GRID}
    cells = " | ".join(f"{value:.2f}" for value in found.values())
    return f"| {name} | {cells} | {max(found, key=found.get)} |"


def line(name, runs, args, source):
    """A row of the table."""
    from model.trainer import Trainer

    test = mean([100 * run["accuracy"]["test_ir"] for run in runs])
    cpu = np.median([run["cpu_s"] / run["epochs"] for run in runs])
    wall = np.median([run["wall_s"] for run in runs])
    peak = max(run["peak_mib"] for run in runs)
    trainer = Trainer(recipe(name, args.data, 0, args.epochs), source)
    real, bits, moved = state(trainer)
    widths = Widths(trainer.network.modulator.geometry.width + 2 * HIDDEN, 2 * HIDDEN,
                    len(source.classes))
    kept = RULES[name].kept(widths)
    moved += 2 * trainer.recipe.batch * kept
    return (f"| {name} | {test} | {cpu:.1f} | {wall:.0f} | {peak:.0f} | "
            f"{real:,} | {bits:,} | {kept:,} | {trainer.recipe.batch} | {moved / 1e6:.2f} |")


def parser():
    parser = argparse.ArgumentParser(prog="python -m bench.rules", description=__doc__)
    parser.add_argument("data", metavar="DATA", nargs="?", default="digits",
                        help="data set (default: %(default)s)")
    parser.add_argument("--epochs", metavar="N", type=int, default=8,
                        help="epochs of each run (default: %(default)s)")
    parser.add_argument("--seeds", metavar="N", type=int, default=2,
                        help="runs of each rule, seeds from 0 (default: %(default)s)")
    parser.add_argument("--only", metavar="RULE", choices=sorted(RULES),
                        help=f"one of {', '.join(RULES)}")
    parser.add_argument("--seed", metavar="N", type=int,
                        help="with --only: run this one, here, and print nothing")
    parser.add_argument("--rate", metavar="R", type=float,
                        help="with --seed: learn at this rate, not at the one of the table")
    parser.add_argument("--search", action="store_true",
                        help="print validation accuracies at several learning rates, seed 0")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/rules"),
                        help="keep networks and figures in DIR (default: %(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="as for model.train")
    return parser


def main(argv=None):
    args = parser().parse_args(argv)
    names = [args.only] if args.only else list(RULES)
    if args.seed is not None:
        from ir import write_atomic

        if args.only is None:
            parser().error("--seed needs --only")
        kept = stem(args.only, args, args.seed, args.rate)
        kept.parent.mkdir(parents=True, exist_ok=True)
        figures = measure(args.only, args, kept.with_suffix(".safetensors"))
        write_atomic(kept.with_suffix(".json"), json.dumps(figures))
        return 0
    if args.search:
        print("| rule |", " | ".join(map(str, GRID)), "| best |")
        print("|---" * (len(GRID) + 2) + "|")
        for name in names:
            if RULES[name].learning not in ("fbf", "bop"):  # these have no such rate
                print(searched(name, args))
        return 0
    titles = ("rule", "test accuracy, %", "CPU s an epoch", "wall-clock, s", "peak memory, MiB",
              "real values kept", "bits of state beside them", "bits kept a sample",
              "samples an update",
              "Mbit moved an update")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    results = {name: [measured(name, args, seed) for seed in range(args.seeds)] for name in names}
    from model import data as sources

    source = sources.load(args.data, args.data_dir)
    lines += [line(name, runs, args, source) for name, runs in results.items()]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
