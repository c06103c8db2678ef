"""Sweeps through a cluster of two nodes, really: as through plain processes, and killed."""

from pathlib import Path

import pytest

pytest.importorskip("optuna")
pytest.importorskip("torch")
pytest.importorskip("sklearn")

from bench import sweeps

SPEC = """
recipe = "iris"
processes = 2
target = "ice40"
[settings]
epochs = 4
layers.0.width = { low = 6, high = 24, step = 3 }
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SPEC)


def test_the_driver_alone(capsys):
    arguments = ["--spec", "small.toml", "driver", "--totals", "6", "9", "--slots", "3"]
    assert sweeps.main(arguments) == 0
    assert [line.split("|")[1] for line in capsys.readouterr().out.splitlines()[2:]] == [
        " 0 to 6 ", " 6 to 9 "]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_nodes_do_what_plain_processes_do(capsys):
    pytest.importorskip("ray")
    assert sweeps.main(["--spec", "small.toml", "same", "--trials", "4"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "settings, figures and networks are the same")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_workers_of_both_engines_are_killed(capsys):
    pytest.importorskip("ray")
    assert sweeps.main(["--spec", "small.toml", "kills", "--trials", "6", "--count", "3",
                        "--pause", "6"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[2:] for row in rows] == [["6", "0", "0 |"]] * 2
