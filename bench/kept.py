"""Trainings whose results are kept, so that a stopped benchmark goes on where it was."""

import functools
import json
import sys
import time
from pathlib import Path

import numpy as np

from bitwright import files, ir

__all__ = ["kept", "mean", "result"]


def kept(recipe, out):
    """Result that :func:`result` has kept, or None where there is none of this very recipe."""
    path = _path(recipe, out)
    if path.exists():
        values = json.loads(path.read_text(encoding="utf-8"))
        # Read as a recipe, so that a setting that came since stands at its default.
        if type(recipe).of(values["recipe"]) == recipe:
            return values
    return None


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
        bits is that of its frozen form; where answers are numbers both are R2); ``figures`` of the
        test part; of the training ``seconds`` of the process, ``wall`` by
        the clock, and ``peak``, MiB of memory that it added; ``curve``.
    """
    values = kept(recipe, out)
    if values is not None:
        return values
    import torch

    from bitwright.model.training.trainer import Trainer

    path = _path(recipe, out)
    torch.set_num_threads(1)
    trainer = Trainer(recipe, load(recipe.data, data_dir, recipe.source))
    before = _memory(reset=True)
    wall, seconds = time.perf_counter(), time.process_time()
    while not trainer.finished:
        trainer.run_epoch(lambda samples, accuracy: None)
    wall, seconds = time.perf_counter() - wall, time.process_time() - seconds
    peak = _memory() - before
    if trainer.network.freezes:
        frozen = trainer.freeze()
        ir.save(path.with_suffix(".safetensors"), frozen)
        figures = frozen.provenance["figures"]["test"]
    else:
        figures = trainer.figures()["test"]
    values = {"recipe": recipe.plain(), "validation": trainer.best[trainer.task.metric_name],
              "test": figures["accuracy" if trainer.data.classes else "r2"], "figures": figures,
              "seconds": seconds, "wall": wall, "peak": peak, "curve": trainer.curve}
    files.write_atomic(path, json.dumps(values))
    print(f"{path.name}: validation {100 * values['validation']:.2f} %, {seconds:.0f} s",
          file=sys.stderr)
    return values


@functools.lru_cache(1)
def load(name, data_dir, source=None):
    """Load a data set; the last one is at hand, as pictures take long to decode."""
    from bitwright import data

    return data.load(name, data_dir, source)


def mean(values, form="{:.2f}"):
    """Mean, and spread where there are several values."""
    values = np.asarray(values)
    spread = f" ± {form.format(values.std(ddof=1))}" if len(values) > 1 else ""
    return form.format(values.mean()) + spread


def _path(recipe, out):
    return Path(out, f"{recipe.name}-seed{recipe.seed}.json")


def _memory(reset=False):
    """Resident memory in MiB: the highest since it was last reset, or now if it is reset.

    Linux tells it, and elsewhere it is 0. What an earlier training of the process left free is
    taken again without being seen: only the first one's peak is its own.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
