"""What a training says while it goes on."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from bitwright.model.rules.rule import Figure
from bitwright.model.training.trainer import Trainer

__all__ = ["Progress"]

logger = logging.getLogger("model.train")

PERIOD = 60.0
"""Seconds between two lines where nobody watches."""


class Progress:
    """One bar over all epochs; where stderr is no terminal, a line a minute, as logs are kept.

    Both tell the time that is left if no epoch is saved, and the best epoch so far on the
    validation split, which will be kept, unless the recipe keeps the last one.

    Parameters
    ----------
    trainer : Trainer
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._first = trainer.epoch
        self._started = self._told = time.monotonic()
        self._drawn = 0.0
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> Self:
        trainer = self._trainer
        use = "choose the best epoch" if trainer.recipe.keep != "last" else "watch the training"
        logger.info("%s: %d samples to learn from, %d to %s by, %d for the test; at most %d epochs",
                    trainer.recipe.name, trainer.samples, len(trainer.held_back[1]), use,
                    len(trainer.data.y_test), trainer.recipe.epochs)
        if sys.stderr.isatty():
            samples = trainer.samples
            self._bar = tqdm(
                total=samples * trainer.recipe.epochs, initial=samples * trainer.epoch,
                file=sys.stderr, leave=False, dynamic_ncols=True, bar_format=(
                    "{desc} |{bar}| {elapsed}, at most {remaining} left{postfix}"))
            self._describe()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, samples: int, metric: Figure) -> None:
        """Take a step: its number of samples, and the metric of the epoch so far."""
        if self._bar is None:
            return
        now = time.monotonic()
        if now - self._drawn >= self._bar.mininterval:
            self._drawn = now
            told = self._trainer.task.told(float(metric))
            self._bar.set_postfix_str(f"training {told}{self._best()}", refresh=False)
        self._bar.update(samples)

    def epoch(self, entry: Mapping[str, Any]) -> None:
        """Take the end of an epoch: what the metrics log says about it."""
        if self._bar is not None:
            self._describe()
            return
        now = time.monotonic()
        if now - self._told < PERIOD:
            return
        self._told = now
        trainer = self._trainer
        told, metric = trainer.task.told, trainer.task.metric_name
        left = trainer.recipe.epochs - trainer.epoch
        seconds = (now - self._started) / (trainer.epoch - self._first) * left
        logger.info("epoch %d of %d: training %s, validation %s%s; at most %s left", trainer.epoch,
                    trainer.recipe.epochs, told(entry[f"train_{metric}"]),
                    told(entry[f"validation_{metric}"]), self._best(),
                    timedelta(seconds=round(seconds)))

    def _describe(self) -> None:
        assert self._bar is not None
        epochs = self._trainer.recipe.epochs
        epoch = min(self._trainer.epoch + 1, epochs)
        self._bar.set_description_str(f"epoch {epoch}/{epochs}")

    def _best(self) -> str:
        """The best epoch so far, for the end of a line."""
        best = self._trainer.best
        if not best["epoch"] or self._trainer.recipe.keep == "last":
            return ""
        value = self._trainer.task.told(best[self._trainer.task.metric_name])
        return f"; best validation {value} (epoch {best['epoch']})"
