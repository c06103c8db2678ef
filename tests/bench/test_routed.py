"""What routes: rows that are kept, by hand and as they stand in the results."""

import json
from pathlib import Path

import pytest

from bench import routed

RESULTS = Path(__file__).parents[2] / "docs" / "results.md"


def test_a_row_is_made_of_its_builds():
    builds = [{"luts": 100, "wires": 400, "mhz": 40.0}, {"luts": 104, "wires": 410, "mhz": None}]
    assert routed.line([(0.9, 0.25, builds)]) == {
        "test": {"mean": 90.0}, "wire": {"mean": 0.25}, "luts": {"mean": 102, "sd": 3},
        "wires": {"mean": 405, "sd": 7, "least": 400, "most": 410}, "mhz": {"mean": 40.0},
        "builds": 2, "not routed": 1}


def test_nothing_that_routes():
    found = routed.line([(0.9, 0.25, [{"luts": 100, "wires": None, "mhz": None}])])
    row = {"wiring": "all", "order": "as trained", **found}
    assert routed.table([row]).splitlines()[-1] == (
        "| all | as trained | 90.00 | 0.250 | 100 | - | - | - | - | 1 | 1 |")


def test_results_are_what_is_kept(tmp_path, capsys):
    picture = tmp_path / "routed.png"
    assert routed.main(["--set", "epochs=60", "--kept", "--picture", str(picture)]) == 0
    assert capsys.readouterr().out in RESULTS.read_text(encoding="utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def small(monkeypatch):
    """No training and no build: what they would find."""
    monkeypatch.setattr(routed, "trained", lambda wiring, args, seed: (0.5, f"{wiring} {seed}"))
    monkeypatch.setattr(routed, "length", lambda network: 0.5)
    monkeypatch.setattr(routed, "placed", lambda network, board, seed, folder: {
        "luts": 10, "wires": 20 + seed, "mhz": 30.0})


def test_what_is_built_is_kept(small, tmp_path, capsys):
    lines = tmp_path / "lines.jsonl"
    call = ["--wiring", "all", "--order", "as trained", "--seeds", "2", "--out", str(tmp_path),
            "--lines", str(lines)]
    assert routed.main(call) == 0
    printed = capsys.readouterr().out
    one, = map(json.loads, lines.read_text(encoding="utf-8").splitlines())
    assert (one["recipe"], one["board"], one["set"]) == ("digits", "icebreaker", [])
    assert (one["builds"], one["wires"]["least"], one["wires"]["most"]) == (4, 21, 22)
    assert routed.main([*call, "--kept"]) == 0
    assert capsys.readouterr().out == printed


def test_a_row_that_is_not_kept(tmp_path, caplog):
    lines = tmp_path / "lines.jsonl"
    assert routed.main(["--kept", "--lines", str(lines)]) == 1
    assert caplog.messages == [f"{lines}: there is no such row; without --kept it is built"]
