"""What the settings of a convolution of look-up tables are worth, on digits.

Every row is the recipe `digits-lutconv` with other settings of its convolutions, over some seeds:
the least, mean and largest test accuracy of the best epoch on the validation split.
"""

import argparse
import sys

import numpy as np
import torch

from bitwright import data
from bitwright.command import guarded, positive
from bitwright.model.recipe import load_recipe
from bitwright.model.training.trainer import Trainer

__all__ = ["ROWS", "main"]

ROWS = {
    "as it is": [],
    "residual start": ["start=residual"],
    "multilinear slopes": ["gradient=multilinear"],
    "both": ["start=residual", "gradient=multilinear"],
    "serial wiring": ["wiring=serial"],
    "depthwise wiring": ["wiring=depthwise"],
    "learned wiring": ["wiring=learnable"],
    "one level": ["levels=1"],
    "three levels of two inputs": ["fan_in=2", "levels=3"],
    "of one channel": ["fan_in=2", "levels=3", "reads=1"],
}


def accuracy(settings, seed, epochs):
    """Test accuracy of a training."""
    recipe = load_recipe("digits-lutconv", [f"seed={seed}", f"epochs={epochs}", *(
        f"layers.{layer}.{setting}" for setting in settings for layer in (0, 1))])
    trainer = Trainer(recipe, data.load(recipe.data))
    while not trainer.finished:
        trainer.run_epoch(lambda samples, metric: None)
    return trainer.figures()["test"]["accuracy"]


def main(argv=None):
    """Run the bench. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.lut_convolutions", description=__doc__)
    parser.add_argument("--seeds", metavar="N", type=positive, default=2)
    parser.add_argument("--epochs", metavar="N", type=positive, default=10)
    args = parser.parse_args(argv)
    return guarded(lambda: _table(args))


def _table(args):
    torch.set_num_threads(1)
    print("| convolutions | least | mean | largest |\n|---|---|---|---|")
    for name, settings in ROWS.items():
        found = 100 * np.array([accuracy(settings, seed, args.epochs)
                                for seed in range(args.seeds)])
        figures = " | ".join(f"{of():.1f}" for of in (found.min, found.mean, found.max))
        print(f"| {name} | {figures} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
