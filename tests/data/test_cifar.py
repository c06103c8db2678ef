"""CIFAR-10's own files, in both versions, and what is said of files that are not theirs."""

import contextlib
import functools
import io
import pickle
import re
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from bench import cifar10_jpeg
from bitwright import data
from bitwright.data import DataError, cifar, places
from bitwright.data.plain_pickle import PickleError, read_pickle

NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
COUNT = 4
LABELS = np.random.default_rng(1).integers(10, size=(6, COUNT)).astype(np.uint8)
# As people see pictures: rows, columns, colours. Smooth, as JPEG leaves those nearly as they are.
PIXELS = np.add.outer(np.arange(6 * COUNT), np.add.outer(np.add.outer(
    np.arange(32), 2 * np.arange(32)), 40 * np.arange(3))).astype(np.uint8).reshape(
        6, COUNT, 32, 32, 3) // 2


def planes(batch):
    return PIXELS[batch].transpose(0, 3, 1, 2).reshape(COUNT, -1)


def binary(batch):
    return np.hstack([LABELS[batch, :, None], planes(batch)]).tobytes()


class Old(pickle._Pickler):
    """Strings of bytes as Python 2 wrote them, which the files come from."""

    def save(self, value, save_persistent_id=True):
        if type(value) is bytes:
            self.write(b"T" + struct.pack("<i", len(value)) + value)
        else:
            super().save(value, save_persistent_id)


def pickled(value):
    buffer = io.BytesIO()
    Old(buffer, 2).dump(value)
    return buffer.getvalue()


def python(batch):
    return pickled({b"batch_label": b"some", b"labels": LABELS[batch].tolist(),
                    b"data": planes(batch), b"filenames": [b"a.png"] * COUNT})


VERSIONS = {"cifar-10-batches-bin": (".bin", binary), "cifar-10-batches-py": ("", python)}


@pytest.fixture(autouse=True)
def _nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "CACHE", tmp_path / "cache")
    monkeypatch.delenv(places.ENVIRONMENT, raising=False)


def made(root, version="cifar-10-batches-bin"):
    suffix, content = VERSIONS[version]
    folder = root / version
    folder.mkdir(parents=True)
    for batch, name in enumerate(NAMES):
        (folder / f"{name}{suffix}").write_bytes(content(batch))
    return folder


def check(source):
    assert (source.name, source.shape, source.bits, source.full_scale) == (
        "cifar10", (32, 32, 3), 8, 255)
    assert source.classes == ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog",
                              "horse", "ship", "truck")
    assert source.labels.tolist() == LABELS[:5].ravel().tolist()
    assert source.y_test.tolist() == LABELS[5].tolist()
    # Row by row, the three colours of a pixel side by side, as in every data set of pictures.
    assert source.features.tolist() == PIXELS[:5].reshape(5 * COUNT, -1).tolist()
    assert source.x_test.tolist() == PIXELS[5].reshape(COUNT, -1).tolist()


def refused(message, root):
    with pytest.raises(DataError, match=rf"^{re.escape(message)}$"):
        data.load("cifar10", root)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("below", ["", "cifar10"])
def test_folder(tmp_path, version, below):
    made(tmp_path / below, version)
    check(data.load("cifar10", tmp_path))


@pytest.mark.parametrize(("version", "name"), [
    ("cifar-10-batches-bin", "cifar-10-binary.tar.gz"),
    ("cifar-10-batches-py", "cifar-10-python.tar.gz")])
def test_archive(tmp_path, version, name):
    folder = made(tmp_path / "made", version)
    with tarfile.open(tmp_path / name, "w:gz") as archive:
        archive.add(folder, version)
    check(data.load("cifar10", tmp_path))


def test_archive_without_a_file(tmp_path):
    folder = made(tmp_path / "made")
    (folder / "data_batch_3.bin").unlink()
    path = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    refused(f"{path}: must hold cifar-10-batches-bin/data_batch_3.bin, and does not", tmp_path)


def test_no_archive(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    path.write_bytes(b"nonsense")
    refused(f"{path}: not a whole archive (not a gzip file)", tmp_path)


@pytest.mark.parametrize("size", [0, 3072])
def test_size_of_a_binary_file(tmp_path, size):
    folder = made(tmp_path)
    (folder / "data_batch_2.bin").write_bytes(bytes(size))
    refused(f"{folder}: data_batch_2.bin must hold a multiple of 3073 bytes, not {size}", tmp_path)


def test_label(tmp_path):
    folder = made(tmp_path)
    (folder / "test_batch.bin").write_bytes(b"\x0a" + bytes(3072))
    refused(f"{folder}: test_batch.bin: labels must be below 10, not 10", tmp_path)


def test_missing_file(tmp_path):
    folder = made(tmp_path)
    (folder / "data_batch_5.bin").unlink()
    refused(f"{folder / 'data_batch_5.bin'}: cannot be read (No such file or directory)", tmp_path)


def test_nothing_there(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "_ADDRESS", (tmp_path / "none").as_uri() + "/")
    with pytest.raises(DataError, match=(
            rf"^Data set 'cifar10' is not in {re.escape(str(tmp_path))}, .* and cannot be "
            rf"downloaded from file://.*/none/ \(.*\); put cifar-10-binary.tar.gz or "
            r"cifar-10-python.tar.gz there$")):
        data.load("cifar10", tmp_path)


class Planted:
    ran = False

    def __reduce__(self):
        return (exec, ("from tests.data import test_cifar; test_cifar.Planted.ran = True",))


def test_no_code_of_a_pickle_is_run(tmp_path):
    folder = made(tmp_path, "cifar-10-batches-py")
    (folder / "data_batch_1").write_bytes(pickled({b"data": Planted()}))
    refused(f"{folder}: data_batch_1 cannot be read (its pickle names __builtin__.exec, which is "
            "never called); the binary version, cifar-10-binary.tar.gz, holds the same pictures",
            tmp_path)
    assert not Planted.ran
    pickle.loads((folder / "data_batch_1").read_bytes())
    assert Planted.ran


@pytest.mark.parametrize("batch", [
    [], {b"data": [1], b"labels": [1]}, {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]},
    {b"data": np.zeros((1, 3000), np.uint8), b"labels": [1]},
    {b"data": np.zeros((1, 3072), np.uint8), b"labels": [1.0]},
    {b"data": np.zeros((0, 3072), np.uint8), b"labels": []}])
