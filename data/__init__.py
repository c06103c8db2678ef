"""Data sets as integer features. NumPy only: hardware benches use them without torch."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from bitwright.data import idx, pictures, tabular
from bitwright.data.dataset import DataError, DataSet, split, stratified
from bitwright.data.source import Source

__all__ = ["DataError", "DataSet", "Source", "load", "names", "split", "stratified"]

_LOADERS: dict[str, Callable[[Path | None], DataSet]] = {
    "digits": tabular.digits,
    "iris": tabular.iris,
    "mnist": idx.mnist,
    "fashion-mnist": idx.fashion_mnist,
    "kmnist": idx.kmnist,
    "cifar10-jpeg": pictures.cifar10_jpeg,
}


def names() -> list[str]:
    """Names that :func:`load` knows."""
    return list(_LOADERS)


def load(name: str, data_dir: Path | None = None, source: Source | None = None) -> DataSet:
    """Load a data set.

    Parameters
    ----------
    name : str
    data_dir : Path, optional
        Folder to look in first, for those data sets that are files.
    source : Source, optional
        How a file of one's own is read.

    Raises
    ------
    DataError
        If there is no such data set, it is found nowhere, or a file of it is damaged.
    """
    if name not in _LOADERS:
        near = difflib.get_close_matches(name, _LOADERS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_LOADERS)}"
        raise DataError(f"Unknown data set {name!r}; {hint}")
    return _LOADERS[name](data_dir)
