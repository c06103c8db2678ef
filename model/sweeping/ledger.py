"""What Optuna knows of a sweep: every trial, in a journal file that survives being killed."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bitwright.model.sweeping.spec import OBJECTIVES, Choices, Range, Spec

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

__all__ = ["JOURNAL", "Ledger"]

JOURNAL = "journal.log"

_NAME = "sweep"


class Ledger:
    """The trials of a sweep.

    One process at a time may hold one: who opens it owns the folder. The draws of a trial depend
    on the spec's seed, the trial's number and the trials that were finished then, and on nothing
    else, so that a sweep that was killed goes on as if it had not been.

    Parameters
    ----------
    folder : Path
        With the journal. Made if there is none.
    spec : Spec
    """

    def __init__(self, folder: Path, spec: Spec) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        optuna.logging.set_verbosity(logging.ERROR)
        folder.mkdir(parents=True, exist_ok=True)
        journal = folder / JOURNAL
        _mend(journal)
        # Whoever held it was killed: the folder is ours.
        Path(f"{journal}.lock").unlink(missing_ok=True)
        storage = JournalStorage(JournalFileBackend(
            str(journal), JournalFileOpenLock(str(journal))))
        self._spec = spec
        self._distributions = {path: _distribution(varied) for path, varied in spec.ranges.items()}
        self.study: Study = optuna.create_study(
            storage=storage, study_name=_NAME, load_if_exists=True,
            directions=[OBJECTIVES[name] for name in spec.objectives])

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, by number."""
        return self.study.get_trials(deepcopy=False)

    def completed(self) -> list[FrozenTrial]:
        """Trials that came to their end with figures, by number."""
        from optuna.trial import TrialState

        return [trial for trial in self.trials if trial.state == TrialState.COMPLETE]

    def unfinished(self) -> list[Trial]:
        """Trials that were begun and not ended, with all of their settings."""
        return [self._settle(trial._trial_id, trial.number) for trial in self.trials
                if not trial.state.is_finished()]

    def ask(self) -> Trial:
        """Begin a trial: the next number, with settings that the sampler proposes."""
        number = len(self.trials)
        self.study.sampler = _sampler(self._spec, number)
        trial = self.study.ask()
        return self._settle(trial._trial_id, number)

    def _settle(self, identity: int, number: int) -> Trial:
        """A trial with all of its settings: those that the journal has, and draws for the rest."""
        from optuna import Trial

        self.study.sampler = _sampler(self._spec, number)
        trial = Trial(self.study, identity)
        for path, distribution in self._distributions.items():
            trial._suggest(path, distribution)
        return trial

    def keep(self, trial: Trial, **known: Any) -> None:
        """Write down what is known of a trial."""
        for name, value in known.items():
            trial.set_user_attr(name, value)

    def done(self, trial: Trial, figures: Mapping[str, float]) -> None:
        """End a trial: what it reached."""
        self.study.tell(trial, [figures[name] for name in self._spec.objectives])

    def pruned(self, trial: Trial, reached: float, epoch: int) -> None:
        """End a trial that lost."""
        from optuna.trial import TrialState

        if len(self._spec.objectives) == 1:  # of several, Optuna takes no values on the way
            trial.report(reached, epoch)
        self.study.tell(trial, state=TrialState.PRUNED)

    def failed(self, trial: Trial, message: str) -> None:
        """End a trial that cannot be trained."""
        from optuna.trial import TrialState

        trial.set_user_attr("failure", message)
        self.study.tell(trial, state=TrialState.FAIL)


def _mend(journal: Path) -> None:
    """Cut off a line of which a crash left the beginning."""
    if journal.exists():
        text = journal.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if whole != text:
            with journal.open("r+b") as file:
                file.truncate(len(whole))


def _distribution(varied: Range | Choices) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(varied, Choices):
        return CategoricalDistribution(varied.choices)
    low, high = varied.low, varied.ends[-1]
    if varied.integers:
        return IntDistribution(int(low), int(high), log=varied.log, step=int(varied.step or 1))
    if varied.step is not None:
        high = low + math.floor((varied.high - low) / varied.step) * varied.step
    return FloatDistribution(low, high, log=varied.log, step=varied.step)


def _sampler(spec: Spec, number: int) -> BaseSampler:
    """A sampler for one trial, with a state of its own, whatever was drawn before."""
    from optuna import samplers

    seed = int(np.random.SeedSequence((spec.seed, number)).generate_state(1)[0])
    if spec.sampler == "random":
        return samplers.RandomSampler(seed=seed)
    if spec.sampler == "nsga2":
        return samplers.NSGAIISampler(population_size=max(4, min(50, spec.trials // 4)), seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Optuna calls experimental
        return samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True,
                                   n_startup_trials=min(10, max(2, spec.trials // 4)))
