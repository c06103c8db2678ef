"""Data sets that do not fit the memory: folders of shards, of which a few are read at a time.

A shard is a ``.npy`` file of integers, shape (samples, n), that is mapped into memory while it is
read. What else there is to know of the set is in ``set.json``, and small: labels and test part are
arrays of their own.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bitwright import files
from bitwright.errors import UserError
from bitwright.integers import domain

__all__ = ["SET", "ShardError", "ShardWriter", "Shards", "described"]

SET = "set.json"
"""File by which a folder of shards is known. It is written last."""

BYTES = 64 << 20
"""Size of a shard, unless said."""

_FIELDS = ("bits", "signed", "full_scale", "shape", "classes", "answers")


class ShardError(UserError, ValueError):
    """A folder of shards cannot be used. The message names the file and what is wrong with it."""


class Shards:
    """Features that lie in files, in place of an array of shape (samples, n).

    Indices and slices of samples give arrays of int32, read from the files.

    Parameters
    ----------
    folder : Path
    counts : sequence of int
        Samples of each shard.
    features : int
        The n above.
    domain : (int, int)
        Least and largest value that there may be.
    digest : str
        Of all values.
    """

    ndim = 2
    dtype = np.dtype(np.int32)

    def __init__(self, folder: Path, counts: Sequence[int], features: int,
                 domain: tuple[int, int], digest: str) -> None:
        self.folder, self.domain, self.digest = folder, domain, digest
        self.bounds: NDArray[np.int64] = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self.shape = int(self.bounds[-1]), features

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: slice | NDArray[np.int64] | int) -> NDArray[np.int32]:
        if isinstance(which, slice):
            which = np.arange(*which.indices(len(self)))
        rows = np.atleast_1d(np.asarray(which, np.int64))
        found = np.empty((len(rows), self.shape[1]), np.int32)
        places = np.searchsorted(self.bounds, rows, side="right") - 1
        for shard in np.unique(places):
            mask = places == shard
            found[mask] = self.read(int(shard), rows[mask] - self.bounds[shard])
        return found[0] if np.ndim(which) == 0 else found

    def read(self, shard: int, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Rows of one shard, in the type that the file has.

        Raises
        ------
        ShardError
            If the file is not as it was written.
        """
        path = self.folder / _name(shard)
        count = int(self.bounds[shard + 1] - self.bounds[shard])
        try:
            mapped = np.load(path, mmap_mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise ShardError(f"{path}: cannot be read as a shard") from error
        if mapped.shape != (count, self.shape[1]) or mapped.dtype.kind not in "iu":
            raise ShardError(f"{path}: must be integers of the shape {(count, self.shape[1])}, not "
                             f"{mapped.dtype} of {mapped.shape}")
        found: NDArray[Any] = np.array(mapped[rows])
        if len(found) and not self.domain[0] <= found.min() <= found.max() <= self.domain[1]:
            raise ShardError(f"{path}: values must be from {self.domain[0]} to {self.domain[1]}, "
                             f"not from {found.min()} to {found.max()}")
        return found


def _name(shard: int) -> str:
    return f"features-{shard:05}.npy"


class ShardWriter:
    """Writes a data set that does not fit the memory, part after part.

    .. code-block:: python

        with data.ShardWriter(folder, shape=(32, 32, 3), classes=names) as writer:
            for features, labels in parts:
                writer.add(features, labels)
            writer.test(x_test, y_test)

    Parameters
    ----------
    folder : Path
        A new one, or an empty one.
    shape, classes, answers, bits, signed, full_scale
        As of a :class:`bitwright.data.DataSet`. Left out, features are bytes.
    size : int
        Bytes of a shard. Samples are shuffled within four of them, so that shards in which all
        samples are alike are no good.

    Raises
    ------
    ShardError
        If the folder holds something.
    """

    def __init__(self, folder: Path, *, shape: tuple[int, ...], classes: Sequence[str] = (),
                 answers: Sequence[str] = (), bits: int = 8, signed: bool = False,
                 full_scale: int = 255, size: int = BYTES) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise ShardError(f"{folder}: must be a new folder, or an empty one")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._about = folder, {
            "bits": bits, "signed": signed, "full_scale": full_scale, "shape": list(shape),
            "classes": list(classes), "answers": list(answers)}
        self._domain = domain(bits, signed)
        self._kind = np.min_scalar_type(self._domain[0] if signed else self._domain[1])
        self._features = math.prod(shape)
        self._size = max(1, size // (self._features * self._kind.itemsize))
        self._waiting: list[NDArray[Any]] = []
        self._counts: list[int] = []
        self._labels: list[NDArray[Any]] = []
        self._digest = hashlib.sha256()
        self._tested = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if error is None:
            self._close()

    def add(self, features: NDArray[Any], labels: NDArray[Any]) -> None:
        """Take samples of the training part.

        Parameters
        ----------
        features : array of integers, shape (samples, n)
        labels : array, shape (samples,)
            Numbers of classes, or numbers where there are ``answers``.

        Raises
        ------
        ShardError
            If a value is out of range, or there are other labels than samples.
        """
        self._check(features, labels)
        self._labels.append(np.asarray(labels))
        self._waiting.append(features.astype(self._kind))
        while sum(map(len, self._waiting)) >= self._size:
            self._write(self._size)

    def test(self, features: NDArray[Any], labels: NDArray[Any]) -> None:
        """Take the test part. It has to fit the memory. Raises as :meth:`add`."""
        self._check(features, labels)
        np.save(self._folder / "x_test.npy", features.astype(self._kind))
        np.save(self._folder / "y_test.npy", labels)
        self._tested = True

    def _check(self, features: NDArray[Any], labels: NDArray[Any]) -> None:
        if features.dtype.kind not in "iu" or features.shape != (len(labels), self._features):
            raise ShardError(f"{self._folder}: features must be integers of the shape "
                             f"{(len(labels), self._features)}, not {features.dtype} of "
                             f"{features.shape}")
        low, high = self._domain
        if len(features) and not low <= features.min() <= features.max() <= high:
            raise ShardError(f"{self._folder}: features must be from {low} to {high}, not from "
                             f"{features.min()} to {features.max()}")

    def _write(self, count: int) -> None:
        together = np.concatenate(self._waiting)
        self._waiting = [together[count:]] if len(together) > count else []
        shard = np.ascontiguousarray(together[:count])
        np.save(self._folder / _name(len(self._counts)), shard)
        self._digest.update(shard.tobytes())
        self._counts.append(count)

    def _close(self) -> None:
        left = sum(map(len, self._waiting))
        if left:
            self._write(left)
        if not self._counts or not self._tested:
            raise ShardError(f"{self._folder}: a set must have samples to train on, and a test "
                             "part")
        np.save(self._folder / "labels.npy", np.concatenate(self._labels))
        files.write_atomic(self._folder / SET, json.dumps(
            self._about | {"samples": self._counts, "digest": self._digest.hexdigest()}) + "\n")


def described(folder: Path) -> dict[str, Any]:
    """What a folder of shards says of itself, as arguments of a ``DataSet`` but for its name.

    Raises
    ------
    ShardError
        If a file is missing or damaged.
    """
    path = folder / SET
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        known = {name: about[name] for name in _FIELDS}
        counts, digest = [int(count) for count in about["samples"]], str(about["digest"])
        known |= {name: tuple(known[name]) for name in ("shape", "classes", "answers")}
        features = Shards(folder, counts, math.prod(known["shape"]),
                          domain(known["bits"], known["signed"]), digest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ShardError(f"{path}: cannot be read as a set of shards") from error
    small = {}
    for name in ("labels", "x_test", "y_test"):
        try:
            small[name] = np.load(folder / f"{name}.npy")
        except (OSError, ValueError, EOFError) as error:
            raise ShardError(f"{folder / name}.npy: cannot be read as an array") from error
    if len(small["labels"]) != len(features):
        raise ShardError(f"{folder}: there must be a label for each of the {len(features)} "
                         f"samples, not {len(small['labels'])}")
    return {**known, **small, "features": features}
