"""Data sets of picture files: folders, zips, and what is said when one is missing or damaged."""

import io
import re
import zipfile

import numpy as np
import pytest

from bitwright import data
from bitwright.data import DataError, pictures, places

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 3)).astype(np.uint8)
FILES = {"train/cat/0.png": 0, "train/cat/1.png": 1, "train/ant/0.png": 2,
         "test/ant/0.png": 3, "test/cat/0.png": 4}


def png(pixels):
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def contents(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "CACHE", tmp_path / "cache")
    monkeypatch.delenv(places.ENVIRONMENT, raising=False)
    return {f"some/root/{name}": png(PIXELS[index]) for name, index in FILES.items()}


def zipped(path, contents):
    with zipfile.ZipFile(path / "cifar10-jpeg.zip", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def refused(message, folder):
    with pytest.raises(DataError, match=rf"^{re.escape(message)}$"):
        data.load("cifar10-jpeg", folder)


def check(source):
    assert source.classes == ("ant", "cat")
    assert source.shape == (2, 3, 3)
    assert source.labels.tolist() == [0, 1, 1]
    assert source.y_test.tolist() == [0, 1]
    # Row by row, the three colours of a pixel side by side.
    assert source.features.tolist() == [PIXELS[i].reshape(-1).tolist() for i in (2, 0, 1)]
    assert source.x_test.tolist() == [PIXELS[i].reshape(-1).tolist() for i in (3, 4)]


def test_zip(contents, tmp_path):
    check(data.load("cifar10-jpeg", zipped(tmp_path, contents)))


def test_folder(contents, tmp_path):
    for name, content in contents.items():
        file = tmp_path / "cifar10-jpeg" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    check(data.load("cifar10-jpeg", tmp_path))


def test_missing(contents, tmp_path):
    places_ = ", ".join(str(root / name) for root in (tmp_path, tmp_path / "cache")
                        for name in ("cifar10-jpeg", "cifar10-jpeg.zip"))
    refused("Data set 'cifar10-jpeg' is not downloaded by itself: put a folder or a zip file of "
            "pictures, train/CLASS/NAME.jpg and test/CLASS/NAME.jpg, at one of " + places_,
            tmp_path)


def test_no_zip(contents, tmp_path):
    path = tmp_path / "cifar10-jpeg.zip"
    path.write_bytes(b"PK nonsense")
    refused(f"{path}: not a whole zip file (File is not a zip file)", tmp_path)


def test_no_pictures_of_a_part(contents, tmp_path):
    zipped(tmp_path, {name: content for name, content in contents.items() if "test" not in name})
    refused(f"{tmp_path / 'cifar10-jpeg.zip'}: there must be pictures at test/CLASS/NAME, and "
            "there are none", tmp_path)


def test_other_shape(contents, tmp_path):
    contents["some/root/train/cat/1.png"] = png(PIXELS[1][:1])
    zipped(tmp_path, contents)
    refused(f"{tmp_path / 'cifar10-jpeg.zip'}: some/root/train/cat/1.png: must have "
            "3 x 2 pixels as some/root/train/ant/0.png has, not 3 x 1; source.height and "
            "source.width bring all to one size", tmp_path)


def test_unknown_class(contents, tmp_path):
    contents["some/root/test/dog/0.png"] = png(PIXELS[1])
    zipped(tmp_path, contents)
    refused(f"{tmp_path / 'cifar10-jpeg.zip'}: some/root/test/dog/0.png: label 'dog' must be a "
            "class that was trained: 'ant', 'cat'", tmp_path)


def test_damaged_picture(contents, tmp_path):
    contents["some/root/train/cat/1.png"] = b"no picture"
    zipped(tmp_path, contents)
    refused(f"{tmp_path / 'cifar10-jpeg.zip'}: some/root/train/cat/1.png: must be a picture (PNG, "
            "JPEG, BMP, GIF, WEBP, TIFF, PPM), and is none", tmp_path)


def test_colours_share_a_place():
    wiring = pytest.importorskip("bitwright.model.wiring")
    geometry = wiring.Geometry.of((2, 3, 3), depth=2)
    assert (geometry.width, geometry.depth, geometry.shape) == (36, 6, (2, 3))
    assert geometry.places[:6].tolist() == [geometry.places[0].tolist()] * 6


def test_a_zip_file_is_decoded_once(contents, tmp_path, monkeypatch):
    path = zipped(tmp_path, contents)
    first = data.load("cifar10-jpeg", path)

    def decode(*args):
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(pictures.folder, "labelled", decode)
        check(data.load("cifar10-jpeg", path))
        assert data.load("cifar10-jpeg", path).digest == first.digest
        contents["some/root/train/cat/0.png"] = png(255 - PIXELS[0])
        with pytest.raises(AssertionError):
            data.load("cifar10-jpeg", zipped(tmp_path, contents))
    assert data.load("cifar10-jpeg", path).digest != first.digest


def test_what_is_kept_is_made_anew_where_it_is_damaged(contents, tmp_path, caplog):
    path = zipped(tmp_path, contents)
    data.load("cifar10-jpeg", path)
    [entry] = (tmp_path / "cache" / "decoded").iterdir()
    whole = bytearray(entry.read_bytes())
    whole[whole.index(PIXELS[1].tobytes())] ^= 1  # a bit of a pixel
    for damaged in (bytes(whole), b"", b"nonsense"):
        entry.write_bytes(damaged)
        caplog.clear()
        check(data.load("cifar10-jpeg", path))
        [message] = caplog.messages
        assert re.fullmatch(rf"{re.escape(str(entry))}: decoded anew, as what was kept is damaged "
                            r"\(\w+\)", message)
        assert entry.read_bytes() != damaged


def test_nothing_is_kept_where_it_cannot_be(contents, tmp_path):
    (tmp_path / "cache").write_bytes(b"")
    check(data.load("cifar10-jpeg", zipped(tmp_path, contents)))
