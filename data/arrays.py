"""NumPy's files: .npz to train on, .npy and .npz as inputs. Nothing in them is run (no pickle)."""

from __future__ import annotations

import logging
import math
import tokenize
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bitwright.data.dataset import DataError
from bitwright.data.picture import Form, pixels
from bitwright.data.precision import check_precision
from bitwright.data.samples import DAMAGED, MISSING, REAL_LIMIT, Samples, check_size, told
from bitwright.data.source import Source

__all__ = ["NAMES", "gaps", "labelled", "numbers", "read_arrays", "samples_of", "texts",
           "told_apart"]

logger = logging.getLogger(__name__)

NAMES = {
    "features": ("features", "x", "X", "x_train", "X_train", "train_images"),
    "labels": ("labels", "y", "y_train", "train_labels"),
    "x_test": ("x_test", "X_test", "test_images"),
    "y_test": ("y_test", "test_labels"),
    "groups": ("groups",),
    "columns": ("columns",),
    "classes": ("classes",),
}
"""Arrays that are read, under the names that they may have. Others are not looked at."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of a file, by the first of their :data:`NAMES`; that of a .npy file is ``features``.

    Raises
    ------
    DataError
        If it is no such file, is damaged, or an array is one of objects.
    """
    if path.suffix.lower() == ".npy":
        with path.open("rb") as file:
            return {"features": _array(f"{path}", file, path.stat().st_size)}
    found: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            for name, known in NAMES.items():
                there = [other for other in known if other in infos]
                if len(there) > 1:
                    raise DataError(f"{path}: must have one array of the {name}, not both "
                                    f"{there[0]!r} and {there[1]!r}")
                for other in there:
                    with archive.open(infos[other]) as file:
                        found[name] = _array(f"{path}, array {other!r}", file,
                                             infos[other].file_size)
    except (*DAMAGED, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.filename:
            raise  # the file cannot be read; bz2 raises one, too, which names none
        raise DataError(f"{path}: not a whole .npz file ({told(error)})") from error
    if "features" not in found:
        raise DataError(f"{path}: must have an array of one of the names "
                        f"{', '.join(NAMES['features'])}, and has {_listed(infos)}")
    return found


def _listed(names: Mapping[str, Any]) -> str:
    shown = [name if name.isprintable() else ascii(name) for name in sorted(names)[:5]]
    return ", ".join(shown) + (", ..." if len(names) > 5 else "") or "none"


def _array(place: str, file: IO[bytes], size: int) -> NDArray[Any]:
    """One array, once its header promises no more than there is."""
    try:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version[0]}.{version[1]}")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if dtype.hasobject:
            raise DataError(f"{place}: must be an array of numbers or text, not of Python objects")
        if dtype.itemsize == 0 or min(shape, default=1) < 0:
            raise ValueError(f"shape {shape} of {dtype}")
        count = math.prod(shape)
        check_size(place, "an array", count * dtype.itemsize)
        if count * dtype.itemsize > size:
            raise ValueError(f"shape {shape} of {dtype} needs more than its {size} bytes")
        content = file.read(count * dtype.itemsize)
        if len(content) != count * dtype.itemsize or file.read(1):
            raise ValueError(f"shape {shape} of {dtype} does not fit its {size} bytes")
        array = np.frombuffer(content, dtype)
        return array.reshape(shape, order="F" if fortran else "C")
    except DataError:
        raise
    except (ValueError, TypeError, SyntaxError, OverflowError, EOFError, RecursionError,
            tokenize.TokenError) as error:
        raise DataError(f"{place}: not an array ({told(error)})") from error


def labelled(path: Path, source: Source) -> tuple[Samples, Samples | None]:
    """Samples with labels: the training part, and the test part where there is one.

    Raises
    ------
    DataError
        If the arrays are not as they must be.
    """
    arrays = read_arrays(path)
    for one, other in (("features", "labels"), ("labels", "features"), ("x_test", "y_test"),
                       ("y_test", "x_test")):
        if one in arrays and other not in arrays:
            raise DataError(f"{path}: must have an array of one of the names "
                            f"{', '.join(NAMES[other])} beside that of the {one}")
    train = samples_of(path, arrays, "features", "labels", source)
    if not train.pictures:
        told_apart(str(path), arrays["features"], train.columns, source)
    if "x_test" not in arrays:
        return train, None
    return train, samples_of(path, arrays, "x_test", "y_test", source)


