"""Pins that a user chose are tried with nextpnr, and named if they do not do. A part has none."""

import json
import re
from dataclasses import fields, replace

import pytest
from amaranth.hdl import Module

from bitwright import boards
from bitwright.boards import Lines
from bitwright.hw.families import FAMILIES
from bitwright.hw.flow import pins, toolchain
from bitwright.hw.flow.pins import CheckPins, PinError
from bitwright.hw.flow.place import Place
from bitwright.hw.flow.wrap import prepare
from tests.hw.test_wrap import Echo


class Delayed(Echo):
    """With a clock."""

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.tx.eq(self.rx)
        return m


BOARD = boards.get("tinyfpga-bx")


@pytest.fixture
def check(tmp_path):
    """Checks pins of a board's serial line."""
    def of(rx, tx):
        board = replace(BOARD, uart=Lines(rx, tx))
        made = prepare(Delayed(), board)
        (tmp_path / "board.json").write_text(json.dumps({"ports": made.ports}), "utf-8")
        (tmp_path / "board.pcf").write_text(made.constraints, "utf-8")
        folder = tmp_path / "out"
        folder.mkdir()
        CheckPins(tmp_path / "board.json", tmp_path / "board.pcf", board,
                  toolchain.find(board.family.place.nextpnr)).run(folder, tmp_path / "logs")
        return list(folder.iterdir())
    return of


def test_pins_that_are_there(check):
    assert check("A2", "A1") == []


def test_a_pin_that_is_not_there(check):
    message = ("iCE40LP8K-CM81 does not take pin 'Z9' for uart.tx; nextpnr-ice40: package does not "
               "have a pin named 'Z9' (on line ")
    with pytest.raises(PinError, match=f"^{re.escape(message)}[0-9]+\\)$"):
        check("A2", "Z9")


def test_another_failure_stays_what_it_was(check, monkeypatch):
    monkeypatch.setattr(pins, "_netlist", lambda ports, pads: {"modules": {}})
    with pytest.raises(toolchain.ToolError):
        check("A2", "A1")


@pytest.mark.parametrize(("part", "line"), [
    ("iCE40UP5K-SG48", "set_frequency clk_0__io 25.0"),
    ("LFE5U-25F-6BG381C", 'FREQUENCY PORT "clk_0__io" 25000000.0 HZ;'),
])
def test_a_part_alone_has_a_clock_and_no_pins(part, line):
    board = boards.bare(part, boards.BOARDS.values())
    made = prepare(Delayed(), board)
    assert line in made.constraints.splitlines()
    assert not re.search("set_io|LOCATE", made.constraints)
    assert set(made.ports) == {"rx", "tx", "clk", "reset"}
    free = board.family.place.free
    stage = Place(**{field.name: None for field in fields(Place)} | {"board": board})
    assert stage._free == free.options != ()
    assert replace(stage, board=boards.get("icebreaker"))._free == ()


def test_a_part_of_tools_that_choose_no_pins(monkeypatch):
    family = FAMILIES["ice40"]
    choosy = replace(family, place=replace(family.place, free=None))
    part = family.named("iCE40HX8K-CT256")
    monkeypatch.setattr(boards.bare.__globals__["families"], "part", lambda text: (choosy, part))
    board = boards.bare("x", boards.BOARDS.values())
    assert (board.name, board.estimate) == ("iCE40HX8K-CT256", True)
    assert board.source == boards.get("hx8k-b-evn").source
    message = ("iCE40HX8K-CT256: Lattice iCE40 needs pins to be placed, and no board with this "
               "part is known; give them in a file (docs/boards.md), and name that with --board")
    with pytest.raises(boards.BoardError, match=f"^{re.escape(message)}$"):
        boards.bare("x", [])
