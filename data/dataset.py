"""What every loader returns: integer features, labels, and how to read them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DataError", "DataSet", "stratified"]


class DataError(ValueError):
    """A data set cannot be used. The message is one line that a user can act on."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """Labelled vectors of integers, split once and for all into a training and a test part.

    Parameters
    ----------
    name : str
    features : array of int32, shape (samples, n)
        The training part; a validation split is cut from it, never from the test part.
    labels : array of int64, shape (samples,)
    x_test : array of int32, shape (test samples, n)
    y_test : array of int64, shape (test samples,)
    bits : int
        Width of a feature.
    signed : bool
        Whether features are two's complement.
    full_scale : int
        Value that stands for 1 when thresholds are spread over the range.
    shape : tuple of int
        ``(height, width)`` of an image, ``(height, width, 3)`` of a coloured one, else ``(n,)``.
    classes : tuple of str
        Name of each label.
    feature_map : str
        How raw values became these integers.
    """

    name: str
    features: NDArray[np.int32]
    labels: NDArray[np.int64]
    x_test: NDArray[np.int32]
    y_test: NDArray[np.int64]
    bits: int
    signed: bool
    full_scale: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    feature_map: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 over every sample and label, in hexadecimal."""
        state = hashlib.sha256()
        for array in (self.features, self.labels, self.x_test, self.y_test):
            state.update(f"{array.dtype.str} {array.shape}\n".encode())
            state.update(np.ascontiguousarray(array).tobytes())
        return state.hexdigest()


def stratified(labels: NDArray[Any], *, share: float, seed: int,
               ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split samples into two parts that hold each class in the same proportion.

    Parameters
    ----------
    labels : array, shape (samples,)
    share : float
        Share of the second part.
    seed : int

    Returns
    -------
    two arrays of int64
        Indices of the two parts, ascending.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        parts.append(members[: round(share * len(members))])
    second = np.sort(np.concatenate(parts))
    return np.setdiff1d(np.arange(len(labels)), second), second