def told_apart(path: str, values: NDArray[Any], columns: Sequence[str], source: Source) -> None:
    """See what binary32 makes of numbers of a wider type, shape (samples, ..., columns).

    Raises
    ------
    DataError
        See :func:`check_precision`.
    """
    if values.dtype.itemsize > 2 and values.dtype != np.float32:
        check_precision(path, values.reshape(-1, values.shape[-1]).astype(np.float64), columns,
                        source.bits)


def samples_of(path: Path, arrays: Mapping[str, NDArray[Any]], features: str, labels: str,
               source: Source, *, asked: bool = False) -> Samples:
    """Raw samples of arrays. Labels may be missing.

    Parameters
    ----------
    path : Path
    arrays : mapping
        As :func:`read_arrays` gives them.
    features, labels : str
    source : Source
    asked : bool
        Whether a network is asked about them, so that a label may be missing: it is empty then.

    Raises
    ------
    DataError
        If one is not as it must be. Names the array, its row and its column, both from 1.
    """
    values = arrays[features]
    place = f"{path}, {features}"
    rows = _rows(place, values)
    if not len(rows):
        raise DataError(f"{path}: holds no sample")
    keep = np.ones(len(rows), bool)
    if rows.dtype != np.uint8 or (rows.ndim == 3 and rows.shape[1] == 1):
        rows, keep = numbers(place, rows, source)
    names = [f"row {n + 1}" for n in np.flatnonzero(keep)]
    words = texts(path, arrays, labels, len(values), keep, asked=asked)
    if words is not None and "classes" in arrays:
        if arrays[labels].dtype.kind not in "iu":
            raise DataError(f"{path}: {labels} must be integers that count the names of classes, "
                            f"not {arrays[labels].dtype}")
        words = _named(path, words, _words(path, arrays["classes"], "classes"), names)
    groups = texts(path, arrays, "groups", len(values), keep) if features == "features" else None
    columns = _words(path, arrays["columns"], "columns") if "columns" in arrays else []
    if columns and (rows.dtype == np.uint8 or len(columns) != rows.shape[-1]):
        raise DataError(f"{path}: columns must be {rows.shape[-1]} names, one a column of the "
                        f"{features}, not {len(columns)}")
    rows = rows[keep]
    if rows.dtype == np.uint8:
        rows = _brought(rows, Form.of(source))
    return Samples(str(path), rows, words, names, tuple(columns), "label", groups, gaps(keep))


def gaps(keep: NDArray[np.bool_]) -> frozenset[int]:
    """Of the rows that are kept those before which others are not."""
    return frozenset(np.flatnonzero(np.diff(np.flatnonzero(keep), prepend=-1) > 1).tolist())


def _brought(rows: NDArray[np.uint8], form: Form) -> NDArray[np.uint8]:
    """Pictures in the form that is asked for."""
    coloured = rows.ndim == 4
    height, width = form.height or rows.shape[1], form.width or rows.shape[2]
    if (height, width) == rows.shape[1:3] and form.colour in (None, coloured):
        return rows
    from PIL import Image

    return np.stack([pixels(Image.fromarray(row), form) for row in rows])


def _rows(place: str, values: NDArray[Any]) -> NDArray[Any]:
    """Numbers as (samples, steps, columns), or bytes of pictures."""
    if values.dtype.kind not in "fiu":
        raise DataError(f"{place}: must be numbers, not {values.dtype}")
    if values.ndim == 4 and values.dtype == np.uint8 and values.shape[-1] in (1, 3):
        return values[..., 0] if values.shape[-1] == 1 else values
    if values.ndim == 2 and values.shape[1]:
        return values[:, None, :]
    if values.ndim == 3 and 0 not in values.shape[1:]:
        return values
    raise DataError(f"{place}: must have the shape (samples, columns), (samples, steps, columns), "
                    "or of bytes (samples, height, width) or (samples, height, width, 3), not "
                    f"{values.shape}")


