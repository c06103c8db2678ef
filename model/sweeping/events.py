"""What is said between a sweep and those that train for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bitwright.model.recipe import Recipe

__all__ = ["Begun", "Broken", "Done", "Epoch", "Event", "Failed", "Lost", "Task"]


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
    """

    runs: tuple[tuple[Path, Recipe], ...]
    target: str | None
    objectives: tuple[str, ...] = ("validation",)
    data_dir: Path | None = None


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
