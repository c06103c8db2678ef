"""Every family that is found does all that a family must, and a new one is one file."""

import importlib
import json
import re
import shutil
import subprocess
import sys

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitwright import boards
from bitwright.errors import UsageError
from bitwright.hw import families
from bitwright.hw.families import FAMILIES, Family, Resources, catalogue
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import options, synth, toolchain
from bitwright.hw.flow.verilog import to_verilog


class Mixed(wiring.Component):
    """Logic, carry and registers."""

    def __init__(self):
        super().__init__({"a": In(6), "y": Out(6)})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.y.eq((self.y + self.a) ^ (self.a << 1))
        return m


@pytest.fixture(scope="module")
def text():
    return to_verilog(Mixed())


def synthesised(family, text, folder):
    """Synthesise, and return what was counted."""
    source = folder / "in" / "top.v"
    source.parent.mkdir()
    source.write_text(text)
    stage = synth.Synthesise((source,), "top", family, {}, toolchain.find(YOSYS))
    return stage.run(folder, folder)


def used(folder):
    """Types of the cells of a netlist."""
    cells = json.loads((folder / "netlist.json").read_text())["modules"]["top"]["cells"]
    return {cell["type"] for cell in cells.values() if not cell["type"].startswith("$")}


SLOW = ("nexus", "xilinx")
"""Families whose libraries alone take Yosys ten seconds: not for a quick run."""


@pytest.fixture(scope="module", params=[
    pytest.param(family, marks=[pytest.mark.slow] if name in SLOW else [])
    for name, family in FAMILIES.items()], ids=FAMILIES)
def made(request, text, tmp_path_factory):
    """A family, what was found of the design in it, and the folder of its netlist."""
    folder = tmp_path_factory.mktemp(request.param.name)
    return request.param, synthesised(request.param, text, folder), folder


def test_a_family_synthesises_and_counts(made):
    family, found, _ = made
    total = found.total
    assert total.flip_flops == 6
    assert 5 <= total.luts <= 20
    assert max(total.luts, total.flip_flops) <= found.logic_cells <= total.luts + 6
    assert set(found.alternatives) == set(family.script.mappings)
    assert found.alternatives[found.mapping] == total.luts


def test_each_cell_has_a_model_with_a_behaviour(made):
    family, _, folder = made
    found = synth.cell_models(family.name)
    source = "\n".join(
        path.read_text() for path in found.sources) + "\n".join(
        path.read_text() for include in found.include_dirs for path in include.iterdir()
        if path.is_file())
    for kind in used(folder):
        body = re.search(rf"^\s*module {kind}\b.*?^\s*endmodule", source, re.MULTILINE | re.DOTALL)
        assert body is not None, kind
        assert re.search(r"\b(assign|always|generate|initial)\b|`\w+\(|\w+ \w+ ?\(", body[0]), kind
    # Block RAMs too, which this design has none of.
    for kind, cost in family.costs.items():
        if cost.memories:
            assert f"module {kind}" in source or kind == "PDPW16KD", kind


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_family_says_what_it_is(family):
    assert family.title
    assert family.lut_size in (4, 5, 6)
    assert not family.free & set(family.costs)
    assert all(isinstance(cost, Resources) for cost in family.costs.values())
    assert family.programs[0] is YOSYS
    assert all(path.is_file() for path in family.models.own_files)
    if family.pair is not None:
        assert {family.pair.lut, *family.pair.flip_flops} <= set(family.costs)
    if family.place is None:
        assert family.name in options.TARGETS
        return
    place = family.place
    assert family.name not in options.TARGETS
    arguments = [argument.format(configuration="in", bitstream="out") for argument in place.pack]
    assert {"in", "out"} <= set(arguments)
    module, _, name = family.platform.partition(":")
    assert hasattr(importlib.import_module(module), name)
    assert any(board.family is family for board in boards.BOARDS.values())


def test_clocks_are_written_as_the_tools_read_them():
    ice40, ecp5, nexus = (FAMILIES[name].place.clock for name in ("ice40", "ecp5", "nexus"))
    assert ice40.constrain("set_io clk 35\nset_frequency clk 12.0\n", 24.5e6) == (
        "set_io clk 35\nset_frequency clk 24.5\n")
    assert ecp5.constrain('FREQUENCY PORT "clk" 25000000.0 HZ;\n', 1e8) == (
        'FREQUENCY PORT "clk" 100000000.0 HZ;\n')
    assert nexus.constrain('create_clock -name "c" -period 83.3 [get_ports "c"]\n', 4e7) == (
        'create_clock -name "c" -period 25.0 [get_ports "c"]\n')
    # An oscillator inside of the device has no line.
    assert ice40.constrain("set_io led 39\n", 1e6) == "set_io led 39\n"
    with pytest.raises(ValueError, match=r"^Constraints must have at most 1 clock, not 2$"):
        ice40.constrain("set_frequency a 12.0\nset_frequency b 12.0\n", 1e6)


