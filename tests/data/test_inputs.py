"""Samples for a network, and every way in which a file can hold something else."""

import re
from pathlib import Path

import numpy as np
import pytest

from bitwright import data, ir
from bitwright.data import DataError, Source

THRESHOLDS = np.array([[[-3], [0], [3], [5]]], np.int32)
ENTRIES = (ir.Entry("modulate", ir.Modulate(THRESHOLDS, 4, True), ("input",)),
           ir.Entry("head", ir.GroupSum(4, 2), ("modulate",)))
INTEGERS = ir.Network(ENTRIES)
WANTED = [[1, 2, -3, 4], [5, 6, 7, -8]]

NONE = np.zeros(0, np.float32)
HALVES = ir.Affine(1, 4, True, False, np.zeros(4, np.float32), np.full(4, 2, np.float32), NONE)


def raw_network(preparation=HALVES, columns=("a", "b", "c", "d"), **source):
    """One that takes halves, trained on a file that was read as a source says."""
    return ir.Network(ENTRIES, {"recipe": {"source": source}}, None, preparation,
                      names=ir.Names(("no", "yes"), columns))


def written(folder, content, name="x.csv"):
    path = folder / name
    if isinstance(content, np.ndarray):
        np.save(path, content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(message, path, network, **others):
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}{message}')}$"):
        data.read_inputs(path, network, **others)


@pytest.mark.parametrize("text", [
    "1,2,-3,4\n5,6,7,-8\n",
    "1,2,-3,4\r\n5,6,7,-8",
    "\n 1, 2,-3, 4 \n\n5,6,7,-8\n\n",
    "a,b,c,d\n1,2,-3,4\n5,6,7,-8\n",
    "\ufeff1,2,-3,4\n5,6,7,-8\n",
    "\ufeffa,b,c,d\n1,2,-3,4\n5,6,7,-8\n",
    "1;2;-3;4\n5;6;7;-8\n",
    "a;b, or more;c;d\n1;2;-3;4\n5;6;7;-8\n",
    "1\t2\t-3\t4\n5\t6\t7\t-8\n",
    "1.0,2,-3.,+4\n5,6.000,7,-8\n",
    '"a","b","c","d"\n"1","2","-3","4"\n5,6,7,-8\n',
])
def test_integers(tmp_path, text):
    path = written(tmp_path, text)
    inputs = data.read_inputs(path, INTEGERS)
    assert inputs.features.tolist() == WANTED
    assert inputs.features.dtype == np.int32
    assert (inputs.labels, inputs.raw) == (None, None)
    nameless = raw_network(columns=())
    assert data.read_inputs(path, nameless, integers=True).features.tolist() == WANTED


@pytest.mark.parametrize(("text", "labels"), [
    ("1,2,-3,4,1\n5,6,7,-8,0\n", ["1", "0"]), ("1,2,-3,4,x\n5,6,7,-8,\u00e4\n", None),
    ("a,b,c,d,class\n1,2,-3,4,1\n5,6,7,-8,x\n", ["1", "x"]),
])
def test_integers_with_a_label(tmp_path, text, labels):
    path = written(tmp_path, text)
    inputs = data.read_inputs(path, INTEGERS)
    assert (inputs.features.tolist(), inputs.labels) == (WANTED, labels)
    if labels == ["1", "0"]:
        assert inputs.targets(INTEGERS).tolist() == [1, 0]


def test_integers_by_name(tmp_path):
    path = written(tmp_path, "c,what,a,b,d\n-3,yes,1,2,4\n7,no,5,6,-8\n")
    inputs = data.read_inputs(path, raw_network(), integers=True)
    assert (inputs.features.tolist(), inputs.labels) == (WANTED, ["yes", "no"])
    assert inputs.targets(raw_network()).tolist() == [1, 0]
    path = written(tmp_path, "0,1,2,3\n1,2,-3,4\n", "numbered.csv")
    assert data.read_inputs(path, INTEGERS).features.tolist() == [[0, 1, 2, 3], WANTED[0]]
    refused(": column 'd' must be there once, not 0 times, among 'a', 'b', 'c', 'x'",
            written(tmp_path, "a,b,c,x\n1,2,3,4\n"), raw_network(), integers=True)


