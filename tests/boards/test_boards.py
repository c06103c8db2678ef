"""Boards agree with their platforms, and can be listed."""

import importlib
import json
import re
import subprocess
import sys

import pytest

from bitwright import boards
from bitwright.boards import list as board_list
from bitwright.hw.rate import divisor

VENDOR = ("arty-a7-35: only Vivado makes bitstreams for Xilinx xc7a35ti; write a project for it "
          "with --project DIR")


@pytest.mark.parametrize("board", boards.BOARDS.values(), ids=boards.BOARDS)
def test_board_agrees_with_its_platform(board):
    """What was read of a class without running it is what the class says."""
    platform = board.platform()
    module, _, name = board.family.platform.partition(":")
    assert isinstance(platform, getattr(importlib.import_module(module), name))
    assert board.clock_hz == platform.default_clk_frequency
    assert (("uart", 0) in platform.resources) is (board.uart is not None)
    assert abs(board.clock_hz / divisor(board.clock_hz, board.baud) / board.baud - 1) < 0.02
    if hasattr(platform, "_nextpnr_device_options") and not hasattr(platform, "part"):
        assert (board.part.device, board.part.package) == (platform.device, platform.package)
        assert board.part.speed in ("", getattr(platform, "speed", ""))
        options = " ".join(board.part.nextpnr).lower()
        assert platform._nextpnr_device_options[platform.device] in options.split()


def test_smallest_board_comes_first():
    capacities = [board.part.luts for board in boards.BOARDS.values()]
    assert capacities == sorted(capacities)


@pytest.mark.parametrize(("name", "message"), [
    ("icebraker", "icebraker: no such board; did you mean 'icebreaker' or 'icebreaker-bitsy'?"),
    ("ulx3s", "ulx3s: no such board; did you mean 'ulx3s-85f' or 'ulx3s-45f'?"),
    ("x", "x: no such board; `bitwright boards` lists those that there are"),
    ("arty-a7-35", VENDOR),
])
def test_unknown_board(name, message):
    with pytest.raises(boards.BoardError, match=f"^{re.escape(message)}$"):
        boards.get(name)


def test_list_for_people(capsys):
    assert board_list.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["BOARD", "PART", "FAMILY"]
    assert [line.split()[0] for line in lines[1:]] == list(boards.BOARDS)
    line = next(line for line in lines if line.startswith("icebreaker "))
    assert "5,280" in line
    assert "120 kbit" in line
    assert "12 MHz" in line


def test_list_for_machines(capsys):
    assert board_list.main(["--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(boards.BOARDS)
    assert rows["icebreaker"]["family"] == "ice40"
    assert set(rows["ulx3s-25f"]["tools"]) == {"yosys", "nextpnr-ecp5", "ecppack"}


def test_list_tells_what_is_missing(capsys, monkeypatch):
    monkeypatch.setenv("NEXTPNR_ICE40", "/nowhere/nextpnr-ice40")
    assert board_list.main([]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "nextpnr-ice40 MISSING" in lines["icebreaker"]
    assert "MISSING" not in lines["ulx3s-25f"]


def test_list_does_not_wait_for_amaranth():
    program = "import sys, boards.list; sys.exit('amaranth' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
