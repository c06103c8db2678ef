"""Data sets of OpenML by their number, through scikit-learn, which keeps what it downloads."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright.data import arrays, places
from bitwright.data.dataset import DataError, DataSet
from bitwright.data.prepare import prepare
from bitwright.data.samples import Samples, told
from bitwright.data.source import Source
from bitwright.data.table import find_column
from bitwright.data.windows import windows
from bitwright.extras import missing

__all__ = ["JETS", "PREFIX", "load_openml"]

PREFIX = "openml:"

JETS = 42468
"""Number of the jets of the Large Hadron Collider: 16 features, 5 classes, 830,000 samples."""


def load_openml(name: str, number: str, data_dir: Path | None, source: Source) -> DataSet:
    """Load a data set of OpenML.

    Parameters
    ----------
    name : str
        Of the data set.
    number : str
        Of OpenML, in decimal digits.
    data_dir : Path, optional
    source : Source
        ``label`` left out: the column that OpenML calls the target.

    Raises
    ------
    DataError
        If it can be found nowhere, or its columns are not numbers.
    """
    if not number.isascii() or not number.isdigit() or len(number) > 9 or source.test:
        raise DataError(f"{name}: must be {PREFIX} and the number of a data set of OpenML, without "
                        "a source.test")
    bunch = _fetched(name, int(number), data_dir, source)
    table, columns = bunch["data"], tuple(bunch["feature_names"])
    if not isinstance(table, np.ndarray) or table.ndim != 2:
        raise DataError(f"{name}: must be a dense table, not a sparse one")
    if not len(table):
        raise DataError(f"{name}: holds no sample")
    labels = _labels(name, bunch, source)
    where = Path(name)
    left_out = {find_column(where, columns, len(columns), text.strip(), "ignore")
                for text in source.ignore.split(",") if text.strip()}
    groups: list[str] | None = None
    if source.group:
        group = find_column(where, columns, len(columns), source.group, "group")
        groups = [str(value) for value in table[:, group].tolist()]
        left_out.add(group)
    chosen = [index for index in range(len(columns)) if index not in left_out]
    for index in chosen:
        if columns[index] in (bunch.get("categories") or {}):
            raise DataError(f"{name}: column {columns[index]!r} must hold numbers, and holds names "
                            f'of classes; source.ignore = "{columns[index]}" leaves it out')
    values, keep = arrays.numbers(name, table[:, None, chosen], source)
    rows = np.flatnonzero(keep)
    named = tuple(columns[index] for index in chosen)
    arrays.told_apart(name, table[:, chosen], named, source)
    samples = Samples(name, values, labels, [f"row {row + 1}" for row in range(len(table))], named,
                      str((bunch.get("target_names") or ["label"])[0]), groups)
    kept = replace(samples.take(rows), breaks=arrays.gaps(keep))
    return prepare(name, windows(kept, source, blocks=True), None, source)


def _labels(name: str, bunch: Any, source: Source) -> list[str]:
    target: NDArray[Any] | None = bunch["target"]
    if target is None or target.ndim != 1:
        raise DataError(f"{name}: must have one column of labels; name it with source.label")
    if target.dtype.kind == "f":
        wrong = np.flatnonzero(~np.isfinite(target))
    else:
        wrong = np.flatnonzero([not isinstance(value, str | int) for value in target.tolist()])
    if len(wrong):
        raise DataError(f"{name}: row {wrong[0] + 1} must have a label, not {target[wrong[0]]}")
    return [repr(value) if isinstance(value, float) and not value.is_integer()
            else str(int(value) if isinstance(value, float) else value)
            for value in target.tolist()]


def _fetched(name: str, number: int, data_dir: Path | None, source: Source) -> Any:
    """What scikit-learn makes of it: from a folder that has it, or from the net into the cache."""
    try:
        from sklearn.datasets import fetch_openml
        from sklearn.externals._arff import ArffException
    except ImportError as error:
        raise missing("sklearn") from error
    roots = places.roots(data_dir)
    inside = Path("openml", "openml.org", "api", "v1", "json", "data", f"{number}.gz")
    home = next((root for root in roots if (root / inside).is_file()), roots[-1])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions, and of what is refused below anyway
            return fetch_openml(data_id=number, data_home=str(home), as_frame=False,
                                parser="liac-arff", n_retries=1,
                                target_column=source.label or "default-target")
    except (OSError, EOFError, ValueError, LookupError, zlib.error, ArffException) as error:
        raise DataError(f"{name}: is not to be had from www.openml.org, nor whole in "
                        f"{', '.join(str(root / 'openml') for root in roots)} ({told(error)})"
                        ) from error
