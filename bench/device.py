"""The same trainings on the processor and on another device, to be run once where there is one.

A network starts from equal values on both. Evaluation and the frozen file must be equal to the
bit; the loss of the first step, which adds floats in another order, must agree within TOLERANCE,
for rules that draw nothing. A checkpoint that was written on the one goes on on the other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["compare", "main"]

TOLERANCE = 5e-3
"""Largest difference of two losses of a first step, as a share of the greater one."""

STEPS = 3
"""Steps whose losses are told. Differences grow as weights near 0 change their sign: no bound would
hold behind the first step, whose gradients a GPU rounds to 10 bits in convolutions."""

DRAWING = ("bernoulli", "direct-feedback-alignment", "fbf", "feedback-alignment", "forward-forward",
           "indirect-feedback-alignment", "unsupervised-forward-forward")
"""Rules that draw in every step, or matrices at the start: other numbers on another device."""

RECIPES = ("digits", "digits-xnor", "digits-conv", "digits-mixed", "digits-real", "digits-bop",
           "digits-dfa", "digits-fa", "digits-ifa", "digits-usf", "digits-ste", "digits-fbf",
           "digits-ff", "digits-ff-unsupervised", "digits-bernoulli", "iris", "iris-fbf",
           "iris-ff")


def compare(name: str, device: Any, data_dir: Path | None = None) -> dict[str, Any]:
    """Train an epoch of a recipe on both.

    Returns
    -------
    dict
        ``faults``, a list of what was not as it must be; ``differences`` of the losses, by step;
        ``rates``, samples a second on the processor and on the device.
    """
    import torch

    from bitwright import data, ir
    from bitwright.model.recipe import load_recipe
    from bitwright.model.training.checkpoint import Checkpoint
    from bitwright.model.training.trainer import Trainer

    recipe = load_recipe(name, ["epochs=2", "patience=2"])
    source = data.load(recipe.data, data_dir)
    here, there = Trainer(recipe, source), Trainer(recipe, source, device=device)
    faults: list[str] = []

    def same(what: str) -> None:
        ours, theirs = (np.asarray(torch.as_tensor(trainer.network.scores(source.x_test)).cpu())
                        for trainer in (here, there))
        bits = here.network.freezes
        if not (np.array_equal(ours, theirs) if bits else np.allclose(ours, theirs, 1e-4, 1e-4)):
            faults.append(f"scores differ, {what}")

    same("untrained")
    losses, rates = [], []
    for trainer in (here, there):
        trainer.network.train()
        trainer.rule.begin_epoch(0)
        part = slice(0, min(recipe.batch, 64))
        losses.append([float(trainer.rule.step(trainer._features[part],
                                               trainer._labels[part])["loss"])
                       for _ in range(STEPS)])
        started = time.perf_counter()
        trainer.run_epoch(lambda samples, metric: None)
        rates.append(trainer.samples / (time.perf_counter() - started))
    first, second = np.array(losses)
    differences = np.abs(first - second) / np.maximum(np.abs(first), 1e-12)
    if recipe.learning not in DRAWING and differences[0] > TOLERANCE:
        faults.append(f"losses of the first step differ by {differences[0]:.2g}")
    with tempfile.TemporaryDirectory() as folder:
        for one, other in ((there, here), (here, there)):
            one.save(Path(folder, "checkpoint.pt"))
            other.restore(Checkpoint.load(Path(folder, "checkpoint.pt")), Path("checkpoint.pt"))
            same(f"resumed on {other.device}")
        if here.network.freezes:
            if ir.digest(here.freeze()) != ir.digest(there.freeze()):
                faults.append("frozen networks differ")
        here.run_epoch(lambda samples, metric: None)
        there.run_epoch(lambda samples, metric: None)
    return {"faults": faults, "differences": differences.tolist(), "rates": rates}


def main(argv: list[str] | None = None) -> int:
    """Print a line a recipe. 1 if something was not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.device", description=__doc__)
    parser.add_argument("recipes", metavar="RECIPE", nargs="*", default=list(RECIPES))
    parser.add_argument("--device", metavar="NAME", default="cuda", help="(default: cuda)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path)
    args = parser.parse_args(argv)
    from bitwright.model.training.device import choose

    device, failed = choose(args.device), False
    print("| recipe | losses differ by, step by step | samples/s, cpu "
          f"| samples/s, {device} | faults |\n|---|---|---|---|---|")
    for name in args.recipes:
        found = compare(name, device, args.data_dir)
        failed |= bool(found["faults"])
        print(f"| {name} | {', '.join(f'{one:.1e}' for one in found['differences'])} | "
              + " | ".join(f"{rate:,.0f}" for rate in found["rates"])
              + f" | {'; '.join(found['faults']) or 'none'} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
