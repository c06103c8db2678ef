"""Data sets: fixed splits, idx files, and what is said when one is missing or damaged."""

import gzip
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bitwright import data
from bitwright.data import DataError, idx, places, stratified, tabular

FILES = idx.FILES


def idx_bytes(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def images(tmp_path, monkeypatch):
    """A folder of four small idx files, and no other place to look."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()
    for part, count in (("train", 30), ("t10k", 12)):
        pixels = rng.integers(0, 256, (count, 3, 4)).astype(np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(pixels)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    monkeypatch.setattr(places, "CACHE", tmp_path / "cache")
    monkeypatch.delenv(places.ENVIRONMENT, raising=False)
    return folder


def refused(message, name="mnist", data_dir=None):
    with pytest.raises(DataError, match=rf"^{re.escape(message)}$"):
        data.load(name, data_dir)


def test_digits():
    digits = data.load("digits")
    assert digits.features.shape == (1347, 64)
    assert digits.x_test.shape == (450, 64)
    assert (digits.features.min(), digits.features.max()) == (0, 16)
    assert (digits.bits, digits.full_scale, digits.shape) == (5, 16, (8, 8))
    assert digits.features.dtype == np.int32
    assert np.bincount(digits.y_test).min() >= 43
    # The split may never move: figures of all runs rest on it.
    assert digits.digest == data.load("digits").digest
    assert digits.digest.startswith("33714a7e")


def test_iris_is_what_was_measured():
    """No sample has a say in how another one is scaled."""
    from sklearn.datasets import load_iris

    iris, raw = data.load("iris"), load_iris()
    assert iris.features.shape == (114, 4)
    assert np.bincount(iris.y_test).tolist() == [12, 12, 12]
    both = np.concatenate([iris.features, iris.x_test])
    assert sorted(map(tuple, both / 10)) == sorted(map(tuple, raw.data))
    assert (iris.bits, iris.signed, iris.full_scale, iris.shape) == (7, False, 80, (4,))
    assert iris.classes == tuple(raw.target_names)


def test_what_scikit_learn_carries_is_read_without_it():
    code = ("import sys; from bitwright import data; data.load('digits'); data.load('iris')\n"
            "assert not {'sklearn', 'scipy', 'torch', 'bitwright.model'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    digits, raw = data.load("digits"), load_digits()
    both = np.concatenate([digits.features, digits.x_test])
    labels = np.concatenate([digits.labels, digits.y_test])
    assert (sorted(zip(map(tuple, both.tolist()), labels.tolist(), strict=True))
            == sorted(zip(map(tuple, raw.data.astype(int).tolist()), raw.target.tolist(),
                          strict=True)))


def test_a_file_that_scikit_learn_lost(monkeypatch, tmp_path):
    found = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(tabular, "find_spec", lambda name: found)
    refused(f"{tmp_path}/datasets/data/digits.csv.gz: cannot be read (No such file or directory)",
            "digits")
    monkeypatch.setattr(tabular, "find_spec", lambda name: None)
    refused("The data sets digits and iris come with the package scikit-learn, which is not "
            "installed; install it with `pip install 'bitwright[data]'`", "iris")


@pytest.mark.parametrize("seed", range(3))
def test_stratified_splits_every_class_alike(seed):
    labels = np.repeat([0, 1, 2], [40, 20, 100])
    first, second = stratified(labels, share=0.25, seed=seed)
    assert np.bincount(labels[second]).tolist() == [10, 5, 25]
    assert sorted([*first, *second]) == list(range(160))


def test_idx_files_plain_and_compressed(images):
    loaded = data.load("mnist", images)
    assert loaded.features.shape == (30, 12)
    assert loaded.x_test.shape == (12, 12)
    assert loaded.shape == (3, 4)
    assert loaded.labels.tolist() == [n % 10 for n in range(30)]
    raw = gzip.decompress((images / f"{FILES[0]}.gz").read_bytes())
    assert loaded.features[0, :4].tolist() == list(raw[16:20])


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist"])
def test_idx_folder_may_have_a_sub_folder_for_each_data_set(images, tmp_path, name):
    (tmp_path / "all").mkdir()
    images.rename(tmp_path / "all" / name)
    assert len(data.load(name, tmp_path / "all").classes) == 10


def test_idx_in_the_folder_of_the_environment_and_in_the_cache(images, tmp_path, monkeypatch):
    monkeypatch.setenv(places.ENVIRONMENT, str(images))
    assert data.load("kmnist").name == "kmnist"
    monkeypatch.delenv(places.ENVIRONMENT)
    (tmp_path / "cache").mkdir()
    images.rename(tmp_path / "cache" / "kmnist")
    assert data.load("kmnist").name == "kmnist"


def test_unknown_name():
    refused("Unknown data set 'fashion'; did you mean 'fashion-mnist'?", "fashion")
    refused("Unknown data set 'x'; known are digits, iris, mnist, fashion-mnist, kmnist, "
            "cifar10, cifar10-jpeg, jsc, openml:NUMBER, and files and folders", "x")


def test_no_network_names_the_folders(images, tmp_path, monkeypatch):
    import pooch

    def fail(*args, **kwargs):
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(pooch, "retrieve", fail)
    refused(f"Data set 'mnist' is not in {tmp_path}/x/mnist, {tmp_path}/x, "
            f"{tmp_path}/cache/mnist and cannot be downloaded from "
            "https://ossci-datasets.s3.amazonaws.com/mnist/ (no route to host)",
            "mnist", tmp_path / "x")


def test_downloaded_with_a_checksum(images, tmp_path, monkeypatch):
    import pooch

    calls = []

    def retrieve(url, known_hash, fname, path):
        calls.append((url, known_hash))
        source = images / fname if (images / fname).exists() else images / fname[:-3]
        path.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes()
        content = content if source.suffix == ".gz" else gzip.compress(content)
        (path / fname).write_bytes(content)
        return str(path / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert data.load("fashion-mnist").features.shape == (30, 12)
    assert len(calls) == 4
    assert calls[0] == (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
        "sha256:b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7")
    assert (tmp_path / "cache" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").is_file()


def test_kmnist_is_not_downloaded(images, tmp_path):
    refused("Data set 'kmnist' is not downloaded by itself: put its four idx files "
            f"(train-images-idx3-ubyte.gz, ...) into one of {tmp_path}/cache/kmnist", "kmnist")


def test_truncated_idx(images):
    path = images / FILES[1]
    path.write_bytes(path.read_bytes()[:-3])
    refused(f"{path}: an idx file of shape (30,) must hold 38 bytes, not 35", data_dir=images)


def test_truncated_header(images):
    path = images / FILES[1]
    path.write_bytes(path.read_bytes()[:6])
    refused(f"{path}: an idx file of shape (0,) must hold 8 bytes, not 6", data_dir=images)


def test_truncated_gzip(images):
    path = images / f"{FILES[0]}.gz"
    path.write_bytes(path.read_bytes()[:-30])
    refused(f"{path}: the compressed file is truncated", data_dir=images)


def test_not_gzip(images):
    path = images / f"{FILES[0]}.gz"
    path.write_bytes(b"<html>")
    refused(f"{path}: not a gzip file (Not a gzipped file (b'<h'))", data_dir=images)


def test_wrong_magic(images):
    path = images / FILES[3]
    path.write_bytes(b"\0\0\x0d\x01" + path.read_bytes()[4:])
    refused(f"{path}: an idx file of 1 dimensions must start with 00000801, not 00000d01",
            data_dir=images)


def test_empty_file(images):
    path = images / FILES[3]
    path.write_bytes(b"")
    refused(f"{path}: an idx file of 1 dimensions must start with 00000801, not nothing",
            data_dir=images)


def test_no_samples(images):
    path = images / FILES[3]
    path.write_bytes(idx_bytes(np.zeros(0, np.uint8)))
    refused(f"{path}: the file holds no samples", data_dir=images)


def test_labels_that_do_not_fit(images):
    path = images / FILES[1]
    path.write_bytes(idx_bytes(np.zeros(29, np.uint8)))
    refused(f"{path}: there must be 30 labels, one an image of {FILES[0]}.gz, not 29",
            data_dir=images)
    path.write_bytes(idx_bytes(np.full(30, 10, np.uint8)))
    refused(f"{path}: labels must be below 10, not 10", data_dir=images)


def test_test_images_of_another_size(images):
    path = images / f"{FILES[2]}.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros((12, 3, 5), np.uint8))))
    refused(f"{path}: images must be (3, 4) as those of {FILES[0]}.gz, not (3, 5)",
            data_dir=images)
