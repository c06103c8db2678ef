"""Image data sets as picture files, one folder a class."""

from __future__ import annotations

from pathlib import Path

from bitwright.data import decoded, folder, places
from bitwright.data.dataset import DataError, DataSet
from bitwright.data.picture import Form
from bitwright.data.prepare import prepare
from bitwright.data.source import Source

__all__ = ["cifar10_jpeg"]


def cifar10_jpeg(data_dir: Path | None = None) -> DataSet:
    """CIFAR-10 re-encoded as JPEG: 32 x 32 pixels of three colours, 50,000 and 10,000 samples.

    Figures on it are not those of CIFAR-10 itself. Never downloaded: the files must be there, or be
    made of those of CIFAR-10 by ``python -m bench.cifar10_jpeg``. A zip file is decoded once, see
    :func:`~bitwright.data.decoded.kept`.
    """
    return _load("cifar10-jpeg", data_dir, Source(colour="rgb"))


def _load(name: str, data_dir: Path | None, source: Source) -> DataSet:
    searched = [root / (name + end) for root in places.roots(data_dir) for end in ("", ".zip")]
    path = next((path for path in searched if path.is_dir() or path.is_file()), None)
    if path is None:
        raise DataError(f"Data set {name!r} is not downloaded by itself: put a folder or a zip "
                        "file of pictures, train/CLASS/NAME.jpg and test/CLASS/NAME.jpg, at one of "
                        f"{', '.join(map(str, searched))}")
    form = Form.of(source)
    train, test = decoded.kept(path, form, lambda: folder.labelled(path, form))
    if test is None:
        raise DataError(f"{path}: there must be pictures at test/CLASS/NAME, and there are none")
    return prepare(name, train, test, source)
