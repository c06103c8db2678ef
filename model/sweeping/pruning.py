"""Which trials are given up before their last epoch: rules on curves of the validation split.

A trial is compared at the same epoch with rivals that are no larger than it, so that no small
network is given up for being worse than a large one: both may be on the front.

``median``
    It loses if its best epoch so far is below the median of its rivals' best so far, see Golovin et
    al., "Google Vizier", KDD 2017, section 3.3.3.
``halving``
    At epochs 2, 6, 18, ... it loses unless it is among the better third of its rivals there, itself
    counted: successive halving without waiting, see Li et al., "A system for massively parallel
    hyperparameter tuning", MLSys 2020, algorithm 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

__all__ = ["PRUNERS", "losing"]

STARTUP = 4
"""Rivals without which nobody loses by the median."""

FIRST, REDUCTION = 2, 3
"""First epoch at which trials are compared, and the factor from there to the next of halving."""

Curve = Sequence[float]
"""The metric of each epoch; more is better."""


def _median(own: Curve, rivals: Sequence[Curve]) -> bool:
    epoch = len(own)
    if epoch < FIRST:
        return False
    reached = [max(curve[:epoch]) for curve in rivals if len(curve) >= epoch]
    return len(reached) >= STARTUP and max(own) < median(reached)


def _halving(own: Curve, rivals: Sequence[Curve]) -> bool:
    epoch, rung = len(own), FIRST
    while rung < epoch:
        rung *= REDUCTION
    if rung != epoch:
        return False
    reached = sorted([max(own), *(max(curve[:epoch]) for curve in rivals if len(curve) >= epoch)],
                     reverse=True)
    stay = len(reached) // REDUCTION
    return stay > 0 and max(own) < reached[stay - 1]


PRUNERS = {"none": lambda own, rivals: False, "median": _median, "halving": _halving}
"""By the name in a spec. Each is told the own curve and the rivals', and says who loses."""


def losing(pruner: str, own: Curve, rivals: Sequence[Curve]) -> bool:
    """Whether a trial is given up after the last epoch of its curve.

    Parameters
    ----------
    pruner : str
        One of :data:`PRUNERS`.
    own : sequence of float
        Curve of the trial.
    rivals : sequence of sequences of float
        Curves of those that are no larger, whatever became of them.
    """
    return bool(own) and PRUNERS[pruner](own, rivals)
