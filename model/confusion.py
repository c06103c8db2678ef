"""The confusion matrix, shared by freezing and evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["confusion"]


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
