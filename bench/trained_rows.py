"""Trainings of one recipe with other settings, as rows of a table: what several benches share."""

import argparse
import time

import numpy as np
import torch

from bitwright import data
from bitwright.command import add_data_dir, guarded, positive
from bitwright.model.recipe import Recipe, load_recipe
from bitwright.model.training.front import luts
from bitwright.model.training.trainer import Trainer

__all__ = ["compare"]


def compare(rows, argv, *, program, description, recipe="digits", epochs=20):
    """Train every row over some seeds, and print a table.

    Parameters
    ----------
    rows : dict
        Settings of each by name, as ``--set`` takes them, or ``flips=RATE``: a layer of bit errors
        in front of the others. ``last`` stands for the last layer.
    argv : list of str
    program, description : str
        Of the command line.
    recipe : str
    epochs : int
        Default of an option.

    Returns
    -------
    int
        The exit status.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--recipe", metavar="RECIPE", default=recipe)
    parser.add_argument("--seeds", metavar="N", type=positive, default=4)
    parser.add_argument("--epochs", metavar="N", type=positive, default=epochs)
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[],
        dest="overrides", help="of every row, such as jitter=1; may be repeated")
    parser.add_argument("--rows", metavar="TEXT", default="",
        help="only those whose name holds it, and the first")
    add_data_dir(parser)
    args = parser.parse_args(argv)
    return guarded(lambda: _table(rows, args))


def _table(rows, args):
    torch.set_num_threads(1)
    print("| | test accuracy, %: mean | sd | least | largest | picked on validation | LUT6 of "
          "tables | s an epoch |\n|---|---|---|---|---|---|---|---|")
    for index, (name, settings) in enumerate(rows.items()):
        if index and args.rows not in name:
            continue
        found = np.array([_trained(args, settings, seed) for seed in range(args.seeds)])
        accuracy, validation, size, seconds = found.T
        figures = [f"{100 * value:.2f}" for value in (
            accuracy.mean(), accuracy.std(ddof=1) if args.seeds > 1 else 0.0, accuracy.min(),
            accuracy.max(), accuracy[validation.argmax()])]
        print(f"| {name} | {' | '.join(figures)} | {size.mean():,.0f} | {seconds.mean():.2f} |",
              flush=True)


def _trained(args, settings, seed):
    """Test and validation accuracy of the best epoch, its LUTs, CPU seconds an epoch."""
    last = f"layers.{len(load_recipe(args.recipe).layers) - 1}."
    settings = [setting.replace("last.", last, 1) if setting.startswith("last.") else setting
                for setting in settings]
    recipe = load_recipe(args.recipe, [
        f"epochs={args.epochs}", f"patience={args.epochs}", f"seed={seed}", *args.overrides,
        *(setting for setting in settings if not setting.startswith("flips="))])
    values = recipe.plain()
    for setting in settings:
        if setting.startswith("flips="):
            rate = float(setting.removeprefix("flips="))
            values["layers"].insert(0, {"kind": "bit_error", "rate": rate})
    recipe = Recipe.of(values)
    source = data.load(recipe.data, args.data_dir)
    trainer = Trainer.of(recipe, source)
    started = time.process_time()
    while not trainer.finished:
        trainer.run_epoch(lambda samples, metric: None)
    seconds = (time.process_time() - started) / trainer.epoch
    network = trainer.freeze()
    accuracy = network.provenance["accuracy"]
    return accuracy["test"], accuracy["validation"], luts(network), seconds
