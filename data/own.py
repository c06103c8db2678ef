"""A file or folder of one's own: found, read by its kind, made a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from bitwright.data import places, table
from bitwright.data.dataset import DataError, DataSet
from bitwright.data.prepare import prepare
from bitwright.data.samples import Samples
from bitwright.data.source import Source
from bitwright.data.windows import windows

__all__ = ["is_file_name", "load_file", "recorded_source"]

SUFFIXES = (*table.SUFFIXES,)


def is_file_name(name: str) -> bool:
    """Whether a name means a file or a folder, and no data set that has a name."""
    return Path(name).suffix.lower() in SUFFIXES or "/" in name or "\\" in name or (
        Path(name).exists())


def load_file(name: str, data_dir: Path | None, source: Source) -> DataSet:
    """Load a file or a folder as a data set.

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
        If there is none, or it is no data set.
    """
    path = _found(name, data_dir)
    train = read_labelled(path, source)
    test = None
    if source.test:
        test = read_labelled(_beside(path, source.test, data_dir), source)
    return prepare(name, train, test, source)


def read_labelled(path: Path, source: Source) -> Samples:
    """Samples with labels of a file."""
    return windows(table.read_table(path, source, table.labelled(path, source)), source,
                   blocks=True)


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
