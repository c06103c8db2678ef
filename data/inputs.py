"""Samples for a frozen network: raw values or integers of a file, checked against the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import arrays, folder, picture, table
from bitwright.data.cells import Integers, Reals
from bitwright.data.dataset import DataError, some
from bitwright.data.own import recorded_source
from bitwright.data.picture import Form
from bitwright.data.prepare import indices, targets
from bitwright.data.samples import NUMBER, Samples, check_size, quoted
from bitwright.data.source import Source
from bitwright.data.windows import windows

__all__ = ["Inputs", "read_inputs"]

ARRAYS = (".npy", ".npz")


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a file gives a network.

    Parameters
    ----------
    path : str
    features : array of int32, shape (samples, features)
    labels : list of str, optional
        Text of the label column, or folder, where the file has one; empty where it says nothing.
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
        if "" in self.labels:
            raise DataError(f"{self.path}: {self.places[self.labels.index('')]}: must have a label "
                            "to compare with")
        samples = Samples(self.path, self.features, self.labels, self.places,
                          label=(*network.names.answers, "label")[0])
        if network.answer is not None:
            return targets(samples)
        return indices(samples, network.score_names)


def read_inputs(path: Path | str, network: ir.Network, source: Source | None = None, *,
                integers: bool = False) -> Inputs:
    """Read samples for a network: raw values if it says how they become integers, else integers.

    Columns of a table with a header are found by their names where the network has names: their
    order is free, and others are not looked at, but the label's; if its name is not known, it is
    the only other one, if that holds a class, or a number where the network answers some. Without
    names they count by position, and a label column may be there or not.

    Parameters
    ----------
    path : Path
        A table, NumPy's arrays, a picture, or a folder or zip file of pictures, in class folders or
        not. Of a file that has a training and a test part, the test part is taken.
    network : ir.Network
    source : Source, optional
        How to read it. Left out: as the network's data set was read.
    integers : bool
        Whether the file holds what comes out of the preparation.

    Raises
    ------
    DataError
        If the file holds no samples of the network. Names the file and the place.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    source = source or recorded_source(network.provenance)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if integers or network.preparation is None:
        return _integers(path, network, source)
    samples = _raw(path, network, source)
    return Inputs(str(path), network.preparation.apply(samples.values),
                  _labels(samples, network, source), list(samples.places), samples.values)


def _labels(samples: Samples, network: ir.Network, source: Source) -> list[str] | None:
    """Labels, unless the column that is left over holds no class, or number, of the network."""
    if samples.labels is None:
        return None
    labels = list(samples.labels)
    if not any(labels):
        return None
    if network.answer is None:
        labels = _written_as(network.score_names, labels)
    if source.label:
        return labels
    if network.answer is None:
        return labels if set(labels) & set(network.score_names) else None
    return labels if any(map(NUMBER.fullmatch, labels)) else None


def _written_as(classes: Sequence[str], labels: list[str]) -> list[str]:
    """Labels as the network writes them: ``1.0`` is its ``1``, as a column with holes becomes real.

    Only if no two of its classes are the same number.
    """
    numbers = {float(name): name for name in classes if NUMBER.fullmatch(name)}
    if len(numbers) < len(classes):
        return labels
    known = set(classes)
    return [numbers.get(float(label), label) if label not in known and NUMBER.fullmatch(label)
            else label for label in labels]


def _raw(path: Path, network: ir.Network, source: Source) -> Samples:
    """Raw samples, in the shape that the preparation takes."""
    preparation = network.preparation
    assert preparation is not None
    if isinstance(preparation, ir.Numbers) and source.missing != "drop":
        source = replace(source, missing="median" if preparation.fills else "refuse")
    if isinstance(preparation, ir.Picture):
        samples = _pictures(path, source, Form.taken(preparation))
    elif path.suffix.lower() in table.SUFFIXES:
        columns = preparation.shape[1]
        samples = table.read_table(path, source, _matched(path, network, columns, source),
                                   Reals(source.missing != "refuse"))
    elif path.suffix.lower() in ARRAYS:
        samples = _arrays(path, source)
    else:
        raise DataError(f"{path}: the network takes numbers; must be a file of "
                        f"{', '.join((*table.SUFFIXES, *ARRAYS))}")
    if isinstance(preparation, ir.Picture) and not samples.pictures:
        raise DataError(f"{path}: the network takes pictures; must be bytes (uint8), not "
                        f"{samples.values.dtype}")
    if isinstance(preparation, ir.Numbers) and samples.pictures:
        raise DataError(f"{path}: the network takes numbers, no pictures")
    if not samples.pictures and samples.values.shape[1] == 1:
        steps = preparation.shape[0]
        samples = windows(samples, replace(source, window=steps))
    if samples.values.shape[1:] != preparation.shape:
        raise DataError(f"{path}: a sample must have the shape {preparation.shape}, not "
                        f"{samples.values.shape[1:]}")
    return samples


