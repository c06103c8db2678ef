"""Everything that a table can get wrong is defined, or refused in one line with its place."""

import re

import numpy as np
import pytest

from bitwright import data, ir
from bitwright.data import DataError, Source, samples, table
from tests.data.test_own import network

GOOD = ["1,2,a", "3,4,b", "5,6,a", "7,8,b"]


def written(folder, text, name="x.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(folder, text, name="x.csv", **source):
    return data.load(str(written(folder, text, name)), source=Source(**source))


def everything(folder, text, name="x.csv", **source):
    """Raw values of all rows, in the order of the file."""
    return table.read_table(written(folder, text, name), Source(**source),
                            table.labelled(folder / name, Source(**source)))


@pytest.mark.parametrize("text", [
    "u,v,what\n" + "\n".join(GOOD), "\n".join(GOOD) + "\n", "\ufeffu,v,what\n" + "\n".join(GOOD),
    "u;v;what\n" + "\n".join(GOOD).replace(",", ";"), "\n".join(GOOD).replace(",", "\t"),
    "\r\n".join(GOOD) + "\r\n", "\r".join(GOOD), "\n\n" + "\n\n".join(GOOD) + "\n\n \n",
    '"u","v","a ; b"\n' + "\n".join(GOOD), "\n".join(GOOD).replace(",", " , "),
    "\n".join(GOOD).replace("1,2", "+1.,0.2e1").replace("8", '"8.0"'),
])
def test_forms_that_mean_the_same(tmp_path, text):
    found = everything(tmp_path, text)
    assert found.values[:, 0].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert list(found.labels) == ["a", "b", "a", "b"]


def test_columns_between_spaces(tmp_path):
    text = "\n".join(GOOD).replace(",", "   ")
    for source in ({}, {"separator": "space"}):
        found = everything(tmp_path, f"  {text}  \n", "x.txt", **source)
        assert found.values[:, 0].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]


def test_label_by_name_and_by_number(tmp_path):
    text = "what,u,v\na,1,2\nb,3,4\na,5,6\nb,7,8\n"
    for label in ("what", "1"):
        found = everything(tmp_path, text, label=label)
        assert found.columns == ("u", "v")
        assert found.label == "what"
        assert list(found.labels) == ["a", "b", "a", "b"]
    found = everything(tmp_path, text.replace("what,u,v\n", ""), label="1", ignore="3")
    assert found.values[:, 0].tolist() == [[1], [3], [5], [7]]


def test_classes_that_are_numbers_are_in_their_order(tmp_path):
    rows = [f"{n},{label}" for n, label in enumerate("10 9 2 10 9 2".split())]
    assert load(tmp_path, "u,v\n" + "\n".join(rows)).classes == ("2", "9", "10")
    assert load(tmp_path, "\n".join(rows), header="no").classes == ("2", "9", "10")


def test_a_constant_column_is_always_0(tmp_path):
    loaded = load(tmp_path, "u,v,w\n7,1,a\n7,2,b\n7,3,a\n7,4,b\n")
    assert loaded.features[:, 0].tolist() == [0, 0]
    assert (loaded.preparation.offset[0], loaded.preparation.scale[0]) == (7, 1)
    other = ir.Affine(1, 8, False, False, *(np.float32(x) for x in ([7, 0], [1, 1])),
                      np.zeros(0, np.float32))
    assert other.apply(np.array([[[8, 300]]])).tolist() == [[1, 255]]


def test_small_and_large_data_sets(tmp_path):
    rng = np.random.default_rng(0)
    two = load(tmp_path, "\n".join(f"{a},{b},{'ab'[n % 2]}"
                                   for n, (a, b) in enumerate(rng.normal(size=(9, 2)))))
    assert two.shape == (2,)
    rows = rng.integers(-30000, 30000, (8, 4096))
    wide = load(tmp_path, "\n".join(",".join([*map(str, row), "xy"[n % 2]])
                                    for n, row in enumerate(rows)))
    assert wide.shape == (4096,)
    assert wide.domain == (0, 255)
    many = load(tmp_path, "\n".join(f"{n},c{n % 300}" for n in range(900)))
    assert len(many.classes) == 300
    assert set(many.y_test) == set(range(300))
    assert set(many.labels) == set(range(300))


