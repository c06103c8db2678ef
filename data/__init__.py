"""Data sets as integer features, and samples for a network. Never torch: benches do without."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bitwright import ir
from bitwright.data import cifar, idx, openml, own, pictures, tabular
from bitwright.data.dataset import DataError, DataSet, split, stratified
from bitwright.data.inputs import Inputs, read_inputs
from bitwright.data.prepare import prepare
from bitwright.data.shards import ShardWriter
from bitwright.data.source import Source

__all__ = ["DataError", "DataSet", "Inputs", "ShardWriter", "Source", "chosen", "is_own", "load",
           "names", "prepare", "read_inputs", "recorded", "split", "stratified"]

logger = logging.getLogger("data")

_LOADERS: dict[str, Callable[[Path | None], DataSet]] = {
    "digits": tabular.digits,
    "iris": tabular.iris,
    "mnist": idx.mnist,
    "fashion-mnist": idx.fashion_mnist,
    "kmnist": idx.kmnist,
    "cifar10": cifar.cifar10,
    "cifar10-jpeg": pictures.cifar10_jpeg,
}


def names() -> list[str]:
    """Names that :func:`load` knows."""
    return [*_LOADERS, "jsc"]


def is_own(name: str) -> bool:
    """Whether a name means a file or a folder of one's own."""
    return name not in names() and not name.startswith(openml.PREFIX) and own.is_path(name)


def load(name: str, data_dir: Path | None = None, source: Source | None = None) -> DataSet:
    """Load a data set.

    Parameters
    ----------
    name : str
        Of a data set; or ``openml:`` and its number there; or the path of a table, of a .npz file,
        of a folder or zip file of pictures, or of a folder of shards.
    data_dir : Path, optional
        Folder to look in first, for those data sets that are files.
    source : Source, optional
        How a file of one's own is read.

    Raises
    ------
    DataError
        If there is no such data set, it is found nowhere, or a file of it is damaged.
    """
    if name in _LOADERS:
        return _LOADERS[name](data_dir)
    source = source or Source()
    if name == "jsc":
        found = openml.load_openml(name, str(openml.JETS), data_dir, source)
    elif name.startswith(openml.PREFIX):
        found = openml.load_openml(name, name.removeprefix(openml.PREFIX), data_dir, source)
    elif is_own(name):
        found = own.load_file(name, data_dir, source)
    else:
        near = difflib.get_close_matches(name, names(), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else (
            f"known are {', '.join(names())}, {openml.PREFIX}NUMBER, and files and folders")
        raise DataError(f"Unknown data set {name!r}; {hint}")
    return replace(found, source=source)


def recorded(provenance: Mapping[str, Any], data_dir: Path | None = None) -> DataSet:
    """Load the data set that a network was trained on, as it was read then.

    Parameters
    ----------
    provenance : mapping
        Of a frozen network.
    data_dir : Path, optional

    Raises
    ------
    DataError
        If the provenance names none, or see :func:`load`.
    """
    described = provenance.get("data")
    name = described.get("name") if isinstance(described, Mapping) else None
    if not isinstance(name, str):
        raise DataError("The network's file names no data set")
    return load(name, data_dir, own.recorded_source(provenance))


def chosen(path: Path, network: ir.Network, name: str | None = None,
           data_dir: Path | None = None) -> DataSet:
    """Load the data set that is asked for, or the one that a network was trained on.

    Where the latter is not what it was in training, a warning says so.

    Parameters
    ----------
    path : Path
        File of the network, for messages.
    network : ir.Network
    name : str, optional
    data_dir : Path, optional

    Raises
    ------
    ir.ArtifactError
        If the network names none, or the data set does not fit it.
    DataError
        As of :func:`load`.
    """
    described = network.provenance.get("data")
    known = described if isinstance(described, Mapping) else {}  # else of another tool
    if name is None and not isinstance(known.get("name"), str):
        raise ir.ArtifactError(f"{path}: the file names no data set; give one with --data")
    if name in (None, known.get("name")):
        found = recorded(network.provenance, data_dir)
        if found.digest != known.get("digest"):
            logger.warning("%s: data set %r is not the one that the network was trained on", path,
                           found.name)
    else:
        assert name is not None
        found = load(name, data_dir)
    try:
        found.check_fits(network)
    except DataError as error:
        raise ir.ArtifactError(f"{path}: {error}") from error
    return found
