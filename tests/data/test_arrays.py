"""NumPy's files: what they may hold, and what is refused. Nothing in them is run."""

import io
import pickle
import re
import zipfile

import numpy as np
import pytest

from bitwright import data
from bitwright.data import DataError, Source, arrays
from bitwright.data.own import read_labelled

X = np.arange(16, dtype=float).reshape(8, 2)
Y = np.array([0, 1] * 4)


def load(folder, source=None, **content):
    np.savez_compressed(folder / "x.npz", **content)
    return data.load(str(folder / "x.npz"), source=source)


@pytest.mark.parametrize("labels", [Y, Y.astype(np.uint8), Y[:, None], Y > 0, Y.astype(float),
                                    np.array(["b", "a"] * 4), np.array([b"b", b"a"] * 4)])
@pytest.mark.parametrize(("x", "y"), [("features", "labels"), ("x", "y"), ("X", "y"),
                                      ("x_train", "y_train"), ("train_images", "train_labels")])
def test_names_and_labels(tmp_path, x, y, labels):
    loaded = load(tmp_path, **{x: X, y: labels, "val_images": X})
    assert len(loaded.classes) == 2
    assert loaded.shape == (2,)
    assert sorted([*loaded.labels, *loaded.y_test]) == [0] * 4 + [1] * 4


def test_names_of_classes_columns_and_recordings(tmp_path):
    loaded = load(tmp_path, features=X, labels=Y, classes=np.array(["walk", "run"]),
                  columns=np.array(["u", "v"]), groups=np.repeat([3, 1, 4, 2], 2))
    assert (loaded.classes, loaded.columns) == (("run", "walk"), ("u", "v"))
    assert len(loaded.y_test) == 2  # one recording, both classes
    assert len(set(loaded.groups)) == 3


def test_parts(tmp_path):
    loaded = load(tmp_path, x_train=X, y_train=Y, x_test=X[:3], y_test=Y[:3])
    assert (len(loaded.labels), loaded.y_test.tolist()) == (8, [0, 1, 0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ">f8", np.int8, np.uint64, np.uint8])
def test_numbers(tmp_path, dtype):
    loaded = load(tmp_path, features=X.astype(dtype), labels=Y)
    assert loaded.preparation.scale.tolist() == load(tmp_path, features=X,
                                                     labels=Y).preparation.scale.tolist()


def test_windows_that_are_cut_already(tmp_path):
    loaded = load(tmp_path, features=np.arange(48.0).reshape(8, 3, 2), labels=Y)
    assert loaded.shape == (3, 2)
    assert loaded.preparation.shape == (3, 2)


def test_pictures(tmp_path):
    bytes_ = np.arange(8 * 12).reshape(8, 3, 4).astype(np.uint8)
    for array, shape in ((bytes_, (3, 4)), (bytes_[..., None], (3, 4)),
                         (np.repeat(bytes_[..., None], 3, axis=3), (3, 4, 3))):
        loaded = load(tmp_path, x=array, y=Y)
        assert loaded.shape == shape
        assert loaded.preparation.shape == shape
    assert load(tmp_path, Source(height=2, width=2, colour="rgb"), x=bytes_, y=Y).shape == (2, 2, 3)


def test_regression(tmp_path):
    loaded = load(tmp_path, Source(task="regression"), x=X, y=np.linspace(0, 1, 8, np.float32))
    assert loaded.answers == ("label",)
    assert sorted([*loaded.labels, *loaded.y_test])[1] == np.float32(np.linspace(0, 1, 8)[1])


HOLE = np.where(X == 5, np.nan, X)


