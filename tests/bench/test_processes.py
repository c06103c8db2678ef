"""Kills of one of several processes: which must have been told, and two real ones."""

import pytest

pytest.importorskip("torch")

from bench import processes

BEGUN = "digits: 1213 samples to learn from, 134 to choose the best epoch by\n"


def test_which_kills_need_not_be_told():
    assert processes.missing("", 0, 30) == processes.EARLY
    assert processes.missing(BEGUN, 30, 30) == processes.LATE
    assert processes.missing(BEGUN, 0, 30) is None
    assert processes.missing(BEGUN, 29, 30) is None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_is_killed_twice(tmp_path, capsys):
    assert processes.main(["--kills", "2", "--seed", "1", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("2 kills of a worker of 2: ")
