"""What is said between a sweep and those that train for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from bitwright.data import DataSet, Source
    from bitwright.model.recipe import Recipe

__all__ = ["Begun", "Broken", "Done", "Epoch", "Event", "Failed", "Job", "Lost", "Task"]


class Job(Protocol):
    """Something to be done in folders, maybe far away: what an engine knows of it."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """All that is read and written, data aside."""

    @property
    def data(self) -> tuple[str, Path | None, Source] | None:
        """What :func:`bitwright.data.load` is to be given; None where nothing is loaded."""

    def at(self, folders: Sequence[Path], loaded: DataSet | None) -> Self:
        """The same, in other folders, with the data at hand."""


@dataclass(frozen=True)
class Task:
    """A trial to be done.

    Parameters
    ----------
    runs : tuple of (Path, Recipe)
        Run folder and recipe of each training, one after the other.
    target : str or None
        Family, board or part for which the hardware is estimated. None: nobody asks.
    objectives : tuple of str
        What must be told at the end.
    data_dir : Path or None
    loaded : DataSet or None
        The data, where they need not be looked for.
    """

    runs: tuple[tuple[Path, Recipe], ...]
    target: str | None
    objectives: tuple[str, ...] = ("validation",)
    data_dir: Path | None = None
    loaded: DataSet | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        """See :class:`Job`."""
        return tuple(out for out, _ in self.runs)

    @property
    def data(self) -> tuple[str, Path | None, Source] | None:
        """See :class:`Job`."""
        recipe = self.runs[0][1]
        return recipe.data, self.data_dir, recipe.source

    def at(self, folders: Sequence[Path], loaded: DataSet | None) -> Self:
        """See :class:`Job`."""
        recipes = [recipe for _, recipe in self.runs]
        return replace(self, runs=tuple(zip(folders, recipes, strict=True)), loaded=loaded,
                       data_dir=None)


@dataclass(frozen=True)
class Begun:
    """The network is made; ``size`` is what an estimate says of its LUTs before it is trained."""

    size: float


@dataclass(frozen=True)
class Epoch:
    """An epoch of the first training is done. Whoever sends it waits for an answer: go on or not.

    Parameters
    ----------
    curve : tuple of float
        The metric of every epoch so far.
    share : float
        Of all epochs of all trainings that are done.
    """

    curve: tuple[float, ...]
    share: float


@dataclass(frozen=True)
class Done:
    """A trial is at its end.

    Parameters
    ----------
    figures : mapping of str to float
        Objectives by name.
    known : mapping
        What else is told of it, as JSON values: ``runs``, a dictionary a training.
    """

    figures: Mapping[str, float]
    known: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """This trial cannot be done; others may."""

    message: str


@dataclass(frozen=True)
class Broken:
    """No trial can be done, and the sweep ends with this line."""

    message: str


@dataclass(frozen=True)
class Lost:
    """Whoever worked on the trial is gone: killed, or out of memory."""

    message: str


Event = Begun | Epoch | Done | Failed | Broken | Lost
