"""Sweeps through a cluster of two nodes, really: as through plain processes, and killed."""

import json
from pathlib import Path

import pytest

pytest.importorskip("optuna")
pytest.importorskip("torch")
pytest.importorskip("sklearn")

from bench import sweeps
from bitwright import ir
from bitwright.library import estimate
from bitwright.locate import ZOO
from bitwright.model.sweeping.spec import load_spec

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


@pytest.fixture
def swept(capsys):
    """A sweep whose trials all made the zoo's network."""
    assert sweeps.main(["--spec", "small.toml", "--out", "out", "driver", "--totals", "6",
                        "--slots", "3"]) == 0
    for number in range(6):
        folder = Path("out", "driver", "trials", f"{number:04}-seed0")
        (folder / "network.safetensors").write_bytes((ZOO / "iris.safetensors").read_bytes())
    capsys.readouterr()


@pytest.mark.parametrize(("change", "where"), [
    ("", "ice40"), ("\n[form]\nserial_head = 2\n", "ice40, serial_head = 2"),
    ("\n[form]\nparallel = true\n", "ice40, parallel")])
def test_trials_are_sized_as_what_was_made_by_hand(swept, capsys, change, where):
    Path("other.toml").write_text(SPEC + change)
    assert sweeps.main(["--spec", "other.toml", "--out", "out", "beside", "out/driver",
                        str(ZOO / "iris.safetensors")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"| network | validation | LUTs ({where}, estimated) |"
    trial, hand = lines[2:4]
    assert trial.startswith("| trial ")
    form = load_spec("other.toml").form
    luts = estimate(ir.load(ZOO / "iris.safetensors"), "ice40", form=form)["luts"]
    assert hand == f"| iris.safetensors | 91.67 % | {luts:,.0f} |"
    assert trial.endswith(f" | {luts:,.0f} |")
    assert lines[5] == (
        "6 of 6 trials came to their end; the sweep compared them by LUTs of ice40.")
    assert "made by hand" in Path("out", "beside.svg").read_text(encoding="utf-8")


def test_a_folder_of_other_trainings_is_refused(swept, caplog):
    Path("other.toml").write_text(SPEC.replace("epochs = 4", "epochs = 5"))
    for folder, message in (
            ("out/driver", ("out/driver: the folder holds trainings of another sweep than --spec, "
                            "see out/driver/spec.toml")),
            ("nowhere", "nowhere: no sweep is there, as it has no spec.toml")):
        assert sweeps.main(["--spec", "other.toml", "beside", folder]) == 1
        assert caplog.messages[-1] == message


def test_what_a_sweep_leaves_on_disk(capsys):
    assert sweeps.main(["--spec", "small.toml", "--out", "out", "driver", "--totals", "3",
                        "--slots", "1"]) == 0
    sweep = Path("out", "driver")
    runs = sorted((sweep / "trials").iterdir())
    metrics = [(run / "metrics.jsonl").stat().st_size for run in runs]
    for run, size in zip(runs, (100, 200, 900), strict=True):
        (run / "checkpoint.pt").write_bytes(bytes(size))
    (sweep / "builds" / "0001" / "logs").mkdir(parents=True)
    (sweep / "builds" / "0001" / "logs" / "yosys.log").write_bytes(bytes(1000))
    (sweep / "builds" / "0001" / "netlist.json").write_bytes(bytes(4000))
    journal = sweep / "journal.log"
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    for entry in entries:  # the trials took 2, 3 and 4 s
        if entry["op_code"] == 4:
            entry["datetime_start"] = "2026-01-01T00:00:00+00:00"
        if "datetime_complete" in entry:
            entry["datetime_complete"] = f"2026-01-01T00:00:0{2 + entry['trial_id']}+00:00"
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + "{'cut off")
    before = journal.read_bytes()
    capsys.readouterr()
    assert sweeps.main(["sizes", str(sweep)]) == 0
    lines = capsys.readouterr().out.splitlines()
    whole = sum(metrics) + 1200
    took = ("3 trials, 12 epochs; from its begin to its end a trial took 3.0 s, as a mean of the 3 "
            "that have ended")
    assert lines[2:] == [
        f"| run folder | 3 | {whole / 3:,.0f} | {metrics[0] + 100:,} | {metrics[2] + 900:,} |",
        "| checkpoint.pt of it | 3 | 400 | 100 | 900 |",
        f"| metrics.jsonl of it | 3 | {sum(metrics) / 3:,.0f} | {min(metrics)} | {max(metrics)} |",
        "| build folder | 1 | 5,000 | 5,000 | 5,000 |",
        f"| journal, of a trial | 3 | {len(before) / 3:,.0f} | | |", "", took]
    assert journal.read_bytes() == before


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
