"""Sweeps through a cluster of two nodes, really: as through plain processes, and killed."""

from pathlib import Path

import pytest

pytest.importorskip("optuna")
pytest.importorskip("torch")
pytest.importorskip("sklearn")

from bench import sweeps
from bitwright.locate import ZOO

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


def test_a_sweep_beside_what_was_made_by_hand(capsys):
    assert sweeps.main(["--spec", "small.toml", "--out", "out", "driver", "--totals", "6",
                        "--slots", "3"]) == 0
    capsys.readouterr()
    assert sweeps.main(["--spec", "small.toml", "--out", "out", "beside", "out/driver",
                        str(ZOO / "iris.safetensors")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| trial ")
    assert any(line.startswith("| iris.safetensors | 91.67 % | ") for line in lines)
    assert "made by hand" in Path("out", "beside.svg").read_text(encoding="utf-8")


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
    assert sweeps.main(["--spec", "small.toml", "kills", "--trials", "60", "--count", "2",
                        "--pause", "1"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[2:] for row in rows] == [["60", "0", "0 |"]] * 2
