"""A trial: trainings like any other, each in a run folder, and what their networks are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from bitwright.errors import UserError
from bitwright.model.sweeping.events import Begun, Broken, Done, Epoch, Event, Failed, Task

if TYPE_CHECKING:
    from bitwright import ir
    from bitwright.data import DataSet
    from bitwright.model.recipe import Recipe
    from bitwright.model.training.trainer import Trainer

__all__ = ["Estimator", "Say", "trainer", "untrained", "work"]

Estimator = Callable[["ir.Network", str], Mapping[str, float]]
"""What the hardware of a network is thought to take and reach, for a target: ``luts``,
``fmax_mhz``."""

Say = Callable[[Event], bool]
"""Says an event, and tells whether to go on."""

_LOADED: dict[Any, DataSet] = {}
"""Data sets of earlier trials of this process."""


def work(task: Task, say: Say, estimate: Estimator) -> None:
    """Do a trial: train, freeze, measure. What was done before is not done again.

    Parameters
    ----------
    task : Task
    say : callable
    estimate : callable
        Asked only where the task has a target.
    """
    from bitwright.model.recipe import RecipeError
    from bitwright.model.training.freeze import FreezeError
    from bitwright.model.training.trainer import DivergedError

    try:
        done = _runs(task, say, estimate)
    except (RecipeError, DivergedError, FreezeError) as error:
        say(Failed(str(error)))
    except UserError as error:
        say(Broken(str(error)))
    else:
        if done is not None:
            say(done)


def _runs(task: Task, say: Say, estimate: Estimator) -> Done | None:
    """All trainings of a trial; None where it is not to go on."""
    from bitwright import ir
    from bitwright.model.training.folder import NETWORK

    found = []
    for index, (out, recipe) in enumerate(task.runs):
        if not (out / NETWORK).exists() and not _train(task, index, out, recipe, say, estimate):
            return None
        network = ir.load(out / NETWORK)
        known = _figures(network)
        if task.target is not None:
            known |= dict(estimate(network, task.target))
        found.append({"seed": recipe.seed, **known})
    names = [name for name in found[0] if name not in ("seed", "epochs")]
    return Done({name: fmean(run[name] for run in found) for name in names}, {"runs": found})


def _figures(network: ir.Network) -> dict[str, Any]:
    """What a frozen network says of its training."""
    figures = network.provenance["figures"]["validation"]
    recipe = network.provenance["recipe"]
    metric = "r2" if network.answer is not None else (
        "balanced_accuracy" if recipe["balance"] else "accuracy")
    return {"validation": float(figures[metric]), "epochs": network.provenance["epochs"]}


def _train(task: Task, index: int, out: Path, recipe: Recipe, say: Say,
           estimate: Estimator) -> bool:
    """Train to the end and freeze, from where the folder is. Tells whether it came to that."""
    from bitwright.model.sweeping.spec import no_estimate
    from bitwright.model.training.checkpoint import Checkpoint
    from bitwright.model.training.folder import CHECKPOINT, begin, epochs, freeze, fronted

    training = trainer(recipe, task)
    if index == 0 and task.target is not None:
        told = estimate(untrained(training), task.target)
        for name in task.objectives:
            if name not in ("validation", *told):
                raise no_estimate(task.target, name)
        say(Begun(told["luts"]))
    if (out / CHECKPOINT).exists():
        training.restore(Checkpoint.load(out / CHECKPOINT), out / CHECKPOINT)
    else:
        begin(training, out)

    def goes_on() -> bool:
        metric = f"validation_{training.task.metric_name}"
        curve = tuple(entry[metric] for entry in training.curve)
        share = (index + min(1.0, training.epoch / recipe.epochs)) / len(task.runs)
        return say(Epoch(curve if index == 0 else (), share))

    # Whoever was killed between an epoch and the answer is told now.
    if training.epoch and not goes_on():
        return False
    for _ in epochs(training, out):
        if not goes_on():
            return False
    list(fronted(training, out))
    freeze(training, out)
    return True


def untrained(training: Trainer) -> ir.Network:
    """The network that a training begins with."""
    from bitwright import ir

    return ir.Network(training.network.freeze(), answer=training.task.answer)


def trainer(recipe: Recipe, task: Task) -> Trainer:
    """A training of a trial, at its beginning.

    Raises
    ------
    RecipeError
        If its settings do not go together.
    UserError
        If there are no data.
    """
    import torch

    from bitwright import data
    from bitwright.model.recipe import RecipeError
    from bitwright.model.training.trainer import Trainer

    torch.set_num_threads(1)  # as a training alone: the fastest, and sums are rounded alike
    key = recipe.data, recipe.source
    if task.loaded is None and key not in _LOADED:
        _LOADED.clear()
        _LOADED[key] = data.load(recipe.data, task.data_dir, recipe.source)
    made = Trainer.of(recipe, task.loaded or _LOADED[key])
    if not made.network.freezes:
        raise RecipeError("a network of real numbers has no frozen form")
    return made