def test_a_range_of_16_bits_and_of_negative_numbers(tmp_path):
    text = "\n".join(f"{n},{-n},{'ab'[n % 2]}" for n in range(-32768, 32768, 4095))
    loaded = load(tmp_path, text, bits=16)
    assert (loaded.bits, loaded.full_scale) == (16, 65535)
    inputs = data.read_inputs(tmp_path / "x.csv", network(loaded))
    low, scale = loaded.preparation.offset[0], loaded.preparation.scale[0]
    wanted = [int(min(max(np.rint((np.float32(n) - low) * scale), 0), 65535))
              for n in range(-32768, 32768, 4095)]
    assert inputs.features[:, 0].tolist() == wanted


def test_numbers_of_binary32(tmp_path):
    found = everything(tmp_path, "0.1,a\n16777217,b\n1e-46,a\n3.4028235e38,b\n")
    most = np.float32(3.4028235e38)
    assert found.values[:, 0, 0].tolist() == [np.float32(0.1), 16777216, 0, most]
    everything(tmp_path, "3.40282356e38,a\n1,b\n")
    with pytest.raises(DataError):
        everything(tmp_path, "3.40282357e38,a\n1,b\n")


def test_quantile(tmp_path):
    text = "\n".join(f"{10.0 ** (n % 30)},{'ab'[n % 2]}" for n in range(300))
    loaded = load(tmp_path, text, quantiser="quantile", bits=3)
    counts = np.bincount(loaded.features[:, 0], minlength=8)
    assert (loaded.full_scale, loaded.bits) == (7, 3)
    assert counts.min() >= 20  # of 225: each rank gets about the same


HOLES = "u,v,what\n1,2,a\n?,4,b\n5,NA,a\n7,8,b\n9,nan,a\n11,12,b\n13,14,a\n,16,b\n"


def test_missing_numbers_are_dropped(tmp_path):
    found = everything(tmp_path, HOLES, missing="drop")
    assert found.values[:, 0].tolist() == [[1, 2], [7, 8], [11, 12], [13, 14]]
    assert found.places == ["line 2", "line 5", "line 7", "line 8"]
    assert found.breaks == {1, 2, 4}


def test_missing_numbers_become_the_median_of_the_training_part(tmp_path):
    loaded = load(tmp_path, HOLES, missing="median")
    taken = data.read_inputs(tmp_path / "x.csv", network(loaded))
    train = [index for index in range(8)
             if taken.features[index].tolist() in loaded.features.tolist()]
    column = np.array([1, np.nan, 5, 7, 9, 11, 13, np.nan])[train]
    assert loaded.preparation.fill[0] == np.float32(np.nanmedian(column))
    hole = taken.features[1, 0]
    assert hole == loaded.preparation.apply(np.array([[[np.nanmedian(column), 4]]]))[0, 0]


def test_a_test_part_of_its_own(tmp_path):
    written(tmp_path, "u,v,what\n100,2,b\n", "test.csv")
    loaded = load(tmp_path, "u,v,what\n" + "\n".join(GOOD), test="test.csv")
    assert (len(loaded.labels), len(loaded.y_test)) == (4, 1)
    assert loaded.y_test.tolist() == [1]
    assert loaded.x_test.tolist() == [[255, 0]]  # beyond what was fitted, and its least


def test_regression(tmp_path):
    loaded = load(tmp_path, "u,weight\n" + "\n".join(f"{n},{n / 4}" for n in range(8)),
                  task="regression")
    assert (loaded.classes, loaded.answers) == ((), ("weight",))
    assert sorted([*loaded.labels, *loaded.y_test]) == [n / 4 for n in range(8)]


HOW = ("; source.missing = \"median\" puts the median of its column there, \"drop\" leaves the "
       "line out")
WORDS = "; source.label names the column of the labels, source.ignore leaves columns out"