def test_missing_numbers(tmp_path):
    dropped = load(tmp_path, Source(missing="drop"), x=HOLE, y=Y, groups=np.arange(8) // 2)
    assert len(dropped.labels) + len(dropped.y_test) == 7
    filled = load(tmp_path, Source(missing="median"), x=HOLE, y=Y)
    assert filled.preparation.fills


@pytest.mark.parametrize(("content", "message", "source"), [
    ({"z": X}, (": must have an array of one of the names features, x, X, x_train, X_train, "
     "train_images, and has z"), {}),
    ({"x": X}, (": must have an array of one of the names labels, y, y_train, train_labels beside "
     "that of the features"), {}),
    ({"x": X, "y": Y, "x_test": X}, (": must have an array of one of the names y_test, test_labels "
     "beside that of the x_test"), {}),
    ({"x": X, "X": X, "y": Y}, ": must have one array of the features, not both 'x' and 'X'", {}),
    ({"x": X, "y": Y[:3]}, ": labels must have the shape (8,), one a sample, not (3,)", {}),
    ({"x": X, "y": np.eye(8)}, ": labels must have the shape (8,), one a sample, not (8, 8)", {}),
    ({"x": X, "y": Y * 1j}, (": labels must be integers, numbers or text of one dimension, not "
     "complex128 of (8,)"), {}),
    ({"x": X, "y": np.where(Y, np.nan, 1.0)},
     ", labels: row 2 must be a finite number, not nan", {}),
    ({"x": X, "y": np.array([b"\xff"] * 8)}, ": labels must be text in UTF-8", {}),
    ({"x": X, "y": Y * 0}, ": every label is '0'; there must be two classes at least", {}),
    ({"x": X, "y": np.arange(8)}, (": row 1: class '0' has one sample, and must have two at least; "
     'numbers as labels need source.task = "regression"'), {}),
    ({"x": X[:0], "y": Y[:0]}, ": holds no sample", {}),
    ({"x": X > 3, "y": Y}, ", features: must be numbers, not bool", {}),
    ({"x": X.astype(str), "y": Y}, ", features: must be numbers, not <U32", {}),
    ({"x": X[:, 0], "y": Y},
     (", features: must have the shape (samples, columns), (samples, steps, "
     "columns), or of bytes (samples, height, width) or (samples, height, "
     "width, 3), not (8,)"), {}),
    ({"x": HOLE, "y": Y},
     (', features: row 3, column 2 must be a number (source.missing = "median" puts the '
      'median of its column there, "drop" leaves the row out), not nan'), {}),
    ({"x": np.where(X == 5, np.inf, X), "y": Y},
     ", features: row 3, column 2 must be a number that binary32 holds, not inf", {}),
    ({"x": np.where(X == 5, 1e39, X), "y": Y},
     ", features: row 3, column 2 must be a number that binary32 holds, not 1e+39", {}),
    ({"x": np.where(X == 5, -np.inf, X).reshape(4, 2, 2), "y": Y[:4]},
     ", features: row 2, column 2 of step 1 must be a number that binary32 holds, not -inf", {}),
    ({"x": X * np.nan, "y": Y}, ", features: every row has a number missing", {"missing": "drop"}),
    ({"x": X, "y": Y, "columns": np.array(["u"])},
     (": columns must be 2 names, one a column of the "
     "features, not 1"), {}),
    ({"x": X, "y": Y, "classes": np.array(["a"])}, (": row 2: a label must be from 0 to 0, as "
     "classes has 1 names, not 1"), {}),
    ({"x": X, "y": Y, "groups": np.zeros(8, int)},
     (": too few recordings (1) to set a share of 0.25 "
     "aside; source.test names a file of its own"),
     {}),
    ({"x": X.reshape(4, 2, 2), "y": Y[:4]},
     (": source.window and source.step must be 1, as samples "
     "are no rows of a table"), {"window": 2}),
])
def test_refusals(tmp_path, content, message, source):
    with pytest.raises(DataError, match=f"{re.escape('x.npz' + message)}$"):
        load(tmp_path, Source(**source), **content)


class Trap:
    def __reduce__(self):
        return pytest.fail, ("code of a file was run",)


def test_objects_are_not_unpacked(tmp_path):
    array = np.array([Trap(), 1], object)
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|O", "fortran_order": False,
                                                   "shape": (2,)})
    content.write(pickle.dumps(array))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", content.getvalue())
    with pytest.raises(DataError, match=r"x\.npz, array 'x': must be an array of numbers or text, "
                                        r"not of Python objects$"):
        data.load(str(tmp_path / "x.npz"))


