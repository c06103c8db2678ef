"""What every loader returns: integer features, labels, and how to read them."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data.shards import Shards
from bitwright.data.source import Source
from bitwright.errors import UserError
from bitwright.integers import domain

__all__ = ["DataError", "DataSet", "some", "split", "stratified"]

_FEW = 1000
"""Samples that stand for all where those lie in files."""

MAX_BITS = 16
"""Widest feature that a frozen network takes."""


NAMED = Source()
"""How what has a name is read: nothing is to be said about it."""


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
    features : array of int32, shape (samples, n), or Shards
        The training part; a validation split is cut from it, never from the test part. Both parts
        have at least one sample.
    labels : array of int64, shape (samples,)
        Each the index of a class. Where there are no classes: float32, numbers in their own unit.
    x_test : array of int32, shape (test samples, n)
    y_test : array of int64, shape (test samples,)
        As ``labels``.
    bits : int
        Width of a feature, 1 to 16.
    signed : bool
        Whether features are two's complement.
    full_scale : int
        Value that stands for 1 when thresholds are spread over the range: from 1 to ``2^bits``.
    shape : tuple of int
        ``(height, width)`` of an image, ``(height, width, 3)`` of a coloured one, else ``(n,)``.
    classes : tuple of str
        Name of each label, at least two, none twice. Empty where labels are numbers.
    preparation : ir.Preparation, optional
        How raw values became these integers. Left out: they are what they were.
    columns : tuple of str
        Name of each number of a row, where raw samples are rows of a table; else empty.
    answers : tuple of str
        Where labels are numbers: what they are, one name. Else empty.
    groups : array of int64, shape (samples,), optional
        Recording of each sample of the training part: a split has each on one side.
    source : Source
        How the files were read.

    Raises
    ------
    DataError
        If anything is not so. The message names data set and field, the rule, and what was found.
    """

    name: str
    features: NDArray[np.int32]
    labels: NDArray[Any]
    x_test: NDArray[np.int32]
    y_test: NDArray[Any]
    bits: int
    signed: bool
    full_scale: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    preparation: ir.Preparation | None = None
    columns: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    groups: NDArray[np.int64] | None = None
    source: Source = NAMED

    def __post_init__(self) -> None:
        self._check_description()
        for field in ("features", "x_test"):
            object.__setattr__(self, field, self._array(field, 2, np.int32))
        for field in ("labels", "y_test"):
            object.__setattr__(self, field, self._array(field, 1, np.int64) if self.classes
                               else self._numbers(field))
        for features, labels in (("features", "labels"), ("x_test", "y_test")):
            self._check_part(features, labels)

    @property
    def domain(self) -> tuple[int, int]:
        """Smallest and largest value that a feature may have, both inclusive."""
        return domain(self.bits, self.signed)

    @property
    def shards(self) -> Shards | None:
        """The features, where they lie in files and are read as they are needed."""
        return self.features if isinstance(self.features, Shards) else None

    @property
    def few(self) -> DataSet:
        """The same, with some samples in place of all where those lie in files."""
        if self.shards is None:
            return self
        some = np.linspace(0, len(self.labels) - 1, min(_FEW, len(self.labels))).astype(np.int64)
        return replace(self, features=self.features[some], labels=self.labels[some])

    @property
    def constant(self) -> tuple[str, ...]:
        """Names of the columns that are the same in every sample of the training part."""
        steps = self.few.features.reshape(-1, len(self.columns) or 1)
        same = (steps == steps[0]).all(axis=0)
        return tuple(name for name, alike in zip(self.columns, same, strict=False) if alike)

    def parted(self, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Split the training part into what is learnt from and what is set aside to validate.

        See :func:`split`.

        Raises
        ------
        DataError
            If nothing can be set aside.
        """
        first, second = split(self.labels, self.groups, share=share, seed=seed)
        if len(first) and len(second):
            return first, second
        if self.groups is not None:
            need = (f"each of the {len(np.unique(self.groups))} recordings is needed to train on; "
                    "add recordings")
        elif self.classes:
            need = (f"no class has two samples to train on, the first is "
                    f"{self.classes[self.labels.min()]!r}; add samples")
        else:
            need = f"there is {len(self.labels)} sample to train on; add samples"
        raise DataError(f"Data set {self.name!r}: none can be set aside for validation, as {need}, "
                        "or name a file of test samples with source.test")

    def check_fits(self, network: ir.Network) -> None:
        """See that a network takes these features, and answers what the labels say.

        Raises
        ------
        DataError
            If it does not.
        """
        what = f"data set {self.name!r}"
        if (network.answer is None) != bool(self.classes):
            kinds = ("classes", "numbers") if network.answer is None else ("numbers", "classes")
            raise DataError(f"the network answers {kinds[0]}, labels of {what} are {kinds[1]}")
        if self.classes and network.classes != len(self.classes):
            raise DataError(f"the network has {network.classes} classes, {what} has "
                            f"{len(self.classes)}")
        if network.preparation is not None and self.preparation != network.preparation:
            raise DataError(f"{what} makes integers of its values otherwise than the network does, "
                            "as it has changed or is another one; `predict` reads any file as the "
                            "network does, or train again")
        if network.names.classes and self.classes and network.names.classes != self.classes:
            raise DataError(f"the classes of the network are "
                            f"{some(map(repr, network.names.classes))}, those of {what} are "
                            f"{some(map(repr, self.classes))}")

    def _check_description(self) -> None:
        """Everything but the arrays."""
        if not isinstance(self.name, str) or not self.name:
            raise DataError("Name of a data set must be a string of one character at least, "
                            f"not {_line(self.name)}")
        if not isinstance(self.source, Source):
            raise self._refused("source", "a Source", self.source)
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
        if not isinstance(self.classes, tuple) or len(self.classes) == 1:
            raise self._refused("classes", "a tuple of two strings at least", self.classes)
        if not isinstance(self.answers, tuple) or len(self.answers) != (not self.classes):
            raise self._refused("answers", "a tuple of one name where there are no classes, else "
                                "empty", self.answers)
        try:
            ir.Names(self.classes, self.columns, self.answers)
        except ValueError as error:
            raise DataError(f"Data set {self.name!r}: {error}") from error
        self._check_preparation()

    def _check_preparation(self) -> None:
        """What raw samples are, and what their columns are called."""
        made, size = self.preparation, math.prod(self.shape)
        if made is not None and (not isinstance(made, ir.Preparation) or made.features != size):
            raise self._refused("preparation", f"an ir.Preparation of {size} features, the product "
                                f"of shape {self.shape}", getattr(made, "features", made))
        (low, high), (least, most) = self.domain, made.range if made else self.domain
        if least < low or most > high:
            raise self._refused("preparation", f"of integers from {low} to {high}",
                                f"from {least} to {most}", shown=True)
        numbers = size if made is None else made.shape[-1]
        if self.columns and (isinstance(made, ir.Picture) or len(self.columns) != numbers):
            raise self._refused("columns", f"empty, or names of the {numbers} columns of a table",
                                self.columns)
        if self.groups is not None and (not isinstance(self.groups, np.ndarray)
                                        or self.groups.dtype.kind not in "iu"
                                        or self.groups.ndim != 1):
            raise self._refused("groups", "an array of integers of one dimension", self.groups)

    @property
    def names(self) -> ir.Names:
        """What people call what goes in and comes out."""
        return ir.Names(self.classes, self.columns, self.answers)

    def _numbers(self, field: str) -> NDArray[np.float32]:
        """Labels that are numbers."""
        array = getattr(self, field)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or array.ndim != 1:
            raise self._refused(field, "an array of numbers of one dimension", array)
        numbers = np.ascontiguousarray(array, np.float32)
        if not len(numbers) or not np.isfinite(numbers).all():
            raise self._refused(field, "one finite number at least, and no other", array)
        return numbers

    def _array(self, field: str, dimensions: int, kind: type[Any]) -> NDArray[Any]:
        """An array as it shall be, converted, without a change of any value."""
        array = getattr(self, field)
        if isinstance(array, Shards) and field == "features":
            return cast(NDArray[Any], array)  # checked as they are read
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
        if features == "features" and self.groups is not None and len(self.groups) != len(x):
            raise self._refused("groups", f"one for each of the {len(x)} samples of {features}",
                                len(self.groups))

    def _refused(self, field: str, rule: str, value: object, *, shown: bool = False) -> DataError:
        found = value if shown else _line(value)
        return DataError(f"Data set {self.name!r}: {field} must be {rule}, not {found}")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over every sample and label, in hexadecimal."""
        state = hashlib.sha256()
        for array in (self.features, self.labels, self.x_test, self.y_test):
            state.update(f"{array.dtype.str} {array.shape}\n".encode())
            state.update(array.digest.encode() if isinstance(array, Shards)
                         else np.ascontiguousarray(array).tobytes())
        return state.hexdigest()


def split(labels: NDArray[Any], groups: NDArray[np.int64] | None, *, share: float, seed: int,
          ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split samples into two parts: each class in proportion, no group on both sides.

    With groups, whole groups are drawn until the second part has its share of the samples, but none
    that the first part needs to have every class; classes are in proportion only as far as chance
    puts them. Labels that are numbers (of float) are no classes: samples are drawn from all.

    Parameters
    ----------
    labels : array, shape (samples,)
    groups : array of int64, shape (samples,), optional
    share : float
        Share of the second part.
    seed : int

    Returns
    -------
    two arrays of int64
        Indices of the two parts, ascending.
    """
    classes = np.zeros(len(labels), np.int64) if labels.dtype.kind == "f" else labels
    if groups is None:
        return stratified(classes, share=share, seed=seed)
    members = np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((members.max() + 1, int(classes.max()) + 1), np.int64)
    np.add.at(counts, (members, classes), 1)
    left, wanted = counts.sum(axis=0), round(share * len(labels))
    needed, taken = left > 0, np.zeros(len(counts), bool)
    for group in np.random.default_rng(seed).permutation(len(counts)):
        if counts[taken].sum() >= wanted:
            break
        if (left > counts[group])[needed].all():
            left, taken[group] = left - counts[group], True
    return np.flatnonzero(~taken[members]), np.flatnonzero(taken[members])


def stratified(labels: NDArray[Any], *, share: float, seed: int,
               ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split samples into two parts that hold each class in the same proportion.

    A class of two samples or more has one at least in each part, a single one is in the first.

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
        size = max(round(share * len(members)), 1)
        parts.append(members[: min(size, len(members) - 1)])
    second = np.sort(np.concatenate(parts))
    return np.setdiff1d(np.arange(len(labels)), second), second


def some(words: Iterable[str]) -> str:
    """The first of several words of a message."""
    first = list(itertools.islice(words, 6))
    return ", ".join(first[:5]) + (", ..." if len(first) > 5 else "")


def _whole(value: object) -> bool:
    """Whether a value is an integer, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def _line(value: object) -> str:
    """A value as one line, whatever it is."""
    return " ".join(repr(value).split())
