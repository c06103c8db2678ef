"""What a sweep says while it goes on."""

from __future__ import annotations

import logging
import sys
import time
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

__all__ = ["Watch"]

logger = logging.getLogger("model.sweep")

PERIOD = 60.0
"""Seconds between two lines where nobody watches."""


class Watch:
    """One bar over all trials; where stderr is no terminal, a line a minute, as logs are kept.

    Both tell the time that is left, if the trials that are left take as long as those before.

    Parameters
    ----------
    trials : int
    """

    def __init__(self, trials: int) -> None:
        self._trials = trials
        self._first: float | None = None
        self._started = self._told = time.monotonic()
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = tqdm(total=self._trials, file=sys.stderr, leave=False, dynamic_ncols=True,
                             bar_format="trials |{bar}| {desc}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def done(self, count: float) -> None:
        """Take the number of trials that are done; a trial in the midst counts in part."""
        now = time.monotonic()
        if self._first is None:
            self._first = count
        if self._bar is not None:
            self._bar.n = count
            self._bar.set_description_str(self._words(count, now))
        elif now - self._told >= PERIOD:
            self._told = now
            logger.info("trials: %s", self._words(count, now))

    def _words(self, count: float, now: float) -> str:
        assert self._first is not None
        gained = count - self._first
        words = f"{int(count)} of {self._trials} done"
        if gained <= 0:
            return words
        left = (now - self._started) / gained * (self._trials - count)
        return f"{words}, about {timedelta(seconds=round(left))} left"
