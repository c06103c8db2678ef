"""The design of a board: its pins, its clock, its rate, and who it says it is."""

import gc
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from bitwright import boards, ir
from bitwright.hw.contents import as_built
from bitwright.hw.families.pll import Clock, Reference, nearest
from bitwright.hw.flow import wrap
from bitwright.hw.flow.wrap import BoardTop, Delivered, Prepared, Wrap
from bitwright.hw.layout import Layout
from bitwright.hw.link.protocol import OVERHEAD, Identity
from bitwright.hw.naming import RESETS, Naming
from bitwright.hw.plan import Plan
from bitwright.hw.report.results import Wrapped
from tests.networks import network

BOARD = boards.get("icebreaker")

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


class Echo(wiring.Component):
    """Sends what it receives the wrong way round, so that either way is told from the other."""

    def __init__(self):
        super().__init__({"rx": In(1), "tx": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.tx.eq(~self.rx)
        return m


class Port(io.SimulationPort):
    """A pin with a name."""

    def __init__(self, direction, name):
        super().__init__(direction, 1, name=name)
        self.io = SimpleNamespace(name=name)


def test_pins_are_the_line_as_it_is():
    pins = SimpleNamespace(rx=Port("i", "rx_pin"), tx=Port("o", "tx_pin"))
    top = BoardTop(Echo(), BOARD)

    class Platform:
        def request(self, name, number, dir):
            assert (name, number, dir) == (*BOARD.uart, "-")
            return pins

    m = top.elaborate(Platform())
    assert top.pins == {"rx": "rx_pin", "tx": "tx_pin"}

    async def bench(ctx):
        for level in (0, 1, 0):
            ctx.set(pins.rx.i, level)
            await ctx.delay(1e-9)
            assert ctx.get(pins.tx.o) == 1 - level

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("reset", RESETS)
def test_the_block_is_reset_as_it_wants_to_be(reset):
    m = Module()
    m.submodules.block = block = Delivered(Echo(), Naming("net", reset))
    text = rtlil.convert(m, ports=[block.rx, block.tx], emit_src=False)
    source = re.escape(re.search(rf"connect \\{reset} (\S+)", text)[1])
    inverted = re.search(rf"cell \$not \S+\n(?:(?!  end\n).*\n)*?    connect \\Y {source}\n", text)
    assert (inverted is not None) == (reset == "aresetn")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs the stage, and returns what it found, the design it made, and the folder."""
    def of(**changes):
        designs = []

        def prepared(design, board, pll):
            designs.append(design)
            return Prepared("", "", {"rx": "r", "tx": "t", "clk": "c", "reset": None})

        monkeypatch.setattr(wrap, "prepare", prepared)
        (tmp_path / "top.v").write_text("module top; endmodule\n")
        settings = {"network": network(7), "plan": Plan(lanes=2), "simplify": True,
                    "naming": Naming(), "text": tmp_path / "top.v", "board": BOARD,
                    "clock": Clock(BOARD.clock_hz), "baud": 500_000, "amaranth": "1",
                    "amaranth_boards": "1"}
        folder = tmp_path / "out"
        folder.mkdir()
        return Wrap(**settings | changes).run(folder, tmp_path), designs[0], folder
    yield of
    gc.collect()  # what was never elaborated is dropped while nobody minds


def test_clock_and_rate_are_those_of_board_and_line(run):
    _, design, _ = run()
    assert design.cycles == BOARD.clock_hz // 500_000
    assert design.timeout == round(0.02 * BOARD.clock_hz)


def test_with_a_pll_they_are_those_of_what_it_makes(run):
    pll = nearest(BOARD.family.pll(BOARD.part, Reference(12_000_000, "35")), 24e6)
    _, design, folder = run(clock=Clock(12_000_000, pll))
    assert design.cycles == 48
    assert design.timeout == round(0.02 * 24e6)
    about = json.loads((folder / "board.json").read_text())
    assert (about["clock_hz"], about["oscillator_hz"]) == (24e6, 12_000_000)
    assert about["pll"] == {"cell": "SB_PLL40_PAD", "parameters": dict(pll.parameters)}


def test_the_device_says_that_it_is_the_frozen_network(run):
    frozen = network(7)
    assert ir.digest(as_built(frozen, Plan(lanes=2))) != ir.digest(frozen)
    _, design, _ = run()
    assert design.identity == Identity.of(frozen, Plan(lanes=2))


def test_what_it_found(run):
    found, _, folder = run()
    layout = Layout.of(network(7), 2)
    assert found == Wrapped(OVERHEAD + layout.sample_bytes, OVERHEAD + layout.result_bytes)
    about = json.loads((folder / "board.json").read_text())
    assert (about["clock_hz"], about["baud"]) == (12_000_000, 500_000)
    assert about["network"] == ir.digest(network(7))
    assert about["plan"] == Plan(lanes=2).digest
    assert about["ports"] == {"rx": "r", "tx": "t", "clk": "c", "reset": None}


QUICK = ("icebreaker", "ulx3s-25f")

OSCILLATORS = ("SB_HFOSC", "OSCH")
"""Those inside devices of the boards that have no other."""


@pytest.mark.parametrize("name", [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in boards.BOARDS])
def test_every_board_has_its_pins(name, tmp_path):
    board = boards.get(name)
    if board.uart is None:
        board = replace(board, uart=boards.lines("rx=A1,tx=A2", board.io))
    (tmp_path / "top.v").write_text("")
    folder = tmp_path / "out"
    folder.mkdir()
    Wrap(network(7), Plan(), True, Naming("net", "aresetn"), tmp_path / "top.v", board,
         Clock(board.clock_hz), board.baud,
         "1", "1").run(folder, tmp_path)
    ports = json.loads((folder / "board.json").read_text())["ports"]
    text = (folder / "board.il").read_text()
    constraints = (folder / f"board.{board.family.place.constraints}").read_text()
    for name in filter(None, (ports["rx"], ports["tx"], ports["clk"])):
        assert f" \\{name}\n" in text
        assert name in constraints
    # An oscillator inside the device has no pin.
    assert (ports["clk"] is None) is any(f"\\{name} " in text for name in OSCILLATORS)
    # The network is an instance of its own text.
    assert "cell \\net \\axi" in text
    assert "connect \\aresetn" in text
    assert "module \\board.serial.axi" not in text