@pytest.mark.parametrize("dtype", [np.int8, np.int64])
def test_arrays_of_integers(tmp_path, dtype):
    array = np.array(WANTED, dtype)
    assert data.read_inputs(written(tmp_path, array, "x.npy"), INTEGERS).features.tolist() == WANTED
    both = {"x_test": array, "y_test": np.array([1, 0]), "features": array[:1], "labels": [1]}
    inputs = data.read_inputs(written(tmp_path, both, "x.npz"), INTEGERS)
    assert inputs.features.tolist() == WANTED
    assert inputs.places == ["row 1", "row 2"]
    assert inputs.targets(INTEGERS).tolist() == [1, 0]


@pytest.mark.parametrize(("text", "message"), [
    ("1,2,,4\n", ": line 1, column 3 is empty"),
    ("a,b,c,d\n1,2,,4\n", ": line 2, column 3 'c' is empty"),
    ("1,2,nan,4\n", ": line 1, column 3 must be an integer, not 'nan'"),
    ("1,2,3,4\n\n1,2,inf,4\n", ": line 3, column 3 must be an integer, not 'inf'"),
    ("1,2,3\n", (": a line must have 4 columns, the numbers of a row in their order, or one more "
                "for the label, not 3")),
    ("1,2,3,4\n1,2\n", ": line 2 must have 4 columns, not 2"),
    ("1,2,3,4\n1,2,3,4,5\n", ": line 2 must have 4 columns, not 5"),
    ("1,2,3,5\na,b,c,d\n", ": line 2, column 1 must be an integer, not 'a'"),
    ("a,b,c,d\na,b,c,d\n", ": line 2, column 1 'a' must be an integer, not 'a'"),
    ("1,x,3,4\n", ": line 1, column 2 must be an integer, not 'x'"),
    ("1,2.5,3,4\n", ": line 1, column 2 must be an integer, not '2.5'"),
    ("1,2.99999999999999999999,3,4\n",
     ": line 1, column 2 must be an integer, not '2.99999999999999999999'"),
    ("1,1e1,3,4\n", ": line 1, column 2 must be an integer, not '1e1'"),
    ("1,0x1,3,4\n", ": line 1, column 2 must be an integer, not '0x1'"),
    ("1,1_0,3,4\n", ": line 1, column 2 must be an integer, not '1_0'"),
    ("1,\u0663,3,4\n", ": line 1, column 2 must be an integer, not '\u0663'"),
    ("1;2,0;3;4\n", ": line 1, column 2 must be an integer, not '2,0'"),
    ("1,2,3,5\n1;2;3;4\n", ": line 2 must have 4 columns, not 1"),
    ("1,2,3,5\n1,8,3,4\n", ": line 2, column 2 must be between -8 and 7, not 8"),
    ("1,2,3,-9\n", ": line 1, column 4 must be between -8 and 7, not -9"),
    (f"1,2,3,{'9' * 40}\n", f": line 1, column 4 must be between -8 and 7, not {'9' * 40}"),
    (f"1,2,3,{'9' * 9999}\n", f": line 1, column 4 must be between -8 and 7, not {'9' * 60}..."),
    ("", ": holds no sample"), ("\n \n", ": holds no sample"), ("a,b,c,d\n", ": holds no sample"),
    (b"1,2,3,4\xff\n", ": must be text in UTF-8"),
    ("1,2,3,4\n".encode("utf-16"), ": must be text in UTF-8"),
])
def test_tables_of_something_else(tmp_path, text, message):
    refused(message, written(tmp_path, text), INTEGERS)


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((2, 3), int), (", features: must be integers of the shape (samples, 4), not int64 of "
                            "(2, 3)")),
    (np.zeros(4, int), ", features: must be integers of the shape (samples, 4), not int64 of (4,)"),
    (np.zeros((0, 4), int), ": holds no sample"),
    (np.zeros((2, 4)), (", features: must be integers of the shape (samples, 4), not float64 of "
                       "(2, 4)")),
    (np.zeros((2, 4), bool), (", features: must be integers of the shape (samples, 4), not bool of "
                             "(2, 4)")),
    (np.array([[0, 0, 0, 0], [0, 9, 0, 0]]),
     ", features: row 2, column 2 must be between -8 and 7, not 9"),
    (np.array([[0, 0, 0, 2**63]], np.uint64),
     ", features: row 1, column 4 must be between -8 and 7, not 9223372036854775808"),
])
def test_arrays_of_something_else(tmp_path, array, message):
    refused(message, written(tmp_path, array, "x.npy"), INTEGERS)


