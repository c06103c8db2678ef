"""Faults can be planted: what each replaces is there, once, and the tests that it names are."""

from collections import Counter

import pytest

from bench.faults import FAULTS
from bench.planted_faults import ROOT, main


def test_texts():
    odd = [(fault.file, fault.old) for fault in FAULTS
           if (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old) != 1]
    assert not odd


def test_no_fault_twice():
    assert [fault for fault, count in Counter(FAULTS).items() if count > 1] == []


@pytest.mark.parametrize("tests", sorted({fault.tests for fault in FAULTS}))
def test_tests(tests):
    paths = [word for word in tests.partition(" -k ")[0].split() if not word.startswith("-")]
    assert paths
    assert all((ROOT / path.partition("::")[0]).exists() for path in paths)


def test_a_file_without_faults(capsys):
    with pytest.raises(SystemExit):
        main(["--only", "nowhere.py"])
    assert capsys.readouterr().err.endswith(
        "--only: no fault is planted in a file whose name holds 'nowhere.py'\n")