def header(shape, descr="<f8", fortran="False"):
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(("content", "message"), [
    (header("(1 << 40,)"), "not an array ("),
    (header((1 << 40,)), "an array must have at most 2,147,483,648 bytes, not 8,796,093,022,208"),
    (header((100,)), "not an array (shape (100,) of float64 needs more than its 69 bytes)"),
    (header((1,)) + b"1234", "not an array (shape (1,) of float64 does not fit its "),
    (header((1,)) + b"0" * 9, "not an array (shape (1,) of float64 does not fit its "),
    (header((-1,)) + b"0" * 8, "not an array (shape (-1,) of float64)"),
    (header((1,), "|V0"), "not an array (shape (1,) of |V0)"),
    (b"\x93NUMPY\3\0" + header((1,))[8:] + b"0" * 8, "not an array (version 3.0)"),
    (b"PK\3\4", "not an array ("), (b"", "not an array ("),
])
def test_arrays_that_are_none(tmp_path, content, message):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(DataError, match=f"x.npz, array 'x': {re.escape(message)}"):
        data.load(str(tmp_path / "x.npz"))


def test_order_of_other_programs(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.asfortranarray(X), y=Y)
    assert arrays.read_arrays(tmp_path / "x.npz")["features"].tolist() == X.tolist()


def test_files_that_are_no_npz(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=r"x\.npz: not a whole \.npz file \(File is not a zip "):
        data.load(str(path))
    np.savez_compressed(path, x=X, y=Y)
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz"):
        data.load(str(path))


def test_no_window_goes_over_a_dropped_row(tmp_path):
    x = np.arange(20, dtype=float)[:, None]
    x[14] = np.nan
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(20) % 2)
    found, _ = read_labelled(tmp_path / "x.npz", Source(missing="drop", window=4))
    assert (np.diff(found.values[:, :, 0], axis=1) == 1).all()


def test_names_for_labels_that_are_no_integers(tmp_path):
    message = "labels must be integers that count the names of classes, not float64"
    with pytest.raises(DataError, match=f"^{re.escape(str(tmp_path / 'x.npz'))}: {message}$"):
        load(tmp_path, x=X, y=Y.astype(float), classes=np.array(["no", "yes"]))


def test_a_damaged_member_of_another_compression(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        buffer = io.BytesIO()
        np.save(buffer, np.random.default_rng(0).random((50, 4)))
        archive.writestr("x.npy", buffer.getvalue())
    content = bytearray(path.read_bytes())
    content[300:340] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}[:,].*$"):
        arrays.read_arrays(path)


def test_numbers_that_binary32_does_not_tell_apart(tmp_path):
    path = tmp_path / "x.npz"
    labels = np.arange(40) % 2
    for numbers in (1700000000 + np.arange(40), 2**40 + np.arange(40.0), np.arange(40) * 1e-60):
        np.savez(path, x=np.stack([np.arange(40), numbers], axis=1), y=labels)
        with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: column 2: 40 different "
                           "numbers are only 1 in binary32; subtract an offset from them, or "
                           "scale them$"):
            data.load(str(path))


def test_dropped_rows_are_counted(tmp_path, caplog):
    caplog.set_level("INFO")
    x = np.arange(20.0).reshape(10, 2)
    x[3, 1] = np.nan
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(10) % 2)
    data.load(str(tmp_path / "x.npz"), source=Source(missing="drop"))
    assert caplog.messages == [
        f"{tmp_path / 'x.npz'}, features: 1 of 10 rows dropped: a value is missing"]
