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
from bitwright.boards import BoardError
from bitwright.hw.contents import as_built
from bitwright.hw.families.pll import Clock, Reference, nearest
from bitwright.hw.flow import wrap
from bitwright.hw.flow.flash import FlashError, check_bitstream, check_board
from bitwright.hw.flow.wrap import BoardTop, Delivered, Prepared, Wrap, delivered, prepare
from bitwright.hw.layout import Layout
from bitwright.hw.link.flash import flash_signature
from bitwright.hw.link.protocol import OVERHEAD, Identity
from bitwright.hw.link.record import OFFSET
from bitwright.hw.naming import RESETS, Naming
from bitwright.hw.plan import Plan
from bitwright.hw.report.results import Wrapped
from tests.hw.tiny import tiny
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


@pytest.mark.parametrize(("name", "pins"), [
    ("icebreaker", {"cs": "16", "clk": "15", "copi": "14", "cipo": "17", "wp": "12", "hold": "13"}),
    ("fomu-pvt", {"cs": "C1", "clk": "D1", "copi": "F1", "cipo": "E1"})])
def test_a_flash_has_its_pins(name, pins):
    board = boards.get(name)
    if board.uart is None:
        board = replace(board, uart=boards.lines("rx=A1,tx=A2", board.io))
    plan = Plan(nodes={"lut0": {"way": "folded", "cycles": 40, "writable": True}})
    made = prepare(delivered(tiny(), plan, simplify=True, clock_hz=board.clock_hz,
                             baud=board.baud, naming=Naming(), flash=True), board)
    found = dict(re.findall(r"^set_io spi_flash_1x_0__(\w+?)__io (\w+)$", made.constraints,
                            re.MULTILINE))
    assert found == pins


def test_a_large_memory_of_the_link_begins_with_anything():
    """No device fills it: Yosys would find none that does."""
    board = boards.get("icebreaker")
    found = []
    for request in ("block", "large"):
        made = prepare(delivered(tiny(), Plan(request=request), simplify=True,
                                 clock_hz=board.clock_hz, baud=board.baud, naming=Naming()), board)
        (link,) = (module for module in made.rtlil.split("\nmodule ")
                   if module.startswith("\\board.serial.link.requests.payload\n"))
        found.append((link.count('ram_style "huge"'), link.count("$meminit")))
    assert found == [(0, 1), (1, 0)]


class Spoken(wiring.Component):
    """Speaks to a flash."""

    def __init__(self):
        super().__init__({"rx": In(1), "tx": Out(1), "flash": Out(flash_signature())})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.flash.cs.eq(1), self.flash.clk.eq(self.flash.cipo),
                     self.flash.copi.eq(~self.flash.cipo)]
        return m


def test_a_flash_is_chosen_and_neither_protected_nor_held():
    line = SimpleNamespace(rx=Port("i", "rx_pin"), tx=Port("o", "tx_pin"))
    low = {name: io.SimulationPort("o", 1, invert=True) for name in ("cs", "wp", "hold")}
    pins = SimpleNamespace(clk=Port("o", "c"), copi=Port("o", "d"), cipo=Port("i", "q"), **low)

    class Platform:
        resources = dict.fromkeys([("spi_flash_1x", 0)])

        def request(self, name, number, dir):
            return pins if name == "spi_flash_1x" else line

    m = BoardTop(Spoken(), BOARD).elaborate(Platform())

    async def bench(ctx):
        for level in (0, 1):
            ctx.set(pins.cipo.i, level)
            await ctx.delay(1e-9)
            assert [ctx.get(pin.o) for pin in (pins.cs, pins.clk, pins.copi, pins.wp, pins.hold)
                    ] == [0, level, 1 - level, 1, 1]

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


def test_a_flash_that_nobody_knows_and_a_bitstream_that_is_too_long():
    message = ("blackice: its platform has no flash (a resource spi_flash), which --contents flash "
               "needs; leave that out, and write the contents over the link")
    with pytest.raises(BoardError, match=f"^{re.escape(message)}$"):
        check_board(boards.get("blackice"))
    check_bitstream(OFFSET)
    message = ("Bitstream must end before the contents in the flash, at byte 524,288, not at byte "
               "524,289; build it without --contents flash")
    with pytest.raises(FlashError, match=f"^{re.escape(message)}$"):
        check_bitstream(OFFSET + 1)


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
