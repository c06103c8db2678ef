"""Runs of the comparison of frames and depth: in processes side by side, each in a run folder."""

import contextlib
import hashlib
import json
import multiprocessing
import os
import sys
from dataclasses import replace
from multiprocessing import connection
from pathlib import Path
from time import monotonic

import numpy as np
import torch

from bench.modulation_rows import ROWS
from bitwright import data, files, ir
from bitwright.errors import UsageError, UserError
from bitwright.model.figures import confusion, of_classes
from bitwright.model.recipe import Recipe, load_recipe
from bitwright.model.train import CHECKPOINT, METRICS, NETWORK, RECIPE
from bitwright.model.training.checkpoint import Checkpoint
from bitwright.model.training.device import choose
from bitwright.model.training.freeze import freeze
from bitwright.model.training.trainer import Trainer

__all__ = ["CURVES", "LOG", "PROVED", "digests", "folder", "found", "prove", "run", "side_by_side"]

CURVES, PROVED, LOG = "curves.json", "proved.json", "log.txt"

EPOCHS = 8
"""Of a row, if nothing else is said."""

FEW = 64
"""Test samples on which a network is compared when it is frozen: all of them take longer than a
training on a fast device, and are left to ``prove``."""

STEP = 1000
"""Samples of a digest."""

_LOADED = {}
"""Data sets, which the processes that are forked find there."""


def folder(row, seed, out):
    """Run folder of a seed of a row."""
    return Path(out, f"{row.name}-seed{seed}")


def found(row, out):
    """What the runs of a row have told so far, one dictionary a seed."""
    return [_told(path) for path in sorted(Path(out).glob(f"{row.name}-seed*"))
            if (path / CURVES).exists()]


def _told(out):
    return json.loads((out / CURVES).read_text(encoding="utf-8"))


def digests(scores):
    """SHA-256 of the scores of every STEP samples: equal only where every score is."""
    return [hashlib.sha256(np.ascontiguousarray(scores[start:start + STEP], "<i8").tobytes())
            .hexdigest() for start in range(0, len(scores), STEP)]


def run(rows, args):
    """Train as the command line says: every seed of the main rows, then of the others.

    Of the seeds behind the first one, those of many frames come last: they take longest.
    """
    tasks = [(row, seed) for main in (True, False) for seed in range(args.seeds)
             for row in sorted(rows, key=lambda row: row.frames if seed else 0)
             if row.main == main]
    deadline = None if args.minutes is None else monotonic() + 60 * args.minutes
    _load(rows, args)
    return side_by_side(tasks, _train, (args, deadline), args)


def prove(rows, args):
    """Evaluate frozen networks on the test part and compare the scores with the trained ones'."""
    tasks = [(row, seed) for seed in range(args.seeds) for row in rows
             if (folder(row, seed, args.out) / NETWORK).exists()]
    _load({row for row, _ in tasks}, args)
    return side_by_side(tasks, _prove, (args,), args)


def side_by_side(tasks, work, rest, args):
    """Work on tasks in processes. 1 if one failed, else 0.

    They are forks: what is loaded here is there already, and nothing here may have asked for CUDA,
    which no fork can use then.
    """
    context = multiprocessing.get_context("fork")
    waiting, running, failed = list(tasks), {}, 0
    while waiting or running:
        while waiting and len(running) < args.jobs:
            row, seed = waiting.pop(0)
            out = folder(row, seed, args.out)
            out.mkdir(parents=True, exist_ok=True)
            process = context.Process(target=_logged, args=(out, work, row, seed, *rest),
                                      daemon=True)
            process.start()
            running[process.sentinel] = process, out
        for sentinel in connection.wait(list(running)):
            process, out = running.pop(sentinel)
            process.join()
            if process.exitcode:
                failed = 1
                print(f"{out.name}: failed with status {process.exitcode}; see {out / LOG}",
                      file=sys.stderr, flush=True)
    return failed


def _logged(out, work, *arguments):
    """Do work in a process of its own, whose output goes to the run folder."""
    with (out / LOG).open("a", encoding="utf-8") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())
    work(out, *arguments)


def _recipe(row, seed, args):
    epochs = args.epochs or (EPOCHS if row in ROWS else None)
    length = [f"epochs={epochs}", f"patience={epochs}"] if epochs else []
    return load_recipe(row.recipe, [*row.settings, f"name={row.name}", f"seed={seed}", *length,
                                    *args.overrides])


def _load(rows, args):
    """Load the data sets of rows. What cannot be is told by the process that needs it."""
    for row in rows:
        with contextlib.suppress(UserError):
            _data(_recipe(row, 0, args), args.data_dir)


