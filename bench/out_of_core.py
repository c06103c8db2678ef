"""Train an epoch on a set that lies on disk, on a part of it, and on that part held in memory.

The set is made of bytes: a picture for each class, and three times as much noise. It is written as
shards, once for each size, and the system is asked to forget the files before they are read. Every
training is a process of its own, and prints its peak memory (and what torch and Python take of it)
and samples a second of its steps. The part is as many whole shards as --memory has samples for, so
that both trainings of it have the same. With --gigabytes 0.02 it is done in seconds.
"""

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

__all__ = ["main", "make", "measure", "part"]

ROOT = Path(__file__).parents[1]
SHAPE, CLASSES = (32, 32, 3), 10
PART = 1 << 14
"""Samples that are made together."""

TEST = 2000
LAYERS = "layers=[{kind='lut', width=1000, fan_in=6}, {kind='lut', width=500, fan_in=6}]"


def make(folder, gigabytes, seed=0):
    """Write a set of so many gigabytes, unless it is there."""
    from bitwright import data
    from bitwright.data.shards import SET

    if (folder / SET).exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    free = shutil.disk_usage(folder).free
    if free < gigabytes * 1.1e9:
        raise SystemExit(f"{folder}: {gigabytes} GB are wanted, and {free / 1e9:.1f} are free")
    rng, width = np.random.default_rng(seed), int(np.prod(SHAPE))
    pictures = rng.integers(256, size=(CLASSES, width), dtype=np.uint8) >> 1

    def draw(count):
        labels = rng.integers(CLASSES, size=count)
        noise = rng.integers(256, size=(count, width), dtype=np.uint8)
        return pictures[labels] // 4 + (noise >> 2) * 3, labels

    with data.ShardWriter(folder, shape=SHAPE, classes=[f"class {n}" for n in range(CLASSES)],
                          size=min(64 << 20, int(gigabytes * 1e9 / 16))) as writer:
        left = int(gigabytes * 1e9 / width)
        while left > 0:
            writer.add(*draw(min(PART, left)))
            left -= PART
        writer.test(*draw(TEST))


def forget(folder):
    """Ask the system to keep nothing of the files in memory."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.glob("*.npy"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def part(found, most):
    """The first shards of a set, as many as have no more samples, but one at least."""
    from bitwright.data.shards import Shards

    shards = found.shards
    count = max(1, int(np.searchsorted(shards.bounds, most, side="right")) - 1)
    fewer = Shards(shards.folder, np.diff(shards.bounds)[:count], shards.shape[1],
                   shards.domain, shards.digest)
    return replace(found, features=fewer, labels=found.labels[: len(fewer)])


def measure(folder, where, most, batch, pipe):
    """Train an epoch: of all samples, or of a part, as they lie on disk or in memory."""
    import torch

    from bitwright import data
    from bitwright.model.recipe import load_recipe
    from bitwright.model.training.trainer import Trainer

    torch.set_num_threads(1)
    before = _peak()
    found = data.load(str(folder))
    if most:
        found = part(found, most)
    recipe = load_recipe("digits", [
        "epochs=1", "patience=1", f"batch={batch}", f"data='{folder}'", LAYERS,
        "backprop.label_smoothing=0.0", f"validation={min(0.1, 2000 / len(found.labels))}"])
    if where == "memory":
        found = replace(found, features=found.features[:])
    trainer = Trainer(recipe, found)
    steps, seen = time.perf_counter(), [0]

    def step(samples, metric):
        del metric
        seen[0] += samples
        seen.append(time.perf_counter() - steps)

    entry = trainer.run_epoch(step)
    pipe.send({"samples": seen[0], "rate": seen[0] / seen[-1], "peak": _peak(), "before": before,
               "seconds": seen[-1], "accuracy": entry["validation_accuracy"]})


def _peak():
    """MiB of this process, at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(argv=None):
    """Run the bench. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.out_of_core", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", metavar="G", type=float, default=10.0,
                        help="of the set (default: 10)")
    parser.add_argument("--memory", metavar="N", type=int, default=200_000,
                        help="samples of the part, at most (default: 200000)")
    parser.add_argument("--batch", metavar="N", type=int, default=512)
    parser.add_argument("--out", metavar="DIR", type=Path, default=ROOT / "runs" / "out-of-core",
                        help="where the set is made (default: runs/out-of-core)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, too")
    args = parser.parse_args(argv)
    folder = args.out.resolve() / f"{args.gigabytes:g}"
    started = time.perf_counter()
    make(folder, args.gigabytes)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
    print(f"{size:.2f} GB in {folder} ({time.perf_counter() - started:.0f} s)\n")
    print("| samples | GB of them | where | peak memory, MiB | of torch and Python | samples a "
          "second | validation, % |\n|---|---|---|---|---|---|---|")
    context, rows = multiprocessing.get_context("spawn"), []
    for where, most in (("shards", 0), ("shards", args.memory), ("memory", args.memory)):
        forget(folder)
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=measure, args=(folder, where, most, args.batch, there))
        process.start()
        there.close()
        try:
            row = here.recv()
        except EOFError:
            return 1
        process.join()
        rows.append({"where": where, **row})
        print(f"| {row['samples']:,} | {row['samples'] * np.prod(SHAPE) / 1e9:.2f} | {where} | "
              f"{row['peak']:,.0f} | {row['before']:,.0f} | {row['rate']:,.0f} | "
              f"{100 * row['accuracy']:.1f} |", flush=True)
    if args.json:
        print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