def test_files_of_another_kind(tmp_path):
    refused(": must be a file of .csv, .tsv, .txt, .data, .dat, .npy, .npz, with the integers that "
            "the network takes", written(tmp_path, b"1,2,3,4", "x.png"), INTEGERS)
    refused(": the network takes numbers; must be a file of .csv, .tsv, .txt, .data, .dat, .npy, "
            ".npz", written(tmp_path, b"1,2,3,4", "x.png"), raw_network())
    refused(": no such file or folder", tmp_path / "none.csv", INTEGERS)
    refused(": not an array (EOF: reading magic string, expected 8 bytes got 0)",
            written(tmp_path, b"", "x.npy"), INTEGERS)
    with (tmp_path / "y.npy").open("wb") as file:
        np.savez(file, a=np.zeros((1, 4), int))
    with pytest.raises(DataError, match=r"y\.npy: not an array \(the magic string is "):
        data.read_inputs(tmp_path / "y.npy", INTEGERS)


@pytest.mark.parametrize(("text", "labels"), [
    ("a,b,c,d\n.5,1,-1.5,2\n2.5,3,3.5,-4\n", None),
    ("d,what,c,b,a,when\n2,yes,-1.5,1,.5,1\n-4,no,3.5,3,2.5,2\n", None),
    ("d,c,b,a,what\n2,-1.5,1,.5,yes\n-4,3.5,3,2.5,no\n", ["yes", "no"]),
    (".5,1,-1.5,2\n2.5,3,3.5,-4\n", None),
    (".5,1,-1.5,2,yes\n2.5,3,3.5,-4,no\n", ["yes", "no"]),
])
def test_raw_values(tmp_path, text, labels):
    inputs = data.read_inputs(written(tmp_path, text), raw_network())
    assert inputs.features.tolist() == WANTED
    assert inputs.labels == labels
    assert inputs.raw.tolist() == [[[0.5, 1, -1.5, 2]], [[2.5, 3, 3.5, -4]]]
    if labels:
        assert inputs.targets(raw_network()).tolist() == [1, 0]


def test_a_label_where_it_was_in_training(tmp_path):
    named = raw_network(label="what")
    refused(": a line must have 4 columns, the numbers of a row in their order, or a header above "
            "them, as the label is found by its name 'what', not 5",
            written(tmp_path, ".5,1,-1.5,2,yes\n"), named)
    inputs = data.read_inputs(written(tmp_path, "what,d,c,b,a\nyes,2,-1.5,1,.5\n"), named)
    assert (inputs.features.tolist(), inputs.labels) == (WANTED[:1], ["yes"])
    first = raw_network(label="1", columns=())
    inputs = data.read_inputs(written(tmp_path, "yes,.5,1,-1.5,2\n"), first)
    assert (inputs.features.tolist(), inputs.labels) == (WANTED[:1], ["yes"])
    inputs = data.read_inputs(written(tmp_path, ".5,1,-1.5,2\n"), first)
    assert (inputs.features.tolist(), inputs.labels) == (WANTED[:1], None)


def test_raw_arrays(tmp_path):
    raw = np.array(WANTED) / 2
    for content, name in ((raw, "x.npy"), ({"x": raw.astype(np.float32)}, "x.npz"),
                          ({"x": raw[:, None].astype(">f8")}, "y.npz")):
        assert data.read_inputs(written(tmp_path, content, name),
                                raw_network()).features.tolist() == WANTED


