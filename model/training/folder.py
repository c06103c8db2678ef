"""The run folder: what a training leaves behind, so that it can go on from there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright import files

if TYPE_CHECKING:
    from bitwright import ir
    from bitwright.model.rules.rule import Figure
    from bitwright.model.training.trainer import Trainer

__all__ = ["CHECKPOINT", "FRONT", "LOG", "METRICS", "NETWORK", "RECIPE", "RESULT", "begin", "curve",
           "epochs", "freeze", "fronted"]

CHECKPOINT, METRICS, NETWORK = "checkpoint.pt", "metrics.jsonl", "network.safetensors"
FRONT = "front-{}.safetensors"
RECIPE, LOG, RESULT = "recipe.toml", "tensorboard", "result.json"


def begin(trainer: Trainer, out: Path) -> None:
    """Clear a folder of the run that was there, and write the recipe of the new one.

    Where several processes train, the first one alone does.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    from bitwright.model import processes

    if not processes.is_first():
        return
    for file in (CHECKPOINT, NETWORK, METRICS, RESULT):
        (out / file).unlink(missing_ok=True)
    for path in out.glob(FRONT.format("*")):
        path.unlink()
    if (out / LOG).is_dir():
        shutil.rmtree(out / LOG)
    files.write_atomic(out / RECIPE, trainer.recipe.toml())


def epochs(trainer: Trainer, out: Path,
           step: Callable[[int, Figure], object] = lambda *_: None,
           ) -> Iterator[dict[str, Any]]:
    """Train to the end, with a checkpoint, a line of metrics and a log entry each epoch.

    Where several processes train, the first one alone writes.

    Parameters
    ----------
    trainer : Trainer
        As it was when the folder's checkpoint was written, if there is one.
    out : Path
    step : callable
        See :meth:`Trainer.run_epoch`.

    Yields
    ------
    dict
        What the metrics say about an epoch, once all of it is in the folder. Whoever stops here
        leaves a run that goes on.
    """
    from bitwright.model import processes
    from bitwright.model.training.log import Log

    if not processes.is_first():
        while not trainer.finished:
            yield trainer.run_epoch(step)
        return
    metrics = out / METRICS
    _truncate(metrics, trainer.epoch)
    with Log(out / LOG, trainer) as log:
        while not trainer.finished:
            entry = trainer.run_epoch(step)
            with metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            log.epoch(entry)
            trainer.save(out / CHECKPOINT)
            yield entry


def curve(out: Path) -> list[dict[str, Any]]:
    """What the metrics of a folder say about each epoch; none if there are none.

    A line that a crash cut off is left out.
    """
    if not (out / METRICS).exists():
        return []
    lines = (out / METRICS).read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def freeze(trainer: Trainer, out: Path) -> ir.Network:
    """Write the frozen network of the epoch that is kept.

    Raises
    ------
    FreezeError
        If it differs from the trained network.
    OSError
        If it cannot be written.
    """
    from bitwright import ir

    network = trainer.freeze()
    ir.save(out / NETWORK, network)
    return network


def fronted(trainer: Trainer, out: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Write the smaller networks of a run that keeps its front.

    Yields
    ------
    path : Path
    point : dict
        What the trainer knows of it: ``epoch``, ``luts`` and the task's metric by name.
    """
    for point in trainer.best.get("front", ()):
        path = out / FRONT.format(point["luts"])
        files.write_atomic(path, point["file"].cpu().numpy().tobytes())
        yield path, point


def _truncate(metrics: Path, count: int) -> None:
    """Drop what was logged after the checkpoint: it will be logged again."""
    lines = []
    if metrics.exists():
        lines = metrics.read_text(encoding="utf-8").splitlines(keepends=True)[:count]
    files.write_atomic(metrics, "".join(lines))