def _data(recipe, data_dir):
    key = recipe.data, recipe.source
    if key not in _LOADED:
        _LOADED[key] = data.load(recipe.data, data_dir, recipe.source)
    return _LOADED[key]


def _train(out, row, seed, args, deadline):
    """Train a row to its end, or until time is up, and freeze what there is."""
    torch.set_num_threads(1)
    recipe, curve = _recipe(row, seed, args), []
    trainer = Trainer(recipe, _data(recipe, args.data_dir), device=choose(args.device),
                      mixed=args.mixed)
    if (out / CHECKPOINT).exists():
        trainer.restore(Checkpoint.load(out / CHECKPOINT), out / CHECKPOINT)
        told = _told(out) if (out / CURVES).exists() else {"curve": trainer.curve}
        if trainer.finished and "test" in told:
            return
        curve = told["curve"][:trainer.epoch]
    files.write_atomic(out / RECIPE, recipe.toml())
    x_test = torch.from_numpy(trainer.data.x_test.astype(np.int32)).to(trainer.device)
    began, last = trainer.epoch, 0.0
    while not trainer.finished and (deadline is None or monotonic() + last < deadline):
        started = monotonic()
        entry = trainer.run_epoch(lambda samples, metric: None)
        entry["test_accuracy"] = trainer.task.figures(
            trainer.network.scores(x_test), trainer.data.y_test)["accuracy"]
        last = entry["seconds"] = monotonic() - started
        curve.append(entry)
        print(json.dumps(entry), flush=True)
        _write(out / CURVES, row, trainer, curve)
        files.write_atomic(out / METRICS, "".join(json.dumps(line) + "\n" for line in curve))
        trainer.save(out / CHECKPOINT)
    if trainer.epoch > began or trainer.finished:
        _finish(out, row, trainer, curve, x_test)


def _write(path, row, trainer, curve, **more):
    files.write_atomic(path, json.dumps({
        "row": row.name, "seed": trainer.recipe.seed, "device": str(trainer.device),
        "epochs": trainer.recipe.epochs, "finished": trainer.finished,
        "best": trainer.best["epoch"], "curve": curve, **more}))


def _finish(out, row, trainer, curve, x_test):
    """Freeze the best epoch, compared on a few samples, and tell the scores of all by digests."""
    figures = trainer.figures()
    scores = trainer.network.scores(x_test)
    if trainer.network.freezes:
        few = replace(trainer.data, x_test=trainer.data.x_test[:FEW],
                      y_test=trainer.data.y_test[:FEW])
        ir.save(out / NETWORK, freeze(trainer.network, few, trainer.task, {
            "recipe": trainer.recipe.plain(), "seed": trainer.recipe.seed,
            "epochs": trainer.epoch, "figures": figures, "curve": trainer.curve}))
    _write(out / CURVES, row, trainer, curve, validation=figures["validation"]["accuracy"],
           test=figures["test"]["accuracy"],
           scores=digests(scores) if trainer.network.freezes else [])


def _prove(out, row, seed, args):
    """Evaluate what was frozen, and write what that says into its file."""
    del row, seed
    told = _told(out)
    network = ir.load(out / NETWORK)
    source = _data(Recipe.of(network.provenance["recipe"]), args.data_dir)
    count = min(args.samples or len(source.y_test), len(source.y_test))
    whole = count == len(source.y_test)
    if not whole and count % STEP:
        raise UsageError(f"--samples must be a multiple of {STEP}, not {count}")
    started = monotonic()
    result = network.evaluate(source.x_test[:count])
    seconds = monotonic() - started
    matrix = confusion(source.y_test[:count], result.decision, network.classes)
    equal = digests(result.scores) == told["scores"][:-(-count // STEP)]
    files.write_atomic(out / PROVED, json.dumps({
        "samples": count, "equal": equal, "seconds": seconds, "test": of_classes(matrix)["accuracy"]
    }) + "\n")
    if not equal:
        sys.exit(f"{out.name}: the frozen network's scores of {count} test samples are not those "
                 "of the trained one")
    if whole:
        _complete(out / NETWORK, network, source, matrix)


def _complete(path, network, source, matrix):
    """Write what the whole test part says into the file of a network."""
    provenance, test = dict(network.provenance), of_classes(matrix)
    provenance["data"] = {"name": source.name, "digest": source.digest,
                          "test_samples": len(source.y_test)}
    provenance["figures"] = {**provenance["figures"], "test": test}
    provenance["accuracy"] = {**provenance["accuracy"], "test_ir": test["accuracy"]}
    provenance["confusion"] = matrix.tolist()
    ir.save(path, replace(network, provenance=provenance))
