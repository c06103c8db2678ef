"""Image data sets in the idx format of MNIST (big-endian header, then bytes)."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import places
from bitwright.data.dataset import DataError, DataSet

__all__ = ["fashion_mnist", "kmnist", "mnist"]

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

# Addresses end in the file name and ".gz". The checksums are of those compressed files.
_MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", (
    "db8f937d487057fb14a9f0fbe97f0bc8d311ab41b750d41e1ff37c43b9e55e19",
    "51fc562b6747b666fbf6e84ce29d43c3cb5f9c388c664d43b33f02095313405a",
    "cfeddb84311ecf044fc6a5b0f6ee8a24d265d4e83e388400186eb114082f4209",
    "e41c74e484045d39b462a7790a4af51301bd9b0b24f0154798d713ec68c45920"))
_FASHION = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", (
    "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"))

_Origin = tuple[str, tuple[str, ...]]


def mnist(data_dir: Path | None = None) -> DataSet:
    """Handwritten digits of 28 x 28 pixels, 60,000 and 10,000 samples."""
    return _load("mnist", data_dir, _MNIST, tuple("0123456789"))


def fashion_mnist(data_dir: Path | None = None) -> DataSet:
    """Articles of clothing of 28 x 28 pixels, 60,000 and 10,000 samples."""
    return _load("fashion-mnist", data_dir, _FASHION, (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot"))


def kmnist(data_dir: Path | None = None) -> DataSet:
    """Cursive Japanese characters of 28 x 28 pixels. Never downloaded: files must be there."""
    return _load("kmnist", data_dir, None, ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re",
                                            "wo"))


def _load(name: str, data_dir: Path | None, origin: _Origin | None,
          classes: tuple[str, ...]) -> DataSet:
    x_path, y_path, x_test_path, y_test_path = _find(name, data_dir, origin)
    features, labels = _pair(x_path, y_path, len(classes))
    x_test, y_test = _pair(x_test_path, y_test_path, len(classes))
    if x_test.shape[1:] != features.shape[1:]:
        raise DataError(f"{x_test_path}: images must be {features.shape[1:]} as those of "
                        f"{x_path.name}, not {x_test.shape[1:]}")
    flat = (len(features), -1), (len(x_test), -1)
    height, width = features.shape[1:]
    return DataSet(name, features.reshape(flat[0]).astype(np.int32), labels,
                   x_test.reshape(flat[1]).astype(np.int32), y_test, bits=8, signed=False,
                   full_scale=255, shape=(height, width), classes=classes,
                   preparation=ir.Picture(height, width, False, False, 255))


def _find(name: str, data_dir: Path | None, origin: _Origin | None) -> list[Path]:
    """The four files, in the order of :data:`FILES`, from one folder; downloaded if need be."""
    roots = places.roots(data_dir)
    cache = roots[-1]
    # A folder of several data sets has one sub-folder each. The cache always has, and so has a
    # folder where the plain names could be another data set's.
    folders = [folder for root in roots for folder in (root / name, root)
               if folder != cache]
    for folder in folders:
        found = [_existing(folder, file) for file in FILES]
        if all(found):
            return [path for path in found if path is not None]
    searched = ", ".join(str(folder) for folder in folders)
    if origin is None:
        raise DataError(f"Data set {name!r} is not downloaded by itself: put its four idx files "
                        f"({FILES[0]}.gz, ...) into one of {searched}")
    return _download(name, cache / name, origin, searched)


def _existing(folder: Path, file: str) -> Path | None:
    for path in (folder / f"{file}.gz", folder / file):
        if path.is_file():
            return path
    return None


def _download(name: str, folder: Path, origin: _Origin, searched: str) -> list[Path]:
    import pooch

    base, checksums = origin
    pooch.get_logger().setLevel("WARNING")
    try:
        return [Path(pooch.retrieve(f"{base}{file}.gz", known_hash=f"sha256:{checksum}",
                                    fname=f"{file}.gz", path=folder))
                for file, checksum in zip(FILES, checksums, strict=True)]
    except (OSError, ValueError) as error:  # no network, or a file of another checksum
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"Data set {name!r} is not in {searched} and cannot be downloaded from "
                        f"{base} ({reason})") from error


def _pair(images: Path, labels: Path, classes: int,
          ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    x, y = _read(images, dimensions=3), _read(labels, dimensions=1)
    if len(x) != len(y):
        raise DataError(f"{labels}: there must be {len(x)} labels, one an image of {images.name}, "
                        f"not {len(y)}")
    if len(y) and y.max() >= classes:
        raise DataError(f"{labels}: labels must be below {classes}, not {y.max()}")
    return x, y.astype(np.int64)


def _read(path: Path, *, dimensions: int) -> NDArray[np.uint8]:
    """Read one idx file of bytes."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except EOFError as error:
        raise DataError(f"{path}: the compressed file is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: not a gzip file ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    magic = bytes((0, 0, 8, dimensions))  # 8: unsigned bytes
    if content[:4] != magic:
        raise DataError(f"{path}: an idx file of {dimensions} dimensions must start with "
                        f"{magic.hex()}, not {content[:4].hex() or 'nothing'}")
    head = 4 + 4 * dimensions
    sizes = np.frombuffer(content[4:head].ljust(4 * dimensions, b"\0"), ">u4").astype(np.int64)
    expected = head + int(np.prod(sizes))
    if len(content) != expected:
        raise DataError(f"{path}: an idx file of shape {tuple(sizes.tolist())} must hold "
                        f"{expected} bytes, not {len(content)}")
    if 0 in sizes:
        raise DataError(f"{path}: the file holds no samples")
    return np.frombuffer(content, np.uint8, offset=head).reshape(sizes)