def _pictures(path: Path, source: Source, form: Form) -> Samples:
    suffix = path.suffix.lower()
    if path.is_dir() or suffix == ".zip":
        with folder.listed(path) as entries:
            parts = folder.arranged(path, entries)
            return folder.read_pictures(path, parts.get("test", parts["train"]), form)
    if suffix in ARRAYS:
        how = replace(source, height=form.height, width=form.width,
                      colour="rgb" if form.colour else "grey",
                      aspect="crop" if form.crop else "stretch")
        return _arrays(path, how)
    if suffix in picture.SUFFIXES:
        check_size(path, "a picture", path.stat().st_size, picture.MAX_FILE)
        entry = folder.Entry("", path.read_bytes)
        return replace(folder.read_pictures(path, [(entry, None)], form), places=[path.name])
    raise DataError(f"{path}: the network takes pictures; must be a folder, or a file of "
                    f"{', '.join((*picture.SUFFIXES, '.zip', *ARRAYS))}")


def _arrays(path: Path, source: Source) -> Samples:
    """Samples of the test part, where the file has one."""
    there = arrays.read_arrays(path)
    part = ("x_test", "y_test") if "x_test" in there else ("features", "labels")
    return arrays.samples_of(path, there, *part, source, asked=True)


def _matched(path: Path, network: ir.Network, count: int, source: Source) -> table.Choose:
    """Find the network's columns in a table."""
    names = network.names.columns

    def choose(header: tuple[str, ...], width: int) -> table.Layout:
        if header and names:
            return _by_name(path, header, network, source)
        return _by_position(path, width, count, source)

    return choose


def _by_name(path: Path, header: tuple[str, ...], network: ir.Network,
             source: Source) -> table.Layout:
    names = network.names.columns
    known = {name: index for index, name in enumerate(header)}
    for name in names:
        if header.count(name) != 1:
            raise DataError(f"{path}: column {name!r} must be there once, not {header.count(name)} "
                            f"times, among {some(map(repr, header))}"
                            + (table.COMMENT if header[0].startswith("#") else ""))
    ignored = {_other(header, name.strip(), names) for name in source.ignore.split(",")}
    group = _other(header, source.group, names)
    if source.label and not source.label.isdecimal():
        label = known.get(source.label)
    elif network.answer is not None:  # a number, whose name is known
        label = known.get(next(iter(network.names.answers), ""))
    else:  # the one column that the network does not read
        others = [index for index, name in enumerate(header)
                  if name and name not in names and index not in ignored and index != group]
        label = others[0] if len(others) == 1 else None
    return table.Layout(tuple(known[name] for name in names), label, group)


def _other(header: tuple[str, ...], text: str, names: Sequence[str]) -> int | None:
    """Index of a column that a setting names, or numbers from 1, and the network does not read."""
    if text and text in header:
        return header.index(text)
    place = int(text) - 1 if text.isdecimal() and len(text) < 9 else -1
    return place if 0 <= place < len(header) and header[place] not in names else None


def _by_position(path: Path, width: int, count: int, source: Source) -> table.Layout:
    if width == count:
        return table.Layout(tuple(range(count)))
    if source.ignore or source.group:  # which of them the line still has, nobody can say
        raise DataError(f"{path}: a line must have {count} columns, the numbers of a row in their "
                        f"order, or a header above them, as columns were left out in training, not "
                        f"{width}")
    if width == count + 1 and (not source.label or source.label.isdecimal()):
        label = int(source.label) - 1 if source.label else width - 1
        if label < width:
            return table.Layout(tuple(index for index in range(width) if index != label), label)
    rule = (f"or a header above them, as the label is found by its name {quoted(source.label)}"
            if source.label and not source.label.isdecimal() else "or one more for the label")
    raise DataError(f"{path}: a line must have {count} columns, the numbers of a row in their "
                    f"order, {rule}, not {width}")


def _integers(path: Path, network: ir.Network, source: Source) -> Inputs:
    if path.suffix.lower() in table.SUFFIXES:
        names = network.names.columns

        def choose(header: tuple[str, ...], width: int) -> table.Layout:
            if len(names) == network.features and set(names) & set(header):
                return _by_name(path, header, network, source)
            return _by_position(path, width, network.features, source)

        samples = table.read_table(path, replace(source, missing="refuse"), choose,
                                   Integers(*network.modulate.domain))
        return Inputs(str(path), samples.values[:, 0].astype(np.int32),
                      _labels(samples, network, source), list(samples.places))
    if path.suffix.lower() not in ARRAYS:
        raise DataError(f"{path}: must be a file of {', '.join((*table.SUFFIXES, *ARRAYS))}, with "
                        "the integers that the network takes")
    there = arrays.read_arrays(path)
    part = ("x_test", "y_test") if "x_test" in there else ("features", "labels")
    values, where = there[part[0]], f"{path}, {part[0]}"
    if values.ndim != 2 or values.shape[1] != network.features or values.dtype.kind not in "iu":
        raise DataError(f"{where}: must be integers of the shape (samples, {network.features}), "
                        f"not {values.dtype} of {values.shape}")
    if not len(values):
        raise DataError(f"{path}: holds no sample")
    low, high = network.modulate.domain
    wrong = np.argwhere((values < low) | (values > high))
    if len(wrong):
        row, column = (int(n) for n in wrong[0])
        raise DataError(f"{where}: row {row + 1}, column {column + 1} must be between {low} and "
                        f"{high}, not {values[row, column]}")
    labels = arrays.texts(path, there, part[1], len(values), asked=True)
    if labels is not None and network.answer is None:
        labels = _written_as(network.score_names, labels)
    return Inputs(str(path), values.astype(np.int32), labels if labels and any(labels) else None,
                  [f"row {row + 1}" for row in range(len(values))])