@pytest.mark.parametrize(("text", "message", "source"), [
    ("", "holds no sample", {}),
    ("\n \n", "holds no sample", {}),
    ("u,v,what\n", "holds no sample", {}),
    ("u,v,what\n1,2,a\n1,,b\n", f"line 3, column 2 'v' is empty{HOW}", {}),
    ("1,2,a\n1,?,b\n", f"line 2, column 2 is missing: '?'{HOW}", {}),
    ("u,v,what\n1,NaN,a\n", f"line 2, column 2 'v' is missing: 'NaN'{HOW}", {}),
    ("1,2,a\n1,inf,b\n", "line 2, column 2 must be a finite number, not 'inf'", {}),
    ("1,2,a\n1,-Infinity,b\n", "line 2, column 2 must be a finite number, not '-Infinity'", {}),
    ("1,2,a\n1,1e39,b\n", "line 2, column 2 must be a number that binary32 holds, not '1e39'", {}),
    ("u,v,what\n1,red,a\n", f"line 2, column 2 'v' must be a number, not 'red'{WORDS}", {}),
    ("1;2;a\n1;2,5;b\n",
     "line 2, column 2 must be a number, not '2,5' (decimals have a point, no comma)", {}),
    ("1,2,a\n1,1_0,b\n", "line 2, column 2 must be a number, not '1_0'", {}),
    ("1,2,a\n1,\u0663,b\n", "line 2, column 2 must be a number, not '\u0663'", {}),
    ("1,2,a\n1,0x1,b\n", "line 2, column 2 must be a number, not '0x1'", {}),
    (f"1,2,a\n1,{'x' * 99},b\n",
     f"line 2, column 2 must be a number, not '{'x' * 60}...'{WORDS}", {}),
    ("1,2,a\n1,b\n", "line 2 must have 3 columns, not 2", {}),
    ("1,2,a\n1,2,b,c\n", "line 2 must have 3 columns, not 4", {}),
    ("1,2,a\n1;2;b\n", "line 2 must have 3 columns, not 1", {}),
    ('1,2,"a\n1,2,b\n', "line 2: unexpected end of data", {}),
    ('1,2,"a"b\n1,2,b\n', "line 1: ',' expected after '\"'", {}),
    ("1,2,a\n1,2,\n", "line 2, column 3 must name a label, not be nothing", {}),
    ("1,2,a\n1,2,?\n", "line 2, column 3 must name a label, not be '?'", {"missing": "median"}),
    ("g,2,what\n,2,b\n", "line 2, column 1 'g' must name a recording, not be nothing",
     {"group": "g", "header": "yes"}),
    ("1,2,a\n3,4,a\n", "every label is 'a'; there must be two classes at least", {}),
    ("1,2,a\n3,4,b\n5,6,a\n", "line 2: class 'b' has one sample, and must have two at least", {}),
    ("u,v,w\n1,2,0.5\n3,4,0.7\n", ("line 2: class '0.5' has one sample, and must have two at "
     'least; numbers as labels need source.task = "regression"'), {}),
    ("u,value\n1,a\n2,b\n", "source.label = 'Value' names no column; did you mean 'value'?",
     {"label": "Value"}),
    ("1,a\n2,b\n", "source.label = 'what' names no column; there are 2 columns without names",
     {"label": "what"}),
    ("u,v\n1,a\n2,b\n", "source.label = '3' names no column; there are 2 columns, the first is 'u'",
     {"label": "3"}),
    ("u,v\n1,a\n2,b\n", ("source.ignore = 'when' names no column; there are 2 columns, the first "
     "is 'u'"), {"ignore": "when"}),
    ("u,u,w\n1,2,a\n", "names of columns must differ, and 'u' is there 2 times", {}),
    ("w,u,w\n1,2,a\n", "source.label = 'w' names 2 columns; give a number from 1", {"label": "w"}),
    (",u,w\n1,2,a\n", ("column 1 must have a name, as the others; source.ignore = \"1\" leaves it "
     "out"), {}),
    ("u\tv,x,w\n1,2,a\n", ("name of column 1 must be text of at most 1000 characters on one line, "
     "not 'u\\tv'"), {"separator": "comma"}),
    ("0,1,2\n5,6,a\n", ("line 1 counts its columns; say whether it names them with source.header = "
     '"yes" or "no"'), {}),
    ("a\nb\n", ("must have a column beside the label, not 1 in all; its separator was taken to be "
     "a comma, source.separator names another"), {}),
    ("1 2 a\n3 4 b\n", ("must have a column beside the label, not 1 in all; its separator was "
     "taken to be a comma, source.separator names another"), {}),
    ("1,2,a\n3,4,b\n", ("must have a column beside the label, not 1 in all; its separator was "
     "taken to be a semicolon, source.separator names another"), {"separator": "semicolon"}),
    ("# made by x\n1,2,a\n3,4,b\n", ("must have a column beside the label, not 1 in all; line 1 "
     "begins with #, and a table has no comments: take it out"), {}),
    ("# made by x, y\n1,2,a\n3,4,b\n", ("line 2 must have 2 columns, not 3; line 1 begins with #, "
     "and a table has no comments: take it out"), {}),
    (b"\x00\x01\x02\x03\n\x04\n", ("must have a column beside the label, not 1 in all; the first "
     "line holds characters of no text"), {}),
    ("u,v,what,\n1,2,a,\n3,4,b,\n", ("column 4 must have a name, as the others; source.ignore = "
     '"4" leaves it out'), {}),
    ("u,v,what\n7,8,a\n7,8,b\n7,8,a\n7,8,b\n", ("every sample of the training part becomes the "
     "same integers; there is nothing to learn"), {}),
    ("t,u,what\n" + "\n".join(f"{1700000000 + n},{n},{'ab'[n % 2]}" for n in range(40)), (
     "column 't': 40 different numbers are only 1 in binary32; subtract an offset from them, or "
     "scale them"), {}),
    ("\n".join(f"{n + 1}e-60,{n},{'ab'[n % 2]}" for n in range(40)), (
     "column 1: 40 different numbers are only 1 in binary32; subtract an offset from them, or "
     "scale them"), {}),
    ("u,t\n" + "\n".join(f"{n},{1700000000 + n}" for n in range(40)), (
     "column 't': 40 different numbers are only 1 in binary32; subtract an offset from them, or "
     "scale them"), {"task": "regression"}),
    ("u,v,w\n1,2,a\n", ("must have a column beside the label that source.ignore does not leave "
     "out, of 3 in all"), {"ignore": "u,2"}),
    ("g,u,w\n1,2,a\n", "column 3 cannot be source.group and the label", {"group": "w"}),
    ("u,w\n1,5\n2,5\n3,5\n4,5\n", ("'w' is 5.0 in every sample of the training part; there is "
     "nothing to learn"), {"task": "regression"}),
    ("u,w\n1,5\n2,five\n", "line 3: 'w' must be a finite number of binary32, not 'five'",
     {"task": "regression"}),
    ("u,v,w\n?,1,a\n?,2,b\n?,3,a\n?,4,b\n", ("number 1 of a row 'u' is missing in every sample of "
     "the training part; leave it out with source.ignore"), {"missing": "median"}),
    ("?,a\n?,b\n", "holds no sample", {"missing": "drop"}),
    ("1,a\n2,b\n3,\x07\n4,\x07\n", ("line 3: a label must be text of 1 to 1000 characters on one "
     "line, not '\\x07'"), {}),
    ("1,2,a\n" + "9" * 140000, "line 2: field larger than field limit (131072)", {}),
    (b"1,2,\xe4\n", "must be text in UTF-8", {}),
    ("1,2,a\n".encode("utf-16"), "must be text in UTF-8", {}),
])
def test_refusals(tmp_path, text, message, source):
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}: {message}')}$"):
        data.load(str(path), source=Source(**source))


