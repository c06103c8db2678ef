"""The sample that a request brings: a file's bytes, a typed row, or a golden vector."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import data, ir
from bitwright.errors import UserError

__all__ = ["RequestError", "Sample", "of_file", "of_golden", "of_text"]

_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


class RequestError(UserError):
    """What the page sent is no sample of the network. One line."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample, ready for the network.

    Parameters
    ----------
    features : array of integers, shape (1, features)
    place : str
        Which one it is of what was sent.
    row, count : int
        The same in numbers, from 0.
    label : str, optional
        What the file says it is.
    raw : array, optional
        What the preparation was given.
    """

    features: NDArray[np.integer[Any]]
    place: str
    row: int = 0
    count: int = 1
    label: str | None = None
    raw: NDArray[Any] | None = None


def of_file(network: ir.Network, content: bytes, name: str, row: int) -> Sample:
    """One sample of a file, read as every command reads it.

    Nothing of the name is opened: the bytes go to a file of our own, whose suffix alone is the
    sender's.

    Parameters
    ----------
    network : ir.Network
    content : bytes
    name : str
        Of the file, as the page's user knows it.
    row : int
        Which sample of the file, from 0.

    Raises
    ------
    UserError
        If it holds no such sample. One line, by the name.
    """
    suffix = Path(name).suffix.lower()
    if not _SUFFIX.fullmatch(suffix):
        raise RequestError(f"{name}: the name must end in what the file is, such as .png or .csv")
    return _read(network, content, suffix, name, row, None)


def of_text(network: ir.Network, content: bytes) -> Sample:
    """A row that was typed, its values in the order of the network, with commas between.

    Of windows, as many rows as a window has.

    Raises
    ------
    UserError
        If it is no sample. One line.
    """
    return _read(network, content, ".csv", "what was typed", 0,
                 data.Source(header="no", separator="comma"))


def _read(network: ir.Network, content: bytes, suffix: str, name: str, row: int,
          source: data.Source | None) -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"sample{suffix}")
        path.write_bytes(content)
        try:
            inputs = data.read_inputs(path, network, source)
        except (UserError, OSError) as error:
            text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise RequestError(_told(text, path, name)) from error
    count = len(inputs.features)
    if not 0 <= row < count:
        raise RequestError(f"{name}: must have a sample {row + 1}, not {count} samples")
    return Sample(inputs.features[row : row + 1], _told(inputs.places[row], path, name), row,
                  count, None if inputs.labels is None else inputs.labels[row] or None,
                  None if inputs.raw is None else inputs.raw[row])


def _told(text: str, path: Path, name: str) -> str:
    """The same text about the file as the sender knows it."""
    for own in (str(path), path.name):
        text = text.replace(own, name)
    return text


def of_golden(network: ir.Network, index: int) -> Sample:
    """One of the golden vectors in the frozen file.

    Raises
    ------
    RequestError
        If there is no such vector.
    """
    count = 0 if network.golden is None else len(network.golden.features)
    if network.golden is None or not 0 <= index < count:
        raise RequestError(f"golden vector must be one of {count}, not {index}")
    features = network.golden.features[index : index + 1]
    return Sample(features, f"golden vector {index}", index, count,
                  raw=_raw(network.preparation, features))


def _raw(preparation: ir.Preparation | None, features: NDArray[np.integer[Any]]
         ) -> NDArray[np.float32] | None:
    """Numbers, of few digits, that the preparation maps to these integers; None if none is found.

    A frozen file keeps the integers alone.
    """
    if not isinstance(preparation, ir.Numbers):
        return None
    q = features.reshape(preparation.shape)
    if isinstance(preparation, ir.Affine):
        exact = preparation.offset + q / preparation.scale
    elif isinstance(preparation, ir.Quantile):  # the least number of that rank
        below = preparation.edges[:, :1] - 1
        exact = np.take_along_axis(np.hstack([below, preparation.edges]), q.T, axis=1).T
    else:
        return None
    for digits in (3, 6, 9):
        raw = np.array([float(f"{value:.{digits}g}") for value in exact.reshape(-1).tolist()],
                       np.float32).reshape(1, *preparation.shape)
        if np.isfinite(raw).all() and (preparation.apply(raw) == features).all():
            return raw.reshape(preparation.shape)
    return None
