"""The Verilog text."""

import os
import re
from pathlib import Path

import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.flow.toolchain import ToolError
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from tests.networks import network


@pytest.fixture(scope="module")
def text():
    return to_verilog(AxiIp(network(7, frames=2), Plan(lanes=2)))


def test_equal_designs_give_equal_text(text):
    assert to_verilog(AxiIp(network(7, frames=2), Plan(lanes=2))) == text
    assert to_verilog(AxiIp(network(7, frames=2), Plan(lanes=1))) != text


def test_the_text_names_no_place_and_no_tool(text):
    assert "always @*" not in text
    assert "src" not in text
    assert str(Path(__file__).parents[2]) not in text
    assert "Yosys" not in text


def test_hierarchy_and_ports(text):
    subject = network(7)
    modules = re.findall(r"^module (?:\\)?(\S+?)\s*\(", text, re.MULTILINE)
    assert modules[0] == "top"
    for part in ("ip", "ip.encoder", "ip.core", "ip.head", f"ip.head.{subject.entries[-1].name}"):
        assert f"top.{part}" in modules
    top = text[text.index("module top") : text.index("endmodule")]
    ports = re.findall(r"^  (?:in|out)put (?:\[.*\] )?(\w+);", top, re.MULTILINE)
    assert set(ports) == {"clk", "rst", "sample_error",
                          *(f"{side}_axis_t{name}" for side in "sm"
                            for name in ("data", "valid", "ready", "last"))}


class Reversed(wiring.Component):
    """So many bits in the reverse order: one concatenation."""

    def __init__(self, width):
        super().__init__({"i": In(width), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(Cat(reversed(self.i)))
        return m


def test_wide_concatenations_are_broken_into_lines():
    """Verilator refuses lines of more than 40,000 tokens."""
    wide = to_verilog(Reversed(9000))
    assert max(map(len, wide.split("\n"))) <= 40_000
    assert re.findall(r"\bi *\[(\d+)\]", wide) == [str(place) for place in range(9000)]
    assert re.search(r"= \{ i\[0\], .*\}", to_verilog(Reversed(99)))  # as it was


def test_environment_is_left_as_it_was(monkeypatch):
    monkeypatch.delenv("YOSYS", raising=False)
    to_verilog(AxiIp(network(5), Plan()), name="other")
    assert "YOSYS" not in os.environ


def test_no_yosys(monkeypatch):
    monkeypatch.setenv("YOSYS", "no-such-yosys")
    with pytest.raises(ToolError, match=r"^yosys: environment variable YOSYS names "
                                        r"'no-such-yosys', which is no program$"):
        to_verilog(AxiIp(network(5), Plan()))
