"""How good answers are: figures shared by training, freezing and evaluation. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["confusion", "of_classes", "of_numbers"]


def confusion(labels: NDArray[Any], decisions: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Count decisions for each label.

    Parameters
    ----------
    labels, decisions : array of integers, shape (samples,)
        Below ``classes``.
    classes : int

    Returns
    -------
    array of int64, shape (classes, classes)
        Rows are labels, columns decisions.
    """
    flat = np.bincount(labels * classes + decisions, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.int64)


def of_classes(matrix: NDArray[np.int64]) -> dict[str, Any]:
    """Figures of decisions.

    Parameters
    ----------
    matrix : array of int64, shape (classes, classes)
        As :func:`confusion` gives it, of one sample at least.

    Returns
    -------
    dict
        ``accuracy``; ``balanced_accuracy``, the mean recall of the classes that have samples; and
        ``per_class``, lists of a figure a class: ``support`` (samples), ``precision``, ``recall``
        and ``f1``. What would be divided by 0 is None: the precision of a class that is never
        decided, the recall of one without a sample, ``f1`` where there is neither.
    """
    right, support, decided = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    recall = _ratios(right, support)
    known = [value for value in recall if value is not None]
    return {
        "accuracy": float(right.sum() / matrix.sum()),
        "balanced_accuracy": float(np.mean(known)),
        "per_class": {"support": support.tolist(), "precision": _ratios(right, decided),
                      "recall": recall, "f1": _ratios(2 * right, support + decided)},
    }


def of_numbers(targets: NDArray[Any], answers: NDArray[Any]) -> dict[str, float | None]:
    """Figures of numbers.

    Parameters
    ----------
    targets, answers : array, shape (samples,)
        In one unit.

    Returns
    -------
    dict
        ``rmse``, the root of the mean squared error, and ``mae``, the mean absolute error, in that
        unit; ``r2``, the share of the targets' variance that is explained: None where they have
        none.
    """
    wanted = targets.astype(np.float64)
    errors = answers.astype(np.float64) - wanted
    spread = float(wanted.var())
    squared = float((errors**2).mean())
    return {"rmse": squared**0.5, "mae": float(np.abs(errors).mean()),
            "r2": 1 - squared / spread if spread else None}


def _ratios(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> list[float | None]:
    return [int(part) / int(whole) if whole else None
            for part, whole in zip(parts, wholes, strict=True)]