def test_pickle_of_something_else(tmp_path, batch):
    folder = made(tmp_path, "cifar-10-batches-py")
    (folder / "test_batch").write_bytes(pickled(batch))
    refused(f"{folder}: test_batch must hold rows of 3072 pixels and a label for each, and does "
            "not; the binary version is cifar-10-binary.tar.gz", tmp_path)


@pytest.mark.parametrize("write", [pickled, *(
    functools.partial(pickle.dumps, protocol=protocol) for protocol in (3, 4))])
def test_arrays_of_bytes(write):
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert read_pickle(io.BytesIO(write(array))).tolist() == array.tolist()


@pytest.mark.parametrize("array", [
    np.arange(4), np.zeros((2, 3), np.uint8).T, np.array([None]), np.zeros(2, "V1")])
def test_other_arrays(array):
    message = "its pickle holds an array that is not one of bytes, row by row"
    with pytest.raises(PickleError, match=f"^{message}$"):
        read_pickle(io.BytesIO(pickled(array)))


def test_damaged_pickles():
    """Each byte of a pickle altered, or what follows cut off: nothing else is ever raised."""
    rng = np.random.default_rng(2)
    content = pickled({b"data": np.zeros((2, 3), np.uint8), b"labels": [1, 2]})
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1 << rng.integers(8)
        for text in (bytes(altered), content[:place]):
            with contextlib.suppress(PickleError):
                read_pickle(io.BytesIO(text))


def test_a_pickle_takes_no_memory_of_its_choice():
    """It asks for a table of 2^31 entries."""
    assert read_pickle(io.BytesIO(b"\x80\x02]r\xff\xff\xff\x7f.")) == []


def test_jpeg_pictures_are_made_of_them(tmp_path, capsys):
    made(tmp_path)
    path = tmp_path / "cifar10-jpeg.zip"
    assert cifar10_jpeg.main(["--data-dir", str(tmp_path), "--out", str(path)]) == 0
    content = path.read_bytes()
    assert cifar10_jpeg.main(["--data-dir", str(tmp_path), "--out", str(path)]) == 0
    assert path.read_bytes() == content  # it says nothing of when it was made
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert len(names) == 6 * COUNT
    first = cifar.CLASSES[LABELS[5].min()]
    assert names[0] == f"cifar10-jpeg/test/{first}/0000.jpg"
    capsys.readouterr()
    assert cifar10_jpeg.main(["--data-dir", str(tmp_path), "--like", str(path)]) == 0
    assert capsys.readouterr().out == (
        "24 of 24 pictures have the header of quality 75, 4:2:0\n"
        "24 of 24 pictures are the same bytes\n")


def test_jpeg_pictures_are_the_same_pictures(tmp_path, monkeypatch):
    """In the order of the files, and nearly the same pixels."""
    monkeypatch.setattr("tests.data.test_cifar.LABELS", np.tile(np.arange(COUNT, dtype=np.uint8),
                                                                (6, 1)))
    made(tmp_path)
    assert cifar10_jpeg.main(["--data-dir", str(tmp_path), "--out",
                              str(tmp_path / "cifar10-jpeg.zip")]) == 0
    plain, coded = (data.load(name, tmp_path) for name in ("cifar10", "cifar10-jpeg"))
    order = np.argsort(plain.labels, kind="stable")
    assert coded.labels.tolist() == plain.labels[order].tolist()
    assert abs(coded.features - plain.features[order]).mean() < 8
    assert abs(coded.features - plain.features[order[::-1]]).mean() > 0


def test_like_tells_other_settings(tmp_path, monkeypatch, capsys):
    made(tmp_path)
    path = tmp_path / "other.zip"
    monkeypatch.setattr(cifar10_jpeg, "QUALITY", 80)
    assert cifar10_jpeg.main(["--data-dir", str(tmp_path), "--out", str(path)]) == 0
    monkeypatch.setattr(cifar10_jpeg, "QUALITY", 75)
    capsys.readouterr()
    assert cifar10_jpeg.main(["--like", str(path)]) == 0
    assert capsys.readouterr().out == "0 of 24 pictures have the header of quality 75, 4:2:0\n"
