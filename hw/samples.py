"""Samples of a file, as the features of a network."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitwright import ir

__all__ = ["SamplesError", "read_samples"]

_SEPARATORS = ("\t", ";", ",")
"""The first of them that the first line has is the separator."""

_INTEGER = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)",
                     re.ASCII | re.IGNORECASE)


class SamplesError(UserError):
    """A file does not hold samples of the network. Names the file, and the line and column."""


def read_samples(path: Path, network: ir.Network) -> NDArray[Any]:
    """Features of a .npy or a .csv file, integers, one row a sample.

    The columns of a .csv file are separated by commas, semicolons or tabs; a first line without any
    number is a header, a byte-order mark is skipped, and 3.0 is an integer.

    Returns
    -------
    array of int64, shape (samples, network.features)

    Raises
    ------
    SamplesError
        If anything else is in the file, or a feature is outside its range.
    OSError
        If it cannot be read.
    """
    if path.suffix == ".npy":
        features, place = _read_npy(path, network.features), "row {0}, column {1}"
        lines = [*range(1, len(features) + 1)]
    elif path.suffix == ".csv":
        features, lines = _read_csv(path, network.features)
        place = "line {0}, column {1}"
    else:
        raise SamplesError(f"{path}: must be a .npy or .csv file")
    if not len(features):
        raise SamplesError(f"{path}: holds no sample")
    low, high = network.modulate.domain
    wrong = ((features < low) | (features > high)).nonzero()
    if wrong[0].size:
        row, column = int(wrong[0][0]), int(wrong[1][0])
        raise SamplesError(f"{path}: {place.format(lines[row], column + 1)} must be between {low} "
                           f"and {high}, not {features[row, column]}")
    return features.astype("int64")


def _read_npy(path: Path, columns: int) -> NDArray[Any]:
    import numpy as np

    try:
        features = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise SamplesError(f"{path}: not an array: {error}") from error
    if not isinstance(features, np.ndarray):
        raise SamplesError(f"{path}: must hold one array")
    if features.ndim != 2 or features.shape[1] != columns:
        raise SamplesError(f"{path}: must have the shape (samples, {columns}), not "
                           f"{features.shape}")
    if not np.issubdtype(features.dtype, np.integer):
        raise SamplesError(f"{path}: must hold integers, not {features.dtype}")
    return features


def _read_csv(path: Path, columns: int) -> tuple[NDArray[Any], list[int]]:
    """Features, and the number of the line of each row."""
    import numpy as np

    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SamplesError(f"{path}: must be text in UTF-8") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((one for one in _SEPARATORS if one in first), ",")
    reader = csv.reader(text.splitlines(), delimiter=separator)
    rows: list[list[int]] = []
    lines: list[int] = []
    header = True  # may still come
    try:
        for fields in reader:
            values = [field.strip() for field in fields]
            if not any(values) and len(values) <= 1:
                continue
            if header and not any(_NUMBER.fullmatch(value) for value in values):
                header = False
                continue
            header = False
            rows.append(_row(f"{path}: line {reader.line_num}", values, columns))
            lines.append(reader.line_num)
    except csv.Error as error:
        raise SamplesError(f"{path}: line {reader.line_num}: {error}") from error
    return np.array(rows, object).reshape(len(rows), columns), lines


def _row(line: str, values: list[str], columns: int) -> list[int]:
    if len(values) != columns:
        raise SamplesError(f"{line} must have {columns} columns, not {len(values)}")
    for column, value in enumerate(values, 1):
        if not value:
            raise SamplesError(f"{line}, column {column} is empty")
        if not _INTEGER.fullmatch(value):
            raise SamplesError(f"{line}, column {column} must be an integer, not {value!r}")
    return [int(value.partition(".")[0]) for value in values]