def test_numbers_that_binary32_does_not_tell_apart_are_said(tmp_path, caplog):
    text = "t,u,what\n" + "\n".join(f"{1700000000 + 7 * n},{n / 3},{'ab'[n % 2]}"
                                    for n in range(300))
    load(tmp_path, text)
    said = ("column 't': 300 different numbers are only 17 in binary32; subtract an offset from "
            "them, or scale them")
    assert caplog.messages == [f"{tmp_path / 'x.csv'}: {said}"]
    caplog.clear()
    load(tmp_path, text, bits=4)  # the quantiser tells no more apart
    load(tmp_path, text.replace("17000", "17"))
    assert caplog.messages == []


def test_dropped_lines_are_counted(tmp_path, caplog):
    caplog.set_level("INFO")
    everything(tmp_path, HOLES, missing="drop")
    assert caplog.messages == [f"{tmp_path / 'x.csv'}: 4 of 8 lines dropped: a value is missing"]


def test_a_line_that_ends_with_a_separator(tmp_path):
    text = "u,v,what,\n" + "".join(f"{line},\n" for line in GOOD)
    found = everything(tmp_path, text, ignore="4")
    assert (found.columns, found.label) == (("u", "v"), "what")
    loaded = load(tmp_path, text, ignore="4")
    taken = data.read_inputs(tmp_path / "x.csv", network(loaded))
    assert taken.labels == ["a", "b", "a", "b"]


