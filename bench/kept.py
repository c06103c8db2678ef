"""Trainings whose results are kept, so that a stopped benchmark goes on where it was."""

import json
import sys
import time
from pathlib import Path

import numpy as np

import ir

__all__ = ["mean", "result"]


def result(recipe, out, data_dir=None):
    """Train as a recipe says, unless it has been done.

    Parameters
    ----------
    recipe : model.recipe.Recipe
    out : Path
        Folder of the results, one file a recipe and seed.
    data_dir : str, optional

    Returns
    -------
    dict
        ``validation`` and ``test`` (accuracies of the best epoch; the test accuracy of a network of
        bits is that of its frozen form), ``seconds`` of the process in training, ``curve``.
    """
    import torch

    from model import data
    from model.network import BinaryNetwork
    from model.trainer import Trainer

    path = Path(out, f"{recipe.name}-seed{recipe.seed}.json")
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["recipe"] == recipe.plain():
            return kept
    torch.set_num_threads(1)
    trainer = Trainer(recipe, data.load(recipe.data, data_dir))
    started = time.process_time()
    while not trainer.finished:
        trainer.run_epoch(lambda samples, accuracy: None)
    seconds = time.process_time() - started
    if isinstance(trainer.network, BinaryNetwork):
        frozen = trainer.freeze()
        ir.save(path.with_suffix(".safetensors"), frozen)
        test = frozen.provenance["accuracy"]["test_ir"]
    else:
        test = trainer.test()
    values = {"recipe": recipe.plain(), "validation": trainer.best["accuracy"], "test": test,
              "seconds": seconds, "curve": trainer.curve}
    ir.write_atomic(path, json.dumps(values))
    print(f"{path.name}: validation {100 * values['validation']:.2f} %, {seconds:.0f} s",
          file=sys.stderr)
    return values


def mean(values, form="{:.2f}"):
    """Mean, and spread where there are several values."""
    values = np.asarray(values)
    spread = f" ± {form.format(values.std(ddof=1))}" if len(values) > 1 else ""
    return form.format(values.mean()) + spread