@pytest.mark.parametrize(("text", "message"), [
    ("1,2,3\n", (": a line must have 4 columns, the numbers of a row in their order, or one more "
                "for the label, not 3")),
    ("1,2,3,4,5,6\n", (": a line must have 4 columns, the numbers of a row in their order, or one "
                      "more for the label, not 6")),
    ("a,b,c,x\n1,2,3,4\n", (": column 'd' must be there once, not 0 times, among 'a', 'b', 'c', "
                           "'x'")),
    ("a,b,c,d,d\n1,2,3,4,5\n", (": column 'd' must be there once, not 2 times, among 'a', 'b', "
                               "'c', 'd', 'd'")),
    ("# by x\na,b,c,d\n1,2,3,4\n", (": column 'a' must be there once, not 0 times, among '# by x'; "
     "line 1 begins with #, and a table has no comments: take it out")),
    ("a,b,c,d\n1,2,,4\n", ": line 2, column 3 'c' is empty"),
    ("1,2,nan,4\n", ": line 1, column 3 is missing: 'nan'"),
    ("1,2,x,4\n", ": line 1, column 3 must be a number, not 'x'"),
])
def test_raw_tables_of_something_else(tmp_path, text, message):
    refused(message, written(tmp_path, text), raw_network())


def test_holes(tmp_path):
    """What the network says is done about them, whatever the source says."""
    path = written(tmp_path, "a,b,c,d\n.5,?,-1.5,2\n2.5,3,3.5,-4\n")
    fill = np.array([9, 1, 9, 9], np.float32)
    fills = ir.Affine(1, 4, True, True, HALVES.offset, HALVES.scale, fill)
    for source in ({}, {"missing": "median"}):
        found = data.read_inputs(path, raw_network(fills, **source))
        assert found.features.tolist() == WANTED
    refused(": line 2, column 2 'b' is missing: '?'", path, raw_network(missing="median"))
    found = data.read_inputs(path, raw_network(missing="drop"))
    assert (found.features.tolist(), found.places) == (WANTED[1:], ["line 3"])
    array = written(tmp_path, np.array([[0.5, np.nan, -1.5, 2]]), "x.npy")
    assert data.read_inputs(array, raw_network(fills)).features.tolist() == WANTED[:1]


def test_labels_to_compare_with(tmp_path):
    inputs = data.read_inputs(written(tmp_path, "1,2,3,0,yes\n1,2,3,0,maybe\n"), raw_network())
    with pytest.raises(DataError, match=r"x\.csv: line 2: label 'maybe' must be a class that was "
                                        r"trained: 'no', 'yes'$"):
        inputs.targets(raw_network())
    inputs = data.read_inputs(written(tmp_path, "1,2,3,0\n"), raw_network())
    with pytest.raises(DataError, match=r"x\.csv: must have labels to compare with$"):
        inputs.targets(raw_network())


@pytest.mark.parametrize("missing", ["refuse", "drop", "median"])
def test_some_labels_or_none(tmp_path, missing):
    """Whoever asks need not know the answer."""
    text = "a,b,c,d,what\n.5,1,-1.5,2,yes\n2.5,3,3.5,-4,\n.5,1,-1.5,2,?\n"
    path = written(tmp_path, text)
    named = raw_network(label="what", missing=missing)
    found = data.read_inputs(path, named)
    assert (found.features.tolist(), found.labels) == ([*WANTED, WANTED[0]], ["yes", "", ""])
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: line 3: must have a label to "
                                        "compare with$"):
        found.targets(named)
    path = written(tmp_path, text.replace("yes", "NA"))
    assert data.read_inputs(path, named).labels is None
    raw = np.array([*WANTED, WANTED[0]]) / 2
    for labels in (np.array(["yes", "", "nan"]), np.array([1, np.nan, np.nan])):
        path = written(tmp_path, {"x": raw, "y": labels}, "x.npz")
        found = data.read_inputs(path, raw_network())
        assert found.labels in (["yes", "", ""], None)  # 1.0 is no class
        assert len(found) == 3
    for text in ("1,2,-3,4,1\n5,6,7,-8,\n", "1,2,-3,4,1.0\n5,6,7,-8,\n"):
        assert data.read_inputs(written(tmp_path, text), INTEGERS).labels == ["1", ""]
    path = written(tmp_path, {"x": np.array(WANTED), "y": np.array([0, np.nan])}, "x.npz")
    assert data.read_inputs(path, INTEGERS).labels == ["0", ""]


