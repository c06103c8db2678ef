"""Samples of files, and every way in which a file can hold something else."""

import re

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.samples import SamplesError, read_samples

THRESHOLDS = np.array([[[-3], [0], [3], [5]]], np.int32)
NETWORK = ir.Network((ir.Entry("modulate", ir.Modulate(THRESHOLDS, 4, True), ("input",)),
                      ir.Entry("head", ir.GroupSum(4, 2), ("modulate",))))
WANTED = [[1, 2, -3, 4], [5, 6, 7, -8]]


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
def test_csv(tmp_path, text):
    file = tmp_path / "x.csv"
    file.write_text(text, "utf-8", newline="")
    assert read_samples(file, NETWORK).tolist() == WANTED


@pytest.mark.parametrize("dtype", [np.int8, np.int64])
def test_npy(tmp_path, dtype):
    np.save(tmp_path / "x.npy", np.array(WANTED, dtype))
    assert read_samples(tmp_path / "x.npy", NETWORK).tolist() == WANTED


@pytest.mark.parametrize(("text", "message"), [
    ("1,2,,4\n", "line 1, column 3 is empty"),
    ("a,b,c,d\n1,2,,4\n", "line 2, column 3 is empty"),
    ("1,2,nan,4\n", "line 1, column 3 must be an integer, not 'nan'"),
    ("1,2,3,4\n\n1,2,inf,4\n", "line 3, column 3 must be an integer, not 'inf'"),
    ("1,2,3\n", "line 1 must have 4 columns, not 3"),
    ("1,2,3,4\n1,2\n", "line 2 must have 4 columns, not 2"),
    ("1,2,3,4\n1,2,3,4,5\n", "line 2 must have 4 columns, not 5"),
    ("1,2,3,4\na,b,c,d\n", "line 2, column 1 must be an integer, not 'a'"),
    ("a,b,c,d\na,b,c,d\n", "line 2, column 1 must be an integer, not 'a'"),
    ("1,x,3,4\n", "line 1, column 2 must be an integer, not 'x'"),
    ("1,2.5,3,4\n", "line 1, column 2 must be an integer, not '2.5'"),
    ("1,1e1,3,4\n", "line 1, column 2 must be an integer, not '1e1'"),
    ("1,0x1,3,4\n", "line 1, column 2 must be an integer, not '0x1'"),
    ("1,1_0,3,4\n", "line 1, column 2 must be an integer, not '1_0'"),
    ("1,\u0663,3,4\n", "line 1, column 2 must be an integer, not '\u0663'"),
    ("1;2,0;3;4\n", "line 1, column 2 must be an integer, not '2,0'"),
    ("1,2,3,4\n1;2;3;4\n", "line 2 must have 4 columns, not 1"),
    ("1,2,3,4\n1,8,3,4\n", "line 2, column 2 must be between -8 and 7, not 8"),
    ("1,2,3,-9\n", "line 1, column 4 must be between -8 and 7, not -9"),
    (f"1,2,3,{'9' * 40}\n", f"line 1, column 4 must be between -8 and 7, not {'9' * 40}"),
    ("", "holds no sample"),
    ("\n \n", "holds no sample"),
    ("a,b,c,d\n", "holds no sample"),
])
def test_csv_that_holds_something_else(tmp_path, text, message):
    file = tmp_path / "x.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(SamplesError, match=f"^{re.escape(f'{file}: {message}')}$"):
        read_samples(file, NETWORK)


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((2, 3), int), "must have the shape (samples, 4), not (2, 3)"),
    (np.zeros(4, int), "must have the shape (samples, 4), not (4,)"),
    (np.zeros((0, 4), int), "holds no sample"),
    (np.zeros((2, 4)), "must hold integers, not float64"),
    (np.full((2, 4), np.nan), "must hold integers, not float64"),
    (np.zeros((2, 4), bool), "must hold integers, not bool"),
    (np.array([[0, 0, 0, 0], [0, 9, 0, 0]]), "row 2, column 2 must be between -8 and 7, not 9"),
    (np.array([[0, 0, 0, 2**63]], np.uint64),
     "row 1, column 4 must be between -8 and 7, not 9223372036854775808"),
])
def test_npy_that_holds_something_else(tmp_path, array, message):
    file = tmp_path / "x.npy"
    np.save(file, array)
    with pytest.raises(SamplesError, match=f"^{re.escape(f'{file}: {message}')}$"):
        read_samples(file, NETWORK)


@pytest.mark.parametrize(("name", "content", "message"), [
    ("x.csv", b"1,2,3,4\xff\n", "must be text in UTF-8"),
    ("x.csv", "1,2,3,4\n".encode("utf-16"), "must be text in UTF-8"),
    ("x.txt", b"1,2,3,4\n", "must be a .npy or .csv file"),
    ("x.npy", b"", "not an array: No data left in file"),
])
def test_files_of_another_kind(tmp_path, name, content, message):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(SamplesError, match=f"^{re.escape(f'{file}: {message}')}$"):
        read_samples(file, NETWORK)


def test_an_archive_is_no_array(tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        np.savez(file, a=np.zeros((1, 4), int))
    with pytest.raises(SamplesError, match=r"x\.npy: must hold one array$"):
        read_samples(tmp_path / "x.npy", NETWORK)
