"""A file or folder of one's own: found, read by its kind, made a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from bitwright.data import arrays, folder, places, shards, table
from bitwright.data.dataset import DataError, DataSet
from bitwright.data.picture import Form
from bitwright.data.prepare import prepare
from bitwright.data.samples import Samples
from bitwright.data.source import Source
from bitwright.data.windows import windows

__all__ = ["is_path", "is_sharded", "load_file", "read_file", "recorded_source"]

SUFFIXES = (*table.SUFFIXES, ".npz", ".zip")
"""Files that a data set may be."""


def is_path(name: str) -> bool:
    """Whether a name that no data set has means a file or a folder."""
    return name != "" and (
        Path(name).suffix.lower() in SUFFIXES or "/" in name or "\\" in name
        or Path(name).exists())


def is_sharded(name: str, data_dir: Path | None) -> bool:
    """Whether a path is that of a folder of shards, if there is one."""
    return is_path(name) and (_found(name, data_dir) / shards.SET).is_file()


def load_file(name: str, data_dir: Path | None, source: Source) -> DataSet:
    """Load a file or a folder as a data set.

    Raises
    ------
    DataError
        See :func:`read_file`, or if the samples are no data set.
    """
    if is_sharded(name, data_dir):
        path = _found(name, data_dir)
        if source != Source():
            raise DataError(f"{path}: source must be left out for a set of shards, whose samples "
                            "are what they are")
        return DataSet(name, **shards.described(path))
    return prepare(name, *read_file(name, data_dir, source), source)


def read_file(name: str, data_dir: Path | None, source: Source) -> tuple[Samples, Samples | None]:
    """Raw samples of a file or a folder: the training part, or all, and the test part if it is one.

    Parameters
    ----------
    name : str
        Its path; looked for in ``data_dir``, then from the working directory, then where named
        data sets are.
    data_dir : Path, optional
    source : Source

    Raises
    ------
    DataError
        If there is none, or it holds something else.
    """
    path = _found(name, data_dir)
    train, test = read_labelled(path, source)
    if not source.test:
        return train, test
    beside = _beside(path, source.test, data_dir)
    if test is not None:
        raise DataError(f"{path}: has a test part of its own, and source.test must be empty, not "
                        f"{source.test!r}")
    test, another = read_labelled(beside, source)
    if another is not None:
        raise DataError(f"{beside}: source.test must be one part, and has a test part of its own")
    return train, test


def read_labelled(path: Path, source: Source) -> tuple[Samples, Samples | None]:
    """Samples with labels: the training part, or all, and the test part where the file has one.

    Raises
    ------
    DataError
        If the file is of no kind that is known, or holds something else.
    """
    suffix = path.suffix.lower()
    train: Samples
    test: Samples | None = None
    try:
        if path.is_dir() or suffix == ".zip":
            train, test = folder.labelled(path, Form.of(source))
        elif suffix == ".npz":
            train, test = arrays.labelled(path, source)
        elif suffix in table.SUFFIXES:
            train = table.read_table(path, source, table.labelled(path, source))
        else:
            raise DataError(f"{path}: must be a folder, or a file of {', '.join(SUFFIXES)}")
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read ({error.strerror or error})"
                        ) from error
    if source.window == 1 and source.step == 1:
        return train, test
    if train.pictures or train.values.shape[1] > 1:
        raise DataError(f"{path}: source.window and source.step must be 1, as samples are no rows "
                        "of a table")
    return (windows(train, source, blocks=True),
            None if test is None else windows(test, source, blocks=True))


def _found(name: str, data_dir: Path | None) -> Path:
    roots = [Path(), *places.roots(None)] if data_dir is None else [data_dir, Path(),
                                                                     *places.roots(None)]
    searched = [root / name for root in roots]
    for path in searched:
        if path.is_file() or path.is_dir():
            return path
    raise DataError(f"{name}: no such file or folder; searched in "
                    f"{', '.join(str(root) for root in roots)}")


def _beside(path: Path, name: str, data_dir: Path | None) -> Path:
    """The test part: beside the training part, or where that is looked for."""
    near = path.parent / name
    return near if near.exists() else _found(name, data_dir)


def recorded_source(provenance: Mapping[str, Any]) -> Source:
    """How the data of a frozen network was read. What the file does not say is as ever."""
    recipe = provenance.get("recipe")
    values = recipe.get("source") if isinstance(recipe, Mapping) else None
    if not isinstance(values, Mapping):
        return Source()
    known = {field.name: field.type for field in fields(Source)}
    try:
        return Source(**{key: value for key, value in values.items() if key in known})
    except (TypeError, ValueError) as error:
        raise DataError(f"The network's provenance: recipe.source is not usable ({error})"
                        ) from error
