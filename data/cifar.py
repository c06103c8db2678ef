"""CIFAR-10 from the files of its authors: the binary version, or that for Python."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import places
from bitwright.data.dataset import DataError, DataSet
from bitwright.data.plain_pickle import PickleError, read_pickle
from bitwright.data.samples import check_size, told

__all__ = ["CLASSES", "cifar10"]

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""In the order of the labels."""

SIDE = 32
"""Pixels of a side."""

BATCHES = 5
"""Files of the training part."""

MAX_BATCH = 1 << 28
"""Bytes of a file."""

# The checksum is that which https://www.cs.toronto.edu/~kriz/cifar.html states.
_ADDRESS = "https://www.cs.toronto.edu/~kriz/"
_CHECKSUM = "md5:c32a1d4ab5d03f1284b67883e8d87530"

_VERSIONS = (("cifar-10-batches-bin", "cifar-10-binary.tar.gz", ".bin"),
             ("cifar-10-batches-py", "cifar-10-python.tar.gz", ""))
"""Folder, archive that holds it, and suffix of the files of each version."""

_Version = tuple[str, str, str]

_Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Pixels, shape (pictures, 3072), in the order of the file, and labels."""


def cifar10(data_dir: Path | None = None) -> DataSet:
    """Small pictures of ten kinds of things: 32 x 32 pixels of three colours, 50,000 and 10,000.

    Read from a folder or the archive of either version, of which the binary one is downloaded if
    there is none.
    """
    path, (member, _, suffix) = _find(data_dir)
    names = [*(f"data_batch_{number + 1}{suffix}" for number in range(BATCHES)),
             f"test_batch{suffix}"]
    read = _of_archive(path, member, names) if path.is_file() else _of_folder(path)
    decode = _binary if suffix else _python
    batches = [decode(f"{path}: {name}", read(name)) for name in names]
    pixels, labels = (np.concatenate(parts) for parts in zip(*batches[:-1], strict=True))
    x_test, y_test = batches[-1]
    return DataSet("cifar10", _rows(pixels), labels.astype(np.int64), _rows(x_test),
                   y_test.astype(np.int64), bits=8, signed=False, full_scale=255,
                   shape=(SIDE, SIDE, 3), classes=CLASSES,
                   preparation=ir.Picture(SIDE, SIDE, True, False, 255))


def _find(data_dir: Path | None) -> tuple[Path, _Version]:
    """Folder or archive, and what it is; downloaded if there is none."""
    roots = places.roots(data_dir)
    folders = [folder for root in roots for folder in (root, root / "cifar10")]
    for folder in folders:
        for version in _VERSIONS:
            name, archive, _ = version
            if (folder / name).is_dir():
                return folder / name, version
            if (folder / archive).is_file():
                return folder / archive, version
    return (_download(roots[-1] / "cifar10", _VERSIONS[0][1], ", ".join(map(str, folders))),
            _VERSIONS[0])


def _download(folder: Path, archive: str, searched: str) -> Path:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(pooch.retrieve(_ADDRESS + archive, known_hash=_CHECKSUM, fname=archive,
                                   path=folder))
    except (OSError, ValueError) as error:  # no network, or a file of another checksum
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"Data set 'cifar10' is not in {searched} and cannot be downloaded from "
                        f"{_ADDRESS} ({reason}); put {archive} or {_VERSIONS[1][1]} there"
                        ) from error


def _of_folder(path: Path) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        try:
            check_size(path, name, (path / name).stat().st_size, MAX_BATCH)
            return (path / name).read_bytes()
        except OSError as error:
            raise DataError(f"{path / name}: cannot be read ({error.strerror or error})"
                            ) from error

    return read


def _of_archive(path: Path, member: str, names: list[str]) -> Callable[[str], bytes]:
    """Read the files of an archive in one pass. Nothing is written anywhere."""
    wanted = {f"{member}/{name}": name for name in names}
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r|gz") as archive:
            for entry in archive:
                file = archive.extractfile(entry) if entry.name in wanted else None
                if file is not None:
                    check_size(path, entry.name, entry.size, MAX_BATCH)
                    found[wanted[entry.name]] = file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: not a whole archive ({told(error)})") from error

    def read(name: str) -> bytes:
        if name not in found:
            raise DataError(f"{path}: must hold {member}/{name}, and does not")
        return found[name]

    return read


def _binary(place: str, content: bytes) -> _Batch:
    """A record is the label, then the pixels."""
    size = 1 + 3 * SIDE * SIDE
    if not content or len(content) % size:
        raise DataError(f"{place} must hold a multiple of {size} bytes, not {len(content)}")
    records = np.frombuffer(content, np.uint8).reshape(-1, size)
    return records[:, 1:], _checked(place, records[:, 0])


def _python(place: str, content: bytes) -> _Batch:
    """A dictionary with the arrays ``data`` and ``labels``."""
    try:
        batch = read_pickle(io.BytesIO(content))
    except PickleError as error:
        raise DataError(f"{place} cannot be read ({error}); the binary version, "
                        f"{_VERSIONS[0][1]}, holds the same pictures") from error
    pixels, labels = (batch.get(key) if isinstance(batch, dict) else None
                      for key in (b"data", b"labels"))
    width = 3 * SIDE * SIDE
    if (not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != width
            or not len(pixels) or not isinstance(labels, list) or len(labels) != len(pixels)
            or not all(type(label) is int and 0 <= label < 256 for label in labels)):
        raise DataError(f"{place} must hold rows of {width} pixels and a label for each, and does "
                        f"not; the binary version is {_VERSIONS[0][1]}")
    return pixels, _checked(place, np.array(labels, np.uint8))


def _checked(place: str, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if labels.max() >= len(CLASSES):
        raise DataError(f"{place}: labels must be below {len(CLASSES)}, not {labels.max()}")
    return labels


def _rows(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Pixels row by row, the colours of one side by side: in the files, a plane is a colour."""
    planes = pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return planes.reshape(len(pixels), -1).astype(np.int32)
