"""Networks of a sweep, built for its target: what the estimates really come to."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bitwright import files, ir
from bitwright.errors import UserError
from bitwright.form import Form
from bitwright.model.sweeping.engine import Engine
from bitwright.model.sweeping.events import Broken, Done, Failed, Lost
from bitwright.model.sweeping.front import Point
from bitwright.model.sweeping.spec import Spec, SweepError
from bitwright.model.sweeping.sweep import DEATHS, run_folder
from bitwright.model.sweeping.trial import Say
from bitwright.model.training.folder import NETWORK

if TYPE_CHECKING:
    from bitwright.data import DataSet

__all__ = ["BUILDS", "Build", "Built", "Measure", "build", "build_all", "known"]

logger = logging.getLogger("model.sweep")

BUILDS, FIGURES = "builds", "figures.json"

Measure = Callable[..., Mapping[str, float]]
"""Builds a network for a target: see :func:`bitwright.library.measure`."""

Built = Mapping[int, Mapping[str, float]]
"""What builds came to, by number of the trial."""


@dataclass(frozen=True)
class Build:
    """A network to be built in a folder that holds it. A job of an engine.

    Parameters
    ----------
    out : Path
    target : str
    rate : float or None
    form : Form
        See :class:`model.sweeping.spec.Spec`.
    """

    out: Path
    target: str
    rate: float | None
    form: Form

    @property
    def folders(self) -> tuple[Path, ...]:
        """See :class:`model.sweeping.events.Job`."""
        return (self.out,)

    @property
    def data(self) -> None:
        """Nothing is loaded."""

    def at(self, folders: Sequence[Path], loaded: DataSet | None) -> Self:
        """See :class:`model.sweeping.events.Job`."""
        return replace(self, out=folders[0])


def build(task: Build, say: Say, measure: Measure) -> None:
    """Do a build, and keep its figures beside what it made."""
    try:
        found = dict(measure(ir.load(task.out / NETWORK), task.target, task.rate, form=task.form,
                             out=task.out))
    except UserError as error:
        say(Failed(str(error)))
        return
    files.write_atomic(task.out / FIGURES, json.dumps(found) + "\n")
    say(Done(found))


def build_all(out: Path, chosen: Sequence[Point], spec: Spec,
              engine: Engine) -> dict[int, dict[str, float]]:
    """Build networks of a sweep, side by side, those that are built already left out.

    Parameters
    ----------
    out : Path
        Folder of the sweep.
    chosen : sequence of Point
    spec : Spec
        With target, and rate or form.
    engine : Engine
        Whose work is :func:`build`.

    Returns
    -------
    dict of int to dict
        Figures by number of the trial. One that cannot be built is missing, and logged.
    """
    found = known(out)
    left = {}
    for point in chosen:
        if point.number not in found:
            folder = out / BUILDS / f"{point.number:04}"
            source = run_folder(out, point.number, point.seed) / NETWORK
            files.write_atomic(folder / NETWORK, source.read_bytes())
            left[point.number] = Build(folder, spec.target, spec.rate, spec.form)
    return found | _done(left, engine)


def _done(tasks: Mapping[int, Build], engine: Engine) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    waiting, running, deaths = list(tasks), set[int](), Counter[int]()
    begin = partial(_begin, engine, tasks, running)
    while waiting or running:
        while waiting and engine.free:
            begin(waiting.pop(0))
        for number, event in engine.events(0.5):
            running.discard(number)
            if isinstance(event, Done):
                found[number] = dict(event.figures)
            elif isinstance(event, Broken):
                raise SweepError(event.message)
            elif isinstance(event, Lost) and deaths[number] < DEATHS - 1:
                deaths[number] += 1
                begin(number)
            elif isinstance(event, Lost | Failed):
                logger.info("trial %d cannot be built: %s", number, event.message)
    return found


def _begin(engine: Engine, tasks: Mapping[int, Build], running: set[int], number: int) -> None:
    running.add(number)
    engine.begin(number, tasks[number])


def known(out: Path) -> dict[int, dict[str, Any]]:
    """Figures of the builds that a sweep's folder has."""
    return {int(path.parent.name): json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(out.glob(f"{BUILDS}/*/{FIGURES}"))}