def test_the_header_may_be_said(tmp_path):
    text = "0,1,2\n5,6,7\n8,9,10\n5,6,7\n8,9,10\n"
    assert everything(tmp_path, text, header="yes").columns == ("0", "1")
    assert len(everything(tmp_path, text, header="no")) == 5


def test_refusals_of_a_test_part(tmp_path):
    text = "u,v,what\n" + "\n".join(GOOD)
    cases = {"u,v,what\n1,2,c\n": "test.csv: line 2: label 'c' must be a class that was trained: "
                                  "'a', 'b'",
             "u,w,what\n1,2,a\n": f"test.csv: must have the columns of {tmp_path / 'x.csv'}, there "
                                  "'v', not 'w'",
             "u,v,w,what\n1,2,3,a\n": f"test.csv: must have the columns of {tmp_path / 'x.csv'}, "
                                      "there 'no more', not 'w'"}
    for content, message in cases.items():
        written(tmp_path, content, "test.csv")
        with pytest.raises(DataError, match=f"^{re.escape(str(tmp_path / message))}$"):
            load(tmp_path, text, test="test.csv")
    with pytest.raises(DataError, match=r"^none\.csv: no such file or folder; searched in "):
        load(tmp_path, text, test="none.csv")


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "MAX_TEXT", 10)
    with pytest.raises(DataError, match=r"x\.csv: a table must have at most 10 bytes, not 23$"):
        load(tmp_path, "\n".join(GOOD))


def test_too_many_edges(tmp_path):
    rows = "\n".join(",".join(["1"] * 300 + ["ab"[n % 2]]) for n in range(6))
    with pytest.raises(DataError, match=r"x\.csv: 300 columns of 16 bits need 19,660,500 edges, "
                                        r"and at most 16,777,216 are kept; take fewer "
                                        r"source\.bits$"):
        load(tmp_path, rows, quantiser="quantile", bits=16)


def test_what_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"^none\.csv: no such file or folder; searched in \., "):
        data.load("none.csv")
    with pytest.raises(DataError, match=r"^none\.csv: no such file or folder; searched in other, "):
        data.load("none.csv", samples.Path("other"))
    (tmp_path / "x.pdf").write_bytes(b"")
    with pytest.raises(DataError, match=r"^x\.pdf: must be a folder, or a file of \.csv, \.tsv, "
                                        r"\.txt, \.data, \.dat, \.npz, \.zip$"):
        data.load("x.pdf")
    with pytest.raises(DataError, match=r"^Unknown data set ''; known are digits, iris, "):
        data.load("")
    with pytest.raises(DataError, match=r"^Unknown data set 'iri'; did you mean 'iris'\?$"):
        data.load("iri")


KEYS = f"a setting must be KEY=VALUE with a key of {', '.join(Source.__dataclass_fields__)}"


@pytest.mark.parametrize(("settings", "message"), [
    (["bit=3"], f"{KEYS}, not 'bit=3'; did you mean 'bits'?"),
    (["bits"], f"{KEYS}, not 'bits'; did you mean 'bits'?"),
    (["bits=x"], "bits must be an integer, not 'x'"),
    (["share=x"], "share must be a number, not 'x'"),
    (["bits=17"], "bits must be between 1 and 16, not 17"),
    (["share=1"], "share must be between 0 and 1, not 1.0"),
    (["colour=green"], "colour must be one of 'auto', 'grey', 'rgb', not 'green'"),
    (["height=3"], "height and width must both be given, or neither, not 3 and 0"),
])
def test_settings_of_a_source(settings, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Source.of(settings)
    assert Source.of(["source.label=a", "bits=3", "share=.5"]) == Source(label="a", bits=3,
                                                                         share=0.5)
