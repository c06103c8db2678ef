"""What networks are trained for. A new task is one file, and one import line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from bitwright.model.tasks.classification import Classification
from bitwright.model.tasks.regression import Regression
from bitwright.model.tasks.task import Task

if TYPE_CHECKING:
    from bitwright.data import DataSet
    from bitwright.model.network import Network

__all__ = ["Classification", "Regression", "Task", "make_task"]


def make_task(data: DataSet, labels: NDArray[Any], network: Network, *, balance: bool) -> Task:
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

    Raises
    ------
    ValueError
        If there are no classes to be balanced, or targets do not differ.
    """
    if not data.classes:
        if balance:
            raise ValueError("balance must be false where labels are numbers")
        return Regression(labels, network)
    return Classification.balanced(labels, len(data.classes)) if balance else Classification()