@pytest.mark.parametrize(("name", "message"), [
    ("ice4", "ice4: no such family; did you mean 'ice40'?"),
    ("pwm", "pwm: no such family; there are ecp5, gatemate, gowin, ice40, nexus, xilinx"),
])
def test_unknown_family(name, message):
    with pytest.raises(families.FamilyError, match=f"^{re.escape(message)}$") as error:
        families.get(name)
    assert isinstance(error.value, UsageError)


TOY = '''
from bitwright.hw.families.family import Family, Models, Script
from bitwright.hw.families.resources import Resources

FAMILY = Family(
    name="toy",
    title="Lattice Nexus, without carry",
    lut_size=4,
    script=Script("synth_nexus -noccu2 -noiopad -nodsp", "begin:map_luts",
                  {"abc9": ("synth_nexus -noccu2 -noiopad -run map_luts:check",)},
                  "synth_nexus -run check:edif"),
    costs={"LUT4": Resources(luts=1), "FD1P3IX": Resources(flip_flops=1),
           "FD1P3DX": Resources(flip_flops=1), "FD1P3BX": Resources(flip_flops=1),
           "FD1P3JX": Resources(flip_flops=1)},
    free=frozenset({"PFUMX", "WIDEFN9", "INV", "VLO", "VHI"}),
    models=Models(share=("nexus/cells_sim.v",)))
'''


def test_a_new_family_is_one_file(text, tmp_path, monkeypatch):
    """Found where the others are, synthesised, counted and offered as a target."""
    (tmp_path / "toy.py").write_text(TOY)
    package = importlib.import_module("bitwright.hw.families")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    found = catalogue.discover(package.__path__, package.__name__)
    sys.modules.pop("bitwright.hw.families.toy")
    assert set(found) == {*FAMILIES, "toy"}
    toy = found["toy"]
    assert isinstance(toy, Family)
    monkeypatch.setitem(FAMILIES, "toy", toy)
    assert families.get("toy") is toy
    result = synthesised(toy, text, tmp_path)
    assert result.total.flip_flops == 6
    assert result.total.luts >= 5
    assert len(synth.cell_models("toy").sources) == 1


PADS = """
module {name};
    parameter [5:0] KIND = 6'b{kind};
    reg drive, level, enable, out;
    wire own, theirs, own_in, theirs_in;
    assign own = drive ? level : 1'bz;
    assign theirs = drive ? level : 1'bz;
    SB_IO #(.PIN_TYPE(KIND)) one (.PACKAGE_PIN(own), .CLOCK_ENABLE(1'b1), .OUTPUT_ENABLE(enable),
                                  .D_OUT_0(out), .D_IN_0(own_in));
    YOSYS_IO #(.PIN_TYPE(KIND)) two (.PACKAGE_PIN(theirs), .CLOCK_ENABLE(1'b1),
                                     .OUTPUT_ENABLE(enable), .D_OUT_0(out), .D_IN_0(theirs_in));
    integer step;
    initial for (step = 0; step < 16; step = step + 1) begin
        {{drive, level, enable, out}} = step;
        #1 if (own !== theirs || own_in !== theirs_in) $display("differs %b %d", KIND, step);
        if (step == 15) $display("done");
    end
endmodule
"""


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")
@pytest.mark.parametrize("kind", ["000001", "011001", "101001"])
def test_pads_of_the_ice40_do_what_the_model_of_yosys_does(kind, tmp_path):
    family = FAMILIES["ice40"]
    theirs = (toolchain.yosys_data() / "ice40" / "cells_sim.v").read_text()
    body = re.search(r"^module SB_IO \(.*?^endmodule", theirs, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "theirs.v").write_text(
        "`timescale 1ns / 1ns\n`define ICE40_DEFAULT_ASSIGNMENT_1\n"
        + body.replace("SB_IO", "YOSYS_IO"))
    (tmp_path / "bench.v").write_text(PADS.format(name="bench", kind=kind))
    own = family.models.own_files[0]
    subprocess.run(["iverilog", "-g2012", "-o", "model", "-s", "bench", "theirs.v", "bench.v", own],
                   cwd=tmp_path, check=True)
    answer = subprocess.run(["vvp", "model"], cwd=tmp_path, capture_output=True, text=True,
                            check=True)
    assert answer.stdout == "done\n"


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")
@pytest.mark.parametrize("kind", ["000000", "010101"])
def test_pads_with_a_register_are_refused(kind, tmp_path):
    own = FAMILIES["ice40"].models.own_files[0]
    (tmp_path / "bench.v").write_text(
        f"module bench; SB_IO #(.PIN_TYPE(6'b{kind})) pad (); endmodule\n")
    answer = subprocess.run(["iverilog", "-o", "model", "bench.v", own], cwd=tmp_path,
                            capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert "has_no_model" in answer.stderr


@pytest.mark.parametrize(("family", "cell"), [
    ("ice40", "SB_HFOSC"), ("ice40", "SB_LFOSC"), ("nexus", "OSCA"), ("gowin", "OSC")])
def test_an_oscillator_inside_the_device_is_no_logic(family, cell):
    assert cell in families.get(family).free
