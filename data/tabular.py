"""The data sets that scikit-learn carries: nothing is downloaded."""

from __future__ import annotations

import csv
import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data.dataset import DataError, DataSet, stratified

__all__ = ["carried", "digits", "iris", "millimetres"]

SPLIT_SEED = 20240229
"""Seed of the split into training and test part. Fixed, so that figures of all runs compare."""

TEST_SHARE = 0.25

_MEASURES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
_CENTIMETRES = ir.Affine(1, 7, False, False, np.zeros(4, np.float32), np.full(4, 10, np.float32),
                         np.zeros(0, np.float32))
"""What people measure in centimetres, to the millimetre."""


def digits(_data_dir: Path | None = None) -> DataSet:
    """Handwritten digits of 8 x 8 pixels from 0 to 16, 1,797 samples."""
    table = np.array(carried("digits.csv.gz"), np.float64).astype(np.int64)
    features, labels = table[:, :-1].astype(np.int32), table[:, -1]
    train, test = stratified(labels, share=TEST_SHARE, seed=SPLIT_SEED)
    return DataSet("digits", features[train], labels[train], features[test], labels[test],
                   bits=5, signed=False, full_scale=16, shape=(8, 8),
                   classes=tuple("0123456789"), preparation=ir.Picture(8, 8, False, False, 16))


def iris(_data_dir: Path | None = None) -> DataSet:
    """Four measures of three species of iris in millimetres, 150 samples.

    They were taken to the millimetre, so that nothing is scaled, rounded or fitted to a sample.
    """
    features, labels, classes = millimetres()
    train, test = stratified(labels, share=TEST_SHARE, seed=SPLIT_SEED)
    return DataSet("iris", features[train], labels[train], features[test], labels[test],
                   bits=7, signed=False, full_scale=80, shape=(4,), classes=classes,
                   preparation=_CENTIMETRES, columns=_MEASURES)


def millimetres() -> tuple[NDArray[np.int32], NDArray[np.int64], tuple[str, ...]]:
    """All irises: measures in millimetres, shape (150, 4), labels, and names of the species."""
    (_, _, *classes), *rows = carried("iris.csv")
    table = np.array(rows, np.float64)
    return (np.rint(table[:, :-1] * 10).astype(np.int32), table[:, -1].astype(np.int64),
            tuple(classes))


def carried(name: str) -> list[list[str]]:
    """Rows of a table that lies in scikit-learn's package.

    Its own loaders give the same numbers, and import 800 modules for it, SciPy among them.

    Raises
    ------
    DataError
        If scikit-learn or the file is not there.
    """
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise DataError("The data sets digits and iris come with the package scikit-learn, which "
                        "is not installed; install it with `pip install 'bitwright[data]'`")
    path = Path(package.origin).parent / "datasets" / "data" / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return list(csv.reader(text.splitlines()))