def numbers(place: str, rows: NDArray[Any], source: Source,
            ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Rows as binary32, and which of them are kept.

    Parameters
    ----------
    place : str
        For messages.
    rows : array, shape (samples, steps, columns)
    source : Source
        What is done about a missing number, which is one that is not a number.

    Raises
    ------
    DataError
        If a number is infinite, or missing and must not be. Names row and column, both from 1.
    """
    lacks = np.isnan(rows) if rows.dtype.kind == "f" else np.zeros(rows.shape, bool)
    with np.errstate(over="ignore", invalid="ignore"):
        wrong = ~(np.abs(rows.astype(np.float64)) < REAL_LIMIT) & ~lacks
    rule = "must be a number that binary32 holds"
    if not wrong.any() and source.missing == "refuse":
        wrong, rule = lacks, ('must be a number (source.missing = "median" puts the median of its '
                              'column there, "drop" leaves the row out)')
    if wrong.any():
        row, step, column = (int(n) for n in np.argwhere(wrong)[0])
        where = f"row {row + 1}, column {column + 1}" + (f" of step {step + 1}"
                                                         if rows.shape[1] > 1 else "")
        raise DataError(f"{place}: {where} {rule}, not {rows[row, step, column]}")
    keep = np.ones(len(rows), bool)
    if source.missing == "drop":
        keep[lacks.any(axis=(1, 2))] = False
        if not keep.any():
            raise DataError(f"{place}: every row has a number missing")
        if not keep.all():
            logger.info("%s: %d of %d rows dropped: a value is missing", place, (~keep).sum(),
                        len(keep))
    return rows.astype(np.float32), keep


def texts(path: Path, arrays: Mapping[str, NDArray[Any]], name: str, count: int,
          keep: NDArray[np.bool_] | None = None, *, asked: bool = False) -> list[str] | None:
    """Text of the labels, one a sample, of an array that may not be there.

    Where a network is asked, one may be missing, and is empty then.

    Raises
    ------
    DataError
        If it has another shape, or holds anything but integers, finite numbers or text.
    """
    if name not in arrays:
        return None
    values: NDArray[Any] = arrays[name]
    if values.ndim == 2 and values.shape[1] == 1:
        values = values.ravel()
    if values.shape != (count,):
        raise DataError(f"{path}: {name} must have the shape ({count},), one a sample, not "
                        f"{values.shape}")
    kept = np.arange(count) if keep is None else np.flatnonzero(keep)
    if values.dtype.kind == "f":
        wrong = ~np.isfinite(values[kept]) & ~(asked & np.isnan(values[kept]))
        if wrong.any():
            row = int(kept[wrong][0])
            raise DataError(f"{path}, {name}: row {row + 1} must be a finite number, not "
                            f"{values[row]}")
    words = _words(path, values, name)
    found = [words[int(index)] for index in kept]
    return ["" if word.lower() in MISSING else word for word in found] if asked else found


def _words(path: Path, values: NDArray[Any], name: str) -> list[str]:
    if values.dtype.kind not in "iufbUS" or values.ndim != 1:
        raise DataError(f"{path}: {name} must be integers, numbers or text of one dimension, not "
                        f"{values.dtype} of {values.shape}")
    if values.dtype.kind == "S":
        try:
            return [value.decode() for value in values.tolist()]
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: {name} must be text in UTF-8") from error
    try:
        return [str(value) for value in values.tolist()]
    except ValueError as error:  # numbers that are no characters
        raise DataError(f"{path}: {name} must be text ({told(error)})") from error


def _named(path: Path, labels: Sequence[str], classes: Sequence[str],
           places: Sequence[str]) -> list[str]:
    """Names of classes for labels that count them from 0."""
    known = {str(index): name for index, name in enumerate(classes)}
    for place, label in zip(places, labels, strict=True):
        if label not in known:
            raise DataError(f"{path}: {place}: a label must be from 0 to {len(classes) - 1}, as "
                            f"classes has {len(classes)} names, not {label}")
    return [known[label] for label in labels]
