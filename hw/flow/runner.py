"""Running the stages of a build one after the other, and telling how far it is."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from bitwright.hw.flow import cache
from bitwright.hw.flow.describe import Describe
from bitwright.hw.flow.flash import WriteRecord
from bitwright.hw.flow.generate import Generate
from bitwright.hw.flow.pack import Pack
from bitwright.hw.flow.pins import CheckPins
from bitwright.hw.flow.place import Place
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.flow.wrap import Wrap

__all__ = ["ORDER", "Runner", "later"]

logger = logging.getLogger(__name__)

R = TypeVar("R")

ORDER = (Generate.name, Describe.name, WriteRecord.name, Wrap.name, CheckPins.name,
         Synthesise.name, Place.name, Pack.name)
"""Stages in the order in which one makes what the next reads."""


def later(name: str) -> tuple[str, ...]:
    """The stages after one."""
    return ORDER[ORDER.index(name) + 1 :]


class Runner:
    """Runs stages, or finds that they are done.

    Attributes
    ----------
    fresh : bool
        Whether every stage was found done.
    """

    def __init__(self) -> None:
        self.fresh = True
        self._silent = False
        self._started = time.monotonic()

    def stage(self, title: str, folder: Path, stage: cache.Stage[R],
              do: Callable[[Any, Path, Path], R] | None = None) -> R:
        """Do a stage in a build folder, or take what it made there before. See
        :func:`hw.flow.cache.run_stage`."""
        if not self._silent:
            self.say(f"{title} ...")
        start = time.monotonic()
        result, done = cache.run_stage(folder, stage, later(stage.name), do)
        self.fresh &= done
        if not (self._silent and done):
            self.say(f"{title}: {'nothing changed, kept' if done else 'done'} "
                     f"({time.monotonic() - start:.1f} s)")
        return result

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Say nothing of stages that are found done: what was copied was told where it was made."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def say(self, text: str) -> None:
        """Tell something, with the time since the beginning."""
        logger.info("[%6.1f s] %s", time.monotonic() - self._started, text)
