"""Speed of training steps, side by side with another checkout of the project, in one run.

Each measurement is a process of its own; the two trees take turns, so that what else the machine
does falls on both. Given is user time of the processor, which does not count what others take, and
for the first steps, in which all is compiled that has to be, time of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

__all__ = ["main", "measure"]

ROOT = Path(__file__).parents[1]

PROGRAM = """
import importlib, json, os, resource, sys, time
from pathlib import Path
import torch
prefix = "bitwright." if os.path.isdir("bitwright") else ""  # as it was without a namespace
load = importlib.import_module(prefix + ("data" if os.path.isdir("data") else "model.data")).load
recipe = importlib.import_module(prefix + "model.recipe").load_recipe(sys.argv[1])
place = "model.training.trainer" if os.path.isdir("model/training") else "model.trainer"
Trainer = importlib.import_module(prefix + place).Trainer
torch.set_num_threads(1)
steps = int(sys.argv[2])
options = {"compiled": True} if sys.argv[4] else {}  # which older trees do not know
trainer = Trainer(recipe, load(recipe.data, Path(sys.argv[3]) if sys.argv[3] else None), **options)
trainer.network.train()
trainer.rule.begin_epoch(0)
parts = torch.randperm(trainer.samples).split(recipe.batch)
def run(first, count):
    samples = 0
    for number in range(first, first + count):
        part = parts[number % (len(parts) - 1)]
        trainer.rule.step(trainer._features[part], trainer._labels[part])
        samples += len(part)
    return samples
start = time.perf_counter()
run(0, 5)
first = time.perf_counter() - start
def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime
before = used()
samples = run(5, steps)
print(json.dumps({"seconds": used() - before, "steps": steps, "samples": samples, "first": first}))
"""


def measure(tree: Path, recipe: str, steps: int, data_dir: Path | None, *,
            compiled: bool = False) -> dict[str, float]:
    """Train a few steps of a recipe by the code of a tree.

    Gives ``seconds``, ``steps`` and ``samples``, and ``first``, seconds of the five steps before.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, recipe, str(steps), str(data_dir or ""),
         "compiled" if compiled else ""],
        cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, stdout=subprocess.PIPE,
        encoding="utf-8", check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("recipes", metavar="RECIPE", nargs="*", default=["mnist", "mnist-xnor"],
                        help="(default: mnist mnist-xnor)")
    parser.add_argument("--other", metavar="DIR", type=Path, help="another checkout, to compare")
    parser.add_argument("--compile", action="store_true",
                        help="also with the pass that torch compiles, of this checkout")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="folder of the data sets")
    parser.add_argument("--rounds", metavar="N", type=int, default=4, help="(default: 4)")
    parser.add_argument("--steps", metavar="N", type=int, default=100, help="(default: 100)")
    args = parser.parse_args(argv)
    trees = {"other": (args.other.resolve(), False)} if args.other else {}
    trees["this"] = ROOT, False
    if args.compile:
        trees["this, compiled"] = ROOT, True
    data_dir = args.data_dir.resolve() if args.data_dir else None
    print("| recipe | tree | first steps, s | ms a step, each round | median | samples/s |\n"
          "|---|---|---|---|---|---|")
    for recipe in args.recipes:
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in trees}
        for _ in range(args.rounds):
            for name, (tree, compiled) in trees.items():
                rounds[name].append(measure(tree, recipe, args.steps, data_dir, compiled=compiled))
        for name, results in rounds.items():
            times = [1e3 * result["seconds"] / result["steps"] for result in results]
            rate = statistics.median(result["samples"] / result["seconds"] for result in results)
            first = statistics.median(result["first"] for result in results)
            print(f"| {recipe} | {name} | {first:.1f} | "
                  f"{', '.join(f'{time:.2f}' for time in times)} | "
                  f"{statistics.median(times):.2f} | {rate:,.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