def test_windows_of_rows_of_which_some_have_a_label(tmp_path):
    steps = ir.Affine(2, 4, True, False, np.zeros(2, np.float32), np.ones(2, np.float32), NONE)
    network = raw_network(steps, ("a", "b"), window=2, label="what")
    path = written(tmp_path, "a,b,what\n1,2,\n3,4,yes\n5,6,\n7,0,\n")
    assert data.read_inputs(path, network).labels == ["yes", "yes", ""]


def test_windows(tmp_path):
    """Two rows of two columns; three samples of four rows, none over the end of a recording."""
    steps = ir.Affine(2, 4, True, False, np.zeros(2, np.float32), np.ones(2, np.float32), NONE)
    network = raw_network(steps, ("a", "b"), window=2, step=1, group="run")
    path = written(tmp_path, "run,a,b\n1,1,2\n1,3,4\n1,5,6\n2,7,0\n")
    inputs = data.read_inputs(path, network)
    assert inputs.features.tolist() == [[1, 2, 3, 4], [3, 4, 5, 6]]
    assert inputs.places == ["line 3", "line 4"]
    inputs = data.read_inputs(written(tmp_path, "a,b\n1,2\n3,4\n5,6\n7,0\n"), network)
    assert len(inputs) == 3
    array = np.arange(8).reshape(2, 2, 2) - 4.0
    assert data.read_inputs(written(tmp_path, array, "x.npy"),
                            network).features.tolist() == (array.reshape(2, 4)).tolist()
    refused(": no recording has the 2 rows of a window; there are 1 rows in 1",
            written(tmp_path, "a,b\n1,2\n"), network)
    refused(": a sample must have the shape (2, 2), not (3, 2)",
            written(tmp_path, np.zeros((1, 3, 2)), "x.npy"), network)


def test_the_record_of_another_program():
    """A provenance may say anything."""
    for recipe in (None, 5, {"source": 5}, {"source": {}}):
        assert data.own.recorded_source({"recipe": recipe}) == Source()
    with pytest.raises(DataError, match=r"^The network's provenance: recipe\.source is not usable "
                                        r"\(bits must be between 1 and 16, not 99\)$"):
        data.own.recorded_source({"recipe": {"source": {"bits": 99, "unknown": 3}}})
    with pytest.raises(DataError, match=r"^The network's file names no data set$"):
        data.recorded({})


def trained_on(tmp_path, text, **source):
    """A network for the data set of a table, with its source in the provenance."""
    path = tmp_path / "train.csv"
    path.write_text(text, encoding="utf-8")
    found = data.load("train.csv", tmp_path, Source(**source))
    count = found.features.shape[1]
    thresholds = np.ones((1, count, 2), np.int32)
    entries = (ir.Entry("m", ir.Modulate(thresholds, found.bits), ("input",)),
               ir.Entry("head", ir.GroupSum(2 * count, 2), ("m",)))
    return ir.Network(entries, {"recipe": {"source": source}}, None, found.preparation,
                      names=found.names)


TABLE = "id,a,b,y\n" + "".join(f"{n},{n % 7},{n % 5},{'no' if n % 2 else 'yes'}\n"
                               for n in range(40))


def test_what_was_left_out_is_not_guessed(tmp_path):
    network = trained_on(tmp_path, TABLE, ignore="id")
    path = tmp_path / "new.csv"
    path.write_text("1000,5,3\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: a line must have 2 columns, "
                       "the numbers of a row in their order, or a header above them, as columns "
                       "were left out in training, not 3$"):
        data.read_inputs(path, network)
    path.write_text("5,3\n", encoding="utf-8")
    assert data.read_inputs(path, network).raw.tolist() == [[[5, 3]]]


@pytest.mark.parametrize("how", ["1", "id"])
def test_what_is_left_out_by_number_is_no_label(tmp_path, how):
    network = trained_on(tmp_path, TABLE, ignore=how)
    assert data.read_inputs(tmp_path / "train.csv", network).labels[:3] == ["yes", "no", "yes"]


def test_numbers_for_a_network_of_pictures(tmp_path):
    path = tmp_path / "f.npy"
    np.save(path, np.zeros((5, 8, 8)))
    network = ir.load(Path(__file__).parents[2] / "zoo" / "digits.safetensors")
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: the network takes pictures; "
                       r"must be bytes \(uint8\), not float32$"):
        data.read_inputs(path, network)
