"""From raw samples to a data set: the split, the fit of the preparation, the names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data.dataset import DataError, DataSet, some, split
from bitwright.data.precision import check_precision
from bitwright.data.samples import NUMBER, REAL_LIMIT, Samples, quoted
from bitwright.data.source import Source
from bitwright.ir.names import sound

__all__ = ["class_names", "fit", "indices", "prepare", "targets"]

MAX_EDGES = 1 << 24
"""Numbers that a preparation may hold."""


def prepare(name: str, train: Samples, test: Samples | None, source: Source) -> DataSet:
    """Split samples if they are not, and make integers of them by what is fitted to the first part.

    Parameters
    ----------
    name : str
        Of the data set.
    train : Samples
        All samples, or the training part.
    test : Samples, optional
        The test part, where there is one. Labels and shapes as those of ``train``.
    source : Source

    Raises
    ------
    DataError
        If the samples are no data set.
    """
    if train.labels is None or (test is not None and test.labels is None):
        raise DataError(f"{train.path}: must have labels")
    regression = source.task == "regression"
    classes = () if regression else class_names(train, 1 if test is not None else 2)
    if regression:
        y: NDArray[Any] = targets(train)
        check_precision(train.path, np.array([[float(label)] for label in train.labels]),
                        [train.label], source.bits)
    else:
        y = indices(train, classes)
    groups = None
    if train.groups is not None:
        groups = np.unique(np.array(train.groups), return_inverse=True)[1].astype(np.int64)
    y_test: NDArray[Any]
    if test is None:
        first, second = _drawn(train, y, groups, source)
        train, test = train.take(first), train.take(second)
        y, y_test = y[first], y[second]
        groups = None if groups is None else groups[first]
    else:
        _same(train, test)
        y_test = targets(test) if regression else indices(test, classes)
    if regression and (y == y[0]).all():
        raise DataError(f"{train.path}: {quoted(train.label)} is {y[0]} in every sample of the "
                        "training part; there is nothing to learn")
    preparation = fit(train, source)
    try:
        x, x_test = preparation.apply(train.values), preparation.apply(test.values)
    except ValueError as error:  # a missing number, which `fit` lets pass in the test part only
        raise DataError(f"{train.path}: {error}") from error
    if (x == x[0]).all():
        raise DataError(f"{train.path}: every sample of the training part becomes the same "
                        "integers; there is nothing to learn")
    return DataSet(name, x, y, x_test, y_test, bits=preparation.range[1].bit_length(),
                   signed=False, full_scale=preparation.range[1], shape=_shape(train),
                   classes=classes, preparation=preparation, columns=train.columns,
                   answers=(train.label,) if regression else (), groups=groups)


def class_names(samples: Samples, least: int) -> tuple[str, ...]:
    """Names of the classes of labelled samples: by value if all are numbers, else by letters.

    Raises
    ------
    DataError
        If there are less than two, one has less samples than ``least``, or a name is no line of
        text.
    """
    assert samples.labels is not None
    counts = Counter(samples.labels)
    for name in counts:
        place = _first(samples, name)
        if not sound(name):
            raise DataError(f"{samples.path}: {place}: a label must be text of 1 to 1000 "
                            f"characters on one line, not {quoted(name)}")
    if len(counts) == 1:
        raise DataError(f"{samples.path}: every label is {quoted(next(iter(counts)))}; there must "
                        "be two classes at least")
    for name, count in counts.items():
        if count < least:
            hint = ('; numbers as labels need source.task = "regression"'
                    if NUMBER.fullmatch(name) else "")
            raise DataError(f"{samples.path}: {_first(samples, name)}: class {quoted(name)} has "
                            f"one sample, and must have two at least{hint}")
    if all(NUMBER.fullmatch(name) for name in counts):
        return tuple(sorted(counts, key=lambda name: (float(name), name)))
    return tuple(sorted(counts))


def _first(samples: Samples, label: str) -> str:
    assert samples.labels is not None
    return samples.places[list(samples.labels).index(label)]


def indices(samples: Samples, classes: Sequence[str]) -> NDArray[np.int64]:
    """Number of the class of each sample.

    Raises
    ------
    DataError
        If a label is none of them.
    """
    assert samples.labels is not None
    known = {name: index for index, name in enumerate(classes)}
    for place, label in zip(samples.places, samples.labels, strict=True):
        if label not in known:
            raise DataError(f"{samples.path}: {place}: label {quoted(label)} must be a class that "
                            f"was trained: {some(map(quoted, classes))}")
    return np.array([known[label] for label in samples.labels], np.int64)


def targets(samples: Samples) -> NDArray[np.float32]:
    """Labels that are numbers.

    Raises
    ------
    DataError
        If one is not.
    """
    assert samples.labels is not None
    for place, label in zip(samples.places, samples.labels, strict=True):
        if not NUMBER.fullmatch(label) or abs(float(label)) >= REAL_LIMIT:
            raise DataError(f"{samples.path}: {place}: {quoted(samples.label)} must be a finite "
                            f"number of binary32, not {quoted(label)}")
    return np.array([float(label) for label in samples.labels], np.float32)


def _drawn(samples: Samples, labels: NDArray[Any], groups: NDArray[np.int64] | None,
           source: Source) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = split(labels, groups, share=source.share, seed=source.seed)
    if not len(first) or not len(second):
        what = "samples" if groups is None else f"recordings ({groups.max() + 1})"
        raise DataError(f"{samples.path}: too few {what} to set a share of {source.share} aside; "
                        "source.test names a file of its own")
    return first, second


def _same(train: Samples, test: Samples) -> None:
    """Check that a test part is of the kind of the training part."""
    if train.columns != test.columns:
        pairs = zip((*train.columns, "no more"), (*test.columns, "no more"), strict=False)
        one, other = next(pair for pair in pairs if pair[0] != pair[1])
        raise DataError(f"{test.path}: must have the columns of {train.path}, there {quoted(one)}, "
                        f"not {quoted(other)}")
    if train.values.shape[1:] != test.values.shape[1:]:
        raise DataError(f"{test.path}: a sample must have shape {train.values.shape[1:]} as in "
                        f"{train.path}, not {test.values.shape[1:]}")


def fit(train: Samples, source: Source) -> ir.Preparation:
    """What makes integers of raw samples, fitted to those of a training part.

    Affine: the smallest number of a column becomes 0, the largest ``2^bits - 1``. A column of one
    number has scale 1. Quantile: ``2^bits - 1`` edges with equally many samples between them.

    Raises
    ------
    DataError
        If a column has no number, or the edges are too many.
    """
    top = (1 << source.bits) - 1
    if train.pictures:
        _, height, width, *colours = train.values.shape
        return ir.Picture(height, width, bool(colours), source.aspect == "crop", top)
    _, steps, columns = train.values.shape
    table = train.values.reshape(-1, columns)
    fills = source.missing == "median"
    fill = np.zeros(columns * fills, np.float32)
    empty = np.flatnonzero(np.isnan(table).all(axis=0))
    if len(empty):
        name = f" {quoted(train.columns[empty[0]])}" if train.columns else ""
        raise DataError(f"{train.path}: number {empty[0] + 1} of a row{name} is missing in every "
                        "sample of the training part; leave it out with source.ignore")
    if fills:
        fill = np.nanmedian(table.astype(np.float64), axis=0).astype(np.float32)
        table = np.where(np.isnan(table), fill, table)
    if source.quantiser == "quantile":
        if columns * top > MAX_EDGES:
            raise DataError(f"{train.path}: {columns} columns of {source.bits} bits need "
                            f"{columns * top:,} edges, and at most {MAX_EDGES:,} are kept; take "
                            "fewer source.bits")
        return ir.Quantile(steps, fills, _edges(table, top), fill)
    low, high = (edge(table, axis=0).astype(np.float64) for edge in (np.min, np.max))
    with np.errstate(divide="ignore", over="ignore"):
        scale = np.minimum(top / (high - low), np.finfo(np.float32).max).astype(np.float32)
    scale[high == low] = 1
    return ir.Affine(steps, source.bits, False, fills, low.astype(np.float32), scale, fill)


def _edges(table: NDArray[np.float32], levels: int) -> NDArray[np.float32]:
    shares = np.arange(1, levels + 1) / (levels + 1)
    return np.stack([np.quantile(column.astype(np.float64), shares).astype(np.float32)
                     for column in table.T])


def _shape(samples: Samples) -> tuple[int, ...]:
    """Shape of a sample as layers see it: a window is a picture of its steps."""
    shape = samples.values.shape[1:]
    return shape if samples.pictures or shape[0] > 1 else shape[1:]
