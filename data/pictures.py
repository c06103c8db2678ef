"""Image data sets as picture files, one folder a class."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import places
from bitwright.data.dataset import DataError, DataSet

__all__ = ["cifar10_jpeg"]

SUFFIXES = (".jpg", ".jpeg", ".png")

_Files = list[tuple[str, Callable[[], bytes]]]
"""Path of a picture within its data set, ``.../train/CLASS/NAME.jpg``, and how to read it."""


def cifar10_jpeg(data_dir: Path | None = None) -> DataSet:
    """CIFAR-10 re-encoded as JPEG: 32 x 32 pixels of three colours, 50,000 and 10,000 samples.

    Figures on it are not those of CIFAR-10 itself. Never downloaded: the files must be there.
    """
    return _load("cifar10-jpeg", data_dir)


def _load(name: str, data_dir: Path | None) -> DataSet:
    searched = [root / (name + end) for root in places.roots(data_dir) for end in ("", ".zip")]
    for path in searched:
        if path.is_dir():
            return _read(name, path, _folder(path))
        if path.is_file():
            try:
                with zipfile.ZipFile(path) as archive:
                    return _read(name, path, _members(archive))
            except zipfile.BadZipFile as error:
                raise DataError(f"{path}: not a whole zip file ({error})") from error
    raise DataError(f"Data set {name!r} is not downloaded by itself: put a folder or a zip file of "
                    "pictures, train/CLASS/NAME.jpg and test/CLASS/NAME.jpg, at one of "
                    f"{', '.join(map(str, searched))}")


def _folder(root: Path) -> _Files:
    return [(path.relative_to(root).as_posix(), path.read_bytes)
            for path in sorted(root.rglob("*")) if path.suffix.lower() in SUFFIXES]


def _members(archive: zipfile.ZipFile) -> _Files:
    return [(name, lambda name=name: archive.read(name))  # type: ignore[misc]
            for name in sorted(archive.namelist()) if name.lower().endswith(SUFFIXES)]


def _read(name: str, path: Path, files: _Files) -> DataSet:
    parts = {part: [entry for entry in files if Path(entry[0]).parts[-3:-2] == (part,)]
             for part in ("train", "test")}
    for part, entries in parts.items():
        if not entries:
            raise DataError(f"{path}: there must be pictures at {part}/CLASS/NAME.jpg, and there "
                            "are none")
    classes = sorted({Path(entry).parts[-2] for entry, _ in parts["train"]})
    shape: tuple[int, ...] | None = None
    features: list[NDArray[np.int32]] = []
    labels: list[NDArray[np.int64]] = []
    for part, entries in parts.items():
        pixels, indices = [], []
        for entry, image in _decoded(path, part, entries):
            shape = shape or image.shape
            if image.shape != shape:
                raise DataError(f"{path}: {entry} must have shape {shape} as the others, "
                                f"not {image.shape}")
            label = Path(entry).parts[-2]
            if label not in classes:
                raise DataError(f"{path}: {entry} is of a class that train/ lacks")
            pixels.append(image.reshape(-1))
            indices.append(classes.index(label))
        features.append(np.stack(pixels).astype(np.int32))
        labels.append(np.array(indices, np.int64))
    assert shape is not None
    return DataSet(name, features[0], labels[0], features[1], labels[1], bits=8, signed=False,
                   full_scale=255, shape=shape, classes=tuple(classes),
                   preparation=ir.Picture(shape[0], shape[1], True, False, 255))


def _decoded(path: Path, part: str, entries: _Files) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    from PIL import Image, UnidentifiedImageError
    from tqdm import tqdm

    for entry, read in tqdm(entries, desc=f"{path.name}, {part}", unit=" pictures", leave=False):
        try:
            with Image.open(io.BytesIO(read())) as image:
                yield entry, np.asarray(image.convert("RGB"))
        except (OSError, UnidentifiedImageError, zipfile.BadZipFile) as error:
            raise DataError(f"{path}: {entry} is no readable picture ({error})") from error
