"""What every loader returns: integer features, labels, and how to read them."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright.errors import UserError

__all__ = ["DataError", "DataSet", "stratified"]

MAX_BITS = 16
"""Widest feature that a frozen network takes."""


class DataError(UserError, ValueError):
    """A data set cannot be used. The message is one line that a user can act on."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """Labelled vectors of integers, split once and for all into a training and a test part.

    Everything that a training or a frozen network asks of its data is checked here: what is
    accepted fails nowhere later for what it is. Integer arrays of other types are converted.

    Parameters
    ----------
    name : str
    features : array of int32, shape (samples, n)
        The training part; a validation split is cut from it, never from the test part. Both parts
        have at least one sample.
    labels : array of int64, shape (samples,)
        Each the index of a class.
    x_test : array of int32, shape (test samples, n)
    y_test : array of int64, shape (test samples,)
    bits : int
        Width of a feature, 1 to 16.
    signed : bool
        Whether features are two's complement.
    full_scale : int
        Value that stands for 1 when thresholds are spread over the range: from 1 to ``2^bits``.
    shape : tuple of int
        ``(height, width)`` of an image, ``(height, width, 3)`` of a coloured one, else ``(n,)``.
    classes : tuple of str
        Name of each label, at least two, none twice.
    feature_map : str
        How raw values became these integers.

    Raises
    ------
    DataError
        If anything is not so. The message names data set and field, the rule, and what was found.
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

    def __post_init__(self) -> None:
        self._check_description()
        for field, dimensions, kind in (("features", 2, np.int32), ("labels", 1, np.int64),
                                        ("x_test", 2, np.int32), ("y_test", 1, np.int64)):
            object.__setattr__(self, field, self._array(field, dimensions, kind))
        for features, labels in (("features", "labels"), ("x_test", "y_test")):
            self._check_part(features, labels)

    @property
    def domain(self) -> tuple[int, int]:
        """Smallest and largest value that a feature may have, both inclusive."""
        if self.signed:
            return -(1 << self.bits - 1), (1 << self.bits - 1) - 1
        return 0, (1 << self.bits) - 1

    def _check_description(self) -> None:
        """Everything but the arrays."""
        if not isinstance(self.name, str) or not self.name:
            raise DataError("Name of a data set must be a string of one character at least, "
                            f"not {_line(self.name)}")
        if not _whole(self.bits) or not 1 <= self.bits <= MAX_BITS:
            raise self._refused("bits", f"an integer from 1 to {MAX_BITS}", self.bits)
        if not isinstance(self.signed, bool):
            raise self._refused("signed", "True or False", self.signed)
        if not _whole(self.full_scale) or not 1 <= self.full_scale <= 1 << self.bits:
            raise self._refused("full_scale", f"an integer from 1 to {1 << self.bits}",
                                self.full_scale)
        if (not isinstance(self.shape, tuple) or not 1 <= len(self.shape) <= 3
                or not all(_whole(size) and size >= 1 for size in self.shape)):
            raise self._refused("shape", "a tuple of one to three integers from 1 up", self.shape)
        if (not isinstance(self.classes, tuple) or len(self.classes) < 2
                or not all(isinstance(name, str) for name in self.classes)):
            raise self._refused("classes", "a tuple of two strings at least", self.classes)
        seen: set[str] = set()
        for name in self.classes:
            if name in seen:
                raise self._refused("classes", "distinct names", name)
            seen.add(name)
        if not isinstance(self.feature_map, str):
            raise self._refused("feature_map", "a string", self.feature_map)

    def _array(self, field: str, dimensions: int, kind: type[Any]) -> NDArray[Any]:
        """An array as it shall be, converted, without a change of any value."""
        array = getattr(self, field)
        if not isinstance(array, np.ndarray):
            raise self._refused(field, "an array of integers", type(array).__name__, shown=True)
        if array.dtype.kind not in "iu":
            raise self._refused(field, "an array of integers", f"of {array.dtype}", shown=True)
        if array.ndim != dimensions:
            raise self._refused(field, f"an array of {dimensions} dimensions", array.ndim)
        if not len(array):
            raise self._refused(field, "an array of one sample at least", "0", shown=True)
        low, high = self.domain if dimensions == 2 else (0, len(self.classes) - 1)
        if array.size and not low <= int(array.min()) <= int(array.max()) <= high:
            place = tuple(np.argwhere((array < low) | (array > high))[0])
            raise self._refused(field, f"from {low} to {high}",
                                f"{array[place]} (sample {place[0]})", shown=True)
        return np.ascontiguousarray(array, kind)

    def _check_part(self, features: str, labels: str) -> None:
        """What an array of samples and its labels must have in common."""
        x, y = getattr(self, features), getattr(self, labels)
        if x.shape[1] != math.prod(self.shape):
            raise self._refused(features, f"an array of {math.prod(self.shape)} columns, the "
                                f"product of shape {self.shape}", x.shape[1])
        if len(y) != len(x):
            raise self._refused(labels, f"one label for each of the {len(x)} samples of "
                                f"{features}", len(y))

    def _refused(self, field: str, rule: str, value: object, *, shown: bool = False) -> DataError:
        found = value if shown else _line(value)
        return DataError(f"Data set {self.name!r}: {field} must be {rule}, not {found}")

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


def _whole(value: object) -> bool:
    """Whether a value is an integer, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def _line(value: object) -> str:
    """A value as one line, whatever it is."""
    return " ".join(repr(value).split())
