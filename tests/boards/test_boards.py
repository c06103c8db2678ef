"""Boards agree with their platforms, and can be listed."""

import importlib
import json
import re
import subprocess
import sys

import pytest

from bitwright import boards
from bitwright.boards import list as board_list


@pytest.mark.parametrize("board", boards.BOARDS.values(), ids=boards.BOARDS)
def test_board_agrees_with_its_platform(board):
    platform = board.platform()
    module, _, name = board.family.platform.partition(":")
    assert isinstance(platform, getattr(importlib.import_module(module), name))
    assert board.clock_hz == platform.default_clk_frequency
    assert (board.device, board.package) == (platform.device, platform.package)
    platform.lookup(*board.uart)
    options = " ".join(board.nextpnr).lower()
    assert platform._nextpnr_device_options[platform.device] in options.split()


@pytest.mark.parametrize("board", boards.BOARDS.values(), ids=boards.BOARDS)
def test_serial_rate_is_exact(board):
    assert board.clock_hz % board.baud == 0


def test_smallest_board_comes_first():
    capacities = [board.luts for board in boards.BOARDS.values()]
    assert capacities == sorted(capacities)


@pytest.mark.parametrize(("name", "message"), [
    ("icebraker", "icebraker: no such board; did you mean 'icebreaker'?"),
    ("ulx3s", "ulx3s: no such board; did you mean 'ulx3s-85f' or 'ulx3s-45f'?"),
    ("x", "x: no such board; there are icebreaker, ulx3s-12f, ulx3s-25f, ulx3s-45f, ulx3s-85f"),
])
def test_unknown_board(name, message):
    with pytest.raises(boards.BoardError, match=f"^{re.escape(message)}$"):
        boards.get(name)


def test_list_for_people(capsys):
    assert board_list.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["BOARD", "DEVICE", "FAMILY"]
    assert [line.split()[0] for line in lines[1:]] == list(boards.BOARDS)
    assert "5,280" in lines[1]
    assert "120 kbit" in lines[1]
    assert "12 MHz" in lines[1]


def test_list_for_machines(capsys):
    assert board_list.main(["--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(boards.BOARDS)
    assert rows["icebreaker"]["family"] == "ice40"
    assert set(rows["ulx3s-25f"]["tools"]) == {"yosys", "nextpnr-ecp5", "ecppack"}


def test_list_tells_what_is_missing(capsys, monkeypatch):
    monkeypatch.setenv("NEXTPNR_ICE40", "/nowhere/nextpnr-ice40")
    assert board_list.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "nextpnr-ice40 MISSING" in lines[1]
    assert "MISSING" not in lines[2]


def test_list_does_not_wait_for_amaranth():
    program = "import sys, boards.list; sys.exit('amaranth' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
