"""Samples for a frozen network: raw values or integers of a file, checked against the network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import table
from bitwright.data.dataset import DataError
from bitwright.data.own import recorded_source
from bitwright.data.prepare import indices, targets
from bitwright.data.samples import Samples
from bitwright.data.source import Source
from bitwright.data.windows import windows

__all__ = ["Inputs", "read_inputs"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a file gives a network.

    Parameters
    ----------
    path : str
    features : array of int32, shape (samples, features)
    labels : list of str, optional
        Text of the label column, or folder, where the file has one.
    places : list of str
        Where each sample is in the file: ``line 3``, ``a/b.png``.
    raw : array, optional
        What the network's preparation took; None where the file holds the integers.
    """

    path: str
    features: NDArray[np.int32]
    labels: list[str] | None
    places: list[str]
    raw: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.features)

    def targets(self, network: ir.Network) -> NDArray[np.int64] | NDArray[np.float32]:
        """Labels as the network counts them: the class each, or the number.

        Raises
        ------
        DataError
            If there is no label, or one that the network does not know.
        """
        if self.labels is None:
            raise DataError(f"{self.path}: must have labels to compare with")
        samples = Samples(self.path, self.features, self.labels, self.places,
                          label=(*network.names.answers, "label")[0])
        if network.answer is not None:
            return targets(samples)
        names = network.names.classes or tuple(map(str, range(network.classes)))
        return indices(samples, names)


def read_inputs(path: Path | str, network: ir.Network, source: Source | None = None, *,
                integers: bool = False) -> Inputs:
    """Read samples for a network: raw values if it says how they become integers, else integers.

    Columns of a table with a header are found by their names where the network has names: their
    order is free, and others are not looked at. Without names they count by position, and a label
    column may be there or not.

    Parameters
    ----------
    path : Path
        A table.
    network : ir.Network
    source : Source, optional
        How to read it. Left out: as the network's data set was read.
    integers : bool
        Whether the file holds what comes out of the preparation.

    Raises
    ------
    DataError
        If the file holds no samples of the network. Names the file and the place.
    """
    path = Path(path)
    source = source or recorded_source(network.provenance)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if integers or network.preparation is None:
        return _integers(path, network, source)
    samples = _raw(path, network, source)
    try:
        features = network.preparation.apply(samples.values)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    return Inputs(str(path), features, None if samples.labels is None else list(samples.labels),
                  list(samples.places), samples.values)


def _raw(path: Path, network: ir.Network, source: Source) -> Samples:
    preparation = network.preparation
    assert preparation is not None
    if path.suffix.lower() not in table.SUFFIXES:
        raise DataError(f"{path}: must be a file of {', '.join(table.SUFFIXES)}")
    if isinstance(preparation, ir.Picture):
        raise DataError(f"{path}: the network takes pictures, not tables")
    columns = preparation.shape[1]
    samples = table.read_table(path, source, _matched(path, network, columns, source))
    return windows(samples, source)


def _matched(path: Path, network: ir.Network, count: int, source: Source) -> table.Choose:
    """Find the network's columns in a table."""
    names = network.names.columns

    def choose(header: tuple[str, ...], width: int) -> table.Layout:
        if header and names:
            return _by_name(path, header, names, source)
        return _by_position(path, width, count, source)

    return choose


def _by_name(path: Path, header: tuple[str, ...], names: Sequence[str],
             source: Source) -> table.Layout:
    known = {name: index for index, name in enumerate(header)}
    for name in names:
        if header.count(name) != 1:
            shown = ", ".join(map(repr, header[:5])) + (", ..." if len(header) > 5 else "")
            raise DataError(f"{path}: column {name!r} must be there once, not {header.count(name)} "
                            f"times, among {shown}")
    label = known.get(source.label)
    if label is None:
        place = int(source.label) - 1 if source.label.isdecimal() else len(header) - 1
        fits = place < len(header) and not (source.label and not source.label.isdecimal())
        label = place if fits and header[place] not in names else None
    return table.Layout(tuple(known[name] for name in names), label, known.get(source.group))


def _by_position(path: Path, width: int, count: int, source: Source) -> table.Layout:
    if width == count:
        return table.Layout(tuple(range(count)))
    if width == count + 1 and (not source.label or source.label.isdecimal()):
        label = int(source.label) - 1 if source.label else width - 1
        if label < width:
            return table.Layout(tuple(index for index in range(width) if index != label), label)
    raise DataError(f"{path}: a line must have {count} columns, the numbers of a row in their "
                    f"order, or one more for the label, not {width}")


_INTEGER = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)


def _integers(path: Path, network: ir.Network, source: Source) -> Inputs:
    if path.suffix.lower() not in table.SUFFIXES:
        raise DataError(f"{path}: must be a file of {', '.join(table.SUFFIXES)}")

    def choose(header: tuple[str, ...], width: int) -> table.Layout:
        if width != network.features:
            raise DataError(f"{path}: a line must have {network.features} columns, not {width}")
        return table.Layout(tuple(range(width)))

    samples = table.read_table(path, Source(header=source.header, separator=source.separator),
                               choose)
    values = samples.values[:, 0]
    low, high = network.modulate.domain
    for rule, wrong in ((f"between {low} and {high}", (values < low) | (values > high)),
                        ("an integer", values != np.rint(values))):
        if wrong.any():
            row, column = (int(n) for n in np.argwhere(wrong)[0])
            raise DataError(f"{path}: {samples.places[row]}, column {column + 1} must be {rule}, "
                            f"not {values[row, column]:g}")
    return Inputs(str(path), values.astype(np.int32), None, list(samples.places))
