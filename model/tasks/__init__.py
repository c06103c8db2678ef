"""What networks are trained for. A new task is one file, and one import line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from bitwright.model.tasks.classification import Classification, balanced
from bitwright.model.tasks.distilled import Distill, Distilled
from bitwright.model.tasks.regression import Regression
from bitwright.model.tasks.task import Task

if TYPE_CHECKING:
    from bitwright.data import DataSet
    from bitwright.model.network import Network

__all__ = ["Classification", "Distill", "Distilled", "Regression", "Task", "make_task"]


def make_task(data: DataSet, labels: NDArray[Any], network: Network, *, balance: bool,
              distill: Distill | None = None) -> Task:
    """Make the task that a data set is for.

    Parameters
    ----------
    data : DataSet
        Labels that are numbers make it a regression.
    labels : array, shape (samples,)
        Those of the training split.
    network : Network
    balance : bool
        Whether every class counts the same, however many samples it has.
    distill : Distill, optional
        Where there is a teacher.

    Raises
    ------
    ValueError
        If there are no classes to be balanced, or that a teacher could tell of, or targets do not
        differ.
    """
    if not data.classes:
        if balance:
            raise ValueError("balance must be false where labels are numbers")
        if distill is not None:
            raise ValueError("distill must be left out where labels are numbers")
        return Regression(labels, network)
    weights = balanced(labels, len(data.classes)) if balance else None
    return Classification(weights) if distill is None else Distilled(distill, weights)
