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
        # Amaranth knows no options of Nexus, whose parts nextpnr takes by their names.
        option = platform._nextpnr_device_options.get(platform.device, board.part.name.lower())
        assert option in " ".join(board.part.nextpnr).lower().split()


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


def listed(capsys, *arguments):
    """What the list prints, by the first word of a line."""
    assert board_list.main(list(arguments)) == 0
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}


def test_list_for_people(capsys):
    lines = listed(capsys)
    assert set(boards.BOARDS) <= set(lines)
    assert lines["BOARD"].split() == ["BOARD", "PART", "LUT4", "FF", "BLOCK", "RAM", "CLOCK",
                                      "SERIAL"]
    assert lines["icebreaker"].split() == ["icebreaker", "iCE40UP5K-SG48", "5,280", "5,280", "120",
                                           "kbit", "12", "MHz", "yes"]
    assert lines["tinyfpga-bx"].endswith("16 MHz   name its pins")
    assert lines["ice40:"].startswith("ice40: yosys ")
    assert "Altera, Quartus: arrow-deca, " in lines["Altera,"]


def test_list_of_a_family(capsys):
    lines = listed(capsys, "--family", "ecp5")
    assert set(lines) == {"ecp5:", "BOARD", *(name for name, board in boards.BOARDS.items()
                                              if board.family.name == "ecp5")}


def test_list_for_machines(capsys):
    assert board_list.main(["--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {*boards.BOARDS, *boards.VENDOR_BOARDS}
    assert rows["icebreaker"]["family"] == "ice40"
    assert set(rows["ulx3s-25f"]["tools"]) == {"yosys", "nextpnr-ecp5", "ecppack"}
    assert (rows["arty-a7-35"]["family"], rows["arty-a7-35"]["project"]) == (None, "Vivado")


def test_one_board(capsys):
    assert board_list.main(["tinyfpga-bx"]) == 0
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["part", "iCE40LP8K-CM81"] in lines
    assert ["programmed", "by", "tinyprog -p '{bitstream}'"] in lines
    assert board_list.main(["arty-a7-35", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["maker"] == "Xilinx"
    assert board_list.main(["nothing"]) == 2


def test_list_tells_what_is_missing(capsys, monkeypatch):
    monkeypatch.setenv("NEXTPNR_ICE40", "/nowhere/nextpnr-ice40")
    lines = listed(capsys)
    assert ", nextpnr-ice40 MISSING, " in lines["ice40:"]
    assert "MISSING" not in lines["ecp5:"]


def test_list_does_not_wait_for_amaranth():
    program = "import sys, boards.list; sys.exit('amaranth' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
