"""A sweep: trials begun, watched, given up or brought to their end, until all are done."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright import files
from bitwright.model.recipe import RecipeError
from bitwright.model.sweeping.engine import Engine
from bitwright.model.sweeping.events import (
    Begun,
    Broken,
    Done,
    Epoch,
    Event,
    Failed,
    Lost,
    Task,
)
from bitwright.model.sweeping.ledger import Ledger
from bitwright.model.sweeping.pruning import losing
from bitwright.model.sweeping.spec import Spec, SweepError
from bitwright.model.training.folder import curve

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FrozenTrial

__all__ = ["SPEC", "TRIALS", "Sweep", "claim", "described", "run_folder"]

logger = logging.getLogger("model.sweep")

SPEC, TRIALS = "spec.toml", "trials"

DEATHS = 3
"""Times in a row that a trial's process may end without an epoch between, until it counts as one
that cannot be done."""

_PERIOD = 0.5
"""Seconds between two looks at the bar."""


def run_folder(out: Path, number: int, seed: int) -> Path:
    """Folder of a training of a trial."""
    return out / TRIALS / f"{number:04}-seed{seed}"


def described(spec: Spec) -> dict[str, Any]:
    """What makes a sweep this one and no other, as :data:`SPEC` has it."""
    told = {"seed": spec.seed, "seeds": list(spec.seeds), "sampler": spec.sampler,
            "pruner": spec.pruner, "objectives": list(spec.objectives), "target": spec.target,
            "ranges": {path: _plain(varied) for path, varied in spec.ranges.items()},
            "base": spec.base.plain()}
    if spec.rate is not None:
        told["rate"] = spec.rate
    if spec.form.given:  # folders of older sweeps have none
        told["form"] = spec.form.given
    return told


def claim(out: Path, spec: Spec) -> None:
    """Make a folder that of a sweep, or see that it is.

    Raises
    ------
    SweepError
        If it holds another sweep. More trials, or other processes, make no other one.
    """
    import tomli_w

    text = tomli_w.dumps(described(spec))
    path = out / SPEC
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise SweepError(f"{out}: the folder holds a sweep of other settings, see {path}; name "
                         "another folder with --out")
    files.write_atomic(path, text)


def _plain(varied: Any) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(varied).items() if value not in (None, False)}


@dataclass
class _Running:
    trial: Trial
    task: Task
    share: float = 0.0


class Sweep:
    """All trials of a spec, in a folder.

    Parameters
    ----------
    spec : Spec
    out : Path
        Claimed by it.
    engine : Engine
    data_dir : Path, optional
    watch : callable, optional
        Called often with the number of trials that are done, fractions included.
    """

    def __init__(self, spec: Spec, out: Path, engine: Engine, data_dir: Path | None = None,
                 watch: Callable[[float], object] = lambda done: None) -> None:
        self._spec, self._out, self._engine = spec, out, engine
        self._data_dir, self._watch = data_dir, watch
        self.ledger = Ledger(out, spec)
        self._running: dict[int, _Running] = {}
        self._deaths: Counter[int] = Counter()
        self._ended: dict[int, list[float]] = {}

    def run(self, enough: Callable[[FrozenTrial], bool] = lambda trial: False) -> None:
        """Do the trials that are missing.

        Parameters
        ----------
        enough : callable, optional
            Whether no more is to be done, for this trial that came to its end. Those that run then
            go on with the next call.

        Raises
        ------
        SweepError
            If none can be done. Those that were begun go on with the next sweep of the folder.
        """
        begun = [trial for trial in self.ledger.unfinished() if trial.number not in self._running]
        while not any(map(enough, self.ledger.completed())):
            while self._engine.free and (
                    begun or len(self.ledger.trials) < self._spec.trials):
                self._begin(begun.pop(0) if begun else self.ledger.ask())
            if not self._running:
                return
            self._listen()

    def _listen(self) -> None:
        for number, event in self._engine.events(_PERIOD):
            self._take(number, event)
        finished = sum(trial.state.is_finished() for trial in self.ledger.trials)
        self._watch(finished + sum(running.share for running in self._running.values()))

    def _begin(self, trial: Trial) -> None:
        try:
            runs = tuple((run_folder(self._out, trial.number, seed),
                          self._spec.recipe(trial.params, trial.number, seed))
                         for seed in self._spec.seeds)
        except RecipeError as error:  # settings that do not go together
            self.ledger.failed(trial, str(error))
            return
        hardware = len(self._spec.objectives) > 1
        task = Task(runs, self._spec.target if hardware else None,
                    self._spec.objectives, self._data_dir)
        self._running[trial.number] = _Running(trial, task)
        self._engine.begin(trial.number, task)

    def _take(self, number: int, event: Event) -> None:
        running = self._running[number]
        if isinstance(event, Begun):
            self.ledger.keep(running.trial, size=event.size)
        elif isinstance(event, Epoch):
            self._deaths.pop(number, None)
            running.share = event.share
            lost = self._loses(running.trial, event.curve)
            self._engine.answer(number, not lost)
            if lost:
                del self._running[number]
                self.ledger.keep(running.trial, epochs=len(event.curve))
                self.ledger.pruned(running.trial, max(event.curve), len(event.curve))
        elif isinstance(event, Done):
            del self._running[number]
            self.ledger.keep(running.trial, figures=dict(event.figures), **event.known)
            self.ledger.done(running.trial, event.figures)
        elif isinstance(event, Failed):
            self._fail(number, event.message)
        elif isinstance(event, Broken):
            raise SweepError(event.message)
        elif isinstance(event, Lost):
            self._again(number, event.message)

    def _fail(self, number: int, message: str) -> None:
        running = self._running.pop(number)
        logger.info("trial %d: %s", number, message)
        self.ledger.failed(running.trial, message)

    def _again(self, number: int, message: str) -> None:
        """Go on with a trial whose process is gone."""
        self._deaths[number] += 1
        if self._deaths[number] == DEATHS:
            self._fail(number, f"{message}, {DEATHS} times without an epoch between")
            return
        self._engine.begin(number, self._running[number].task)

    def _loses(self, trial: Trial, own: tuple[float, ...]) -> bool:
        """Whether a trial is given up, compared with those that are no larger."""
        if not own or self._spec.pruner == "none":
            return False
        size = trial.user_attrs.get("size", 0)
        rivals = [self._rival(other) for other in self.ledger.trials
                  if other.number != trial.number and other.user_attrs.get("size", 0) <= size]
        return losing(self._spec.pruner, own, [curve for curve in rivals if curve])

    def _rival(self, trial: FrozenTrial) -> list[float]:
        """Curve of another trial. One that is at its end is read once: a sweep has thousands."""
        if trial.number in self._ended:
            return self._ended[trial.number]
        found = self._curve(trial.number)
        if trial.state.is_finished():
            self._ended[trial.number] = found
        return found

    def _curve(self, number: int) -> list[float]:
        """Validation metric of each epoch of the first training of a trial, so far."""
        entries = curve(run_folder(self._out, number, self._spec.seeds[0]))
        names = [name for entry in entries[:1] for name in entry
                 if name.startswith("validation_") and name != "validation_loss"]
        return [entry[names[0]] for entry in entries]
