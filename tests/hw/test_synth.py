"""Synthesis keeps the function, and its parts add up."""

import dataclasses
import json
import re

import pytest
from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.families import FAMILIES, Resources
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import synth, toolchain
from bitwright.hw.flow.parts import modules
from bitwright.hw.flow.verilog import to_verilog


class Stage(wiring.Component):
    def __init__(self, width):
        super().__init__({"a": In(width), "b": In(width), "y": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.y.eq(self.a + (self.b ^ (self.y << 1)))
        return m


class Inner(wiring.Component):
    """Has the parts of a network's IP, and glue between them."""

    def __init__(self):
        super().__init__({"a": In(6), "y": Out(6)})

    def elaborate(self, platform):
        m = Module()
        previous = self.a
        for name in ("encoder", "core", "head"):
            m.submodules[name] = stage = Stage(6)
            # A node of the network may be called like a part.
            if name == "core":
                m.submodules.ip = Namesake()
            m.d.comb += [stage.a.eq(previous), stage.b.eq(self.a.rotate_left(1))]
            previous = stage.y
        m.d.sync += self.y.eq(previous ^ self.a)
        return m


class Namesake(wiring.Component):
    def __init__(self):
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = Stage(3)
        m.submodules.link = Link()
        return m


class Link(wiring.Component):
    """What a wrapper would have, inside of a part that has nothing to do with it."""

    def __init__(self):
        super().__init__({"y": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = link = Stage(2)
        m.d.comb += self.y.eq(link.y[0])
        return m


class Outer(wiring.Component):
    def __init__(self):
        super().__init__({"a": In(6), "y": Out(6)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.ip = ip = Inner()
        m.d.comb += [ip.a.eq(self.a), self.y.eq(ip.y)]
        return m


class Elements(wiring.Component):
    """An array of registers, of which Amaranth names each element as if it were a bit."""

    def __init__(self):
        layout = data.ArrayLayout(3, 2)
        super().__init__({"a": In(layout), "y": Out(layout)})

    def elaborate(self, platform):
        m = Module()
        total = Signal(self.y.shape())
        m.d.sync += [place.eq(place + part) for place, part in zip(total, self.a, strict=True)]
        m.d.comb += self.y.eq(total)
        return m


def test_no_wire_is_called_like_a_bit_of_another(tmp_path):
    """ABC9 takes the one for the other, and then fails an assertion."""
    text = to_verilog(Elements())
    assert r"\total[1]" in text
    netlist = synth.netlist(text, "top", "ecp5", tmp_path, parts={})
    assert not re.search(r"wire.*\\\S+\[\d+\] ", netlist.read_text())


class Tables(wiring.Component):
    """Constants that are indexed: whole ones, with zeros in front, with an index that is part
    constant, and one of which more than a bit is read."""

    def __init__(self):
        super().__init__({"a": In(6), "y": Out(6)})

    def elaborate(self, platform):
        m = Module()
        wide = Const(0x9A3C_55E1_0FF0_1234, 64)
        m.d.sync += self.y.eq(Cat(
            wide.bit_select(self.a, 1), Const(0x2B, 64).bit_select(self.a, 1),
            Const(0x6E, 8).bit_select(Cat(self.a[4], self.a[1], Const(0, 1)), 1),
            Const(0, 16).bit_select(self.a[:4], 1), wide.bit_select(self.a, 2)))
        return m


def test_tables_are_mapped_by_one_module_for_all(tmp_path):
    """And not by one of its own for each, which takes longer the more there are."""
    synth.netlist(to_verilog(Tables()), "top", "ice40", tmp_path, parts={})
    log = (tmp_path / "yosys.log").read_text(encoding="utf-8")
    assert log.count("constant_table for cells of type $shr") == 4  # widths: 64, 6, 1 and 7
    assert log.count("constmap:") == 1  # the one of which two bits are read


@pytest.fixture(scope="module")
def verilog():
    return to_verilog(Outer())


@pytest.mark.parametrize("family", [
    family if family in ("ice40", "ecp5") else pytest.param(family, marks=pytest.mark.slow)
    for family in FAMILIES])
def test_parts_add_up(family, verilog, tmp_path):
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "top.v"
    source.write_text(verilog)
    stage = synth.Synthesise((source,), "top", FAMILIES[family], modules("top"),
                             toolchain.find(YOSYS))
    result = stage.run(tmp_path, tmp_path)
    assert set(result.parts) == {"encoder", "core", "head", "other"}
    assert sum(result.parts.values(), Resources()) == result.total
    assert result.total.luts == result.alternatives[result.mapping]
    for part in result.parts.values():
        assert part.flip_flops == 6
    assert result.parts["core"].luts >= 4
    # By hand: the cells of the netlist that would be placed.
    cells = json.loads((tmp_path / "netlist.json").read_text())["modules"]["top"]["cells"]
    flip_flops = [name for name, item in cells.items()
                  if re.match(r"SB_DFF|TRELLIS_FF|FD[RS]E|DFF|CC_DFF|FD1P3", item["type"])]
    assert len(flip_flops) == result.total.flip_flops
    assert dataclasses.asdict(result.total)["memories"] == 0


@pytest.mark.parametrize(("design", "family"), [
    pytest.param(design, family, marks=[] if (design, family) == (Tables, "ice40") else
                 [pytest.mark.slow]) for design in (Outer, Tables) for family in ("ice40", "ecp5")])
def test_netlist_equals_the_design(design, family, tmp_path):
    """Proven by Yosys for four cycles of any input, with the models that simulation uses."""
    synth.netlist(to_verilog(design()), "top", family, tmp_path)
    found = synth.cell_models(family)
    # There is no PLL in this netlist, and its model is a matter of time, of which a proof knows
    # nothing.
    models = [path for path in found.sources if path.name != "pll.v"]
    include_dirs, defines = found.include_dirs, found.defines
    folders = {*include_dirs, *(model.parent for model in models)}
    for folder in folders:  # beside the script: the tools see no absolute path below /tmp
        (tmp_path / folder.name).mkdir(exist_ok=True)
        for path in folder.iterdir():
            if path.is_file():
                (tmp_path / folder.name / path.name).write_bytes(path.read_bytes())
    options = " ".join([*(f"-I{path.name}" for path in include_dirs),
                        *(f"-D{name}" for name in defines)])
    cells = " ".join(f"{path.parent.name}/{path.name}" for path in models)
    (tmp_path / "prove.ys").write_text(f"""
        read_verilog source/source.v
        hierarchy -top top
        proc
        flatten
        design -stash gold
        read_verilog -sv -defer -overwrite {options} {cells}
        read_verilog netlist.v
        hierarchy -top top
        proc
        flatten
        design -stash gate
        design -copy-from gold -as gold top
        design -copy-from gate -as gate top
        miter -equiv -flatten -make_outputs gold gate miter
        hierarchy -top miter
        async2sync
        sat -verify -set-at 1 in_rst 1 -seq 5 -prove-skip 1 -prove trigger 0 miter
        """)
    toolchain.run(toolchain.find(YOSYS), ["prove.ys"], folder=tmp_path,
                  log=tmp_path / "prove.log")
    assert "SAT proof finished - no model found: SUCCESS!" in (tmp_path / "prove.log").read_text()


def test_equal_texts_give_equal_netlists(verilog, tmp_path):
    first = synth.netlist(verilog, "top", "ice40", tmp_path / "a")
    second = synth.netlist(verilog, "top", "ice40", tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "a/netlist.json").read_bytes() == \
        (tmp_path / "b/netlist.json").read_bytes()


def test_bad_verilog(tmp_path):
    log = tmp_path / "yosys.log"
    message = (r"yosys: source\.v:1: syntax error, unexpected .* \(exit code 1\); "
               f"its log is {re.escape(str(log))}")
    with pytest.raises(toolchain.ToolError, match=f"^{message}$"):
        synth.netlist("module top(; endmodule\n", "top", "ice40", tmp_path)


@pytest.mark.parametrize(("luts", "worth", "best"), [
    ({"fast": 750, "small": 738}, 1.05, "fast"),
    ({"fast": 1050, "small": 1000}, 1.05, "fast"),
    ({"fast": 1051, "small": 1000}, 1.05, "small"),
    ({"fast": 900, "small": 1000}, 1.05, "fast"),
    ({"fast": 750, "small": 738}, 1.0, "small"),
    ({"fast": 738, "small": 738}, 1.0, "fast"),
    ({"only": 5}, 1.05, "only"),
])
def test_a_faster_mapping_may_cost_a_few_luts(luts, worth, best):
    assert synth.best_mapping(luts, worth) == best


def test_where_nothing_is_placed_the_smallest_mapping_is_kept(tmp_path):
    """Of a comparison of eight bits abc9 makes three LUT6, of which one would do with two."""
    text = """module top(input clk, input [31:0] x, output reg [3:0] y);
        integer i;
        always @(posedge clk)
            for (i = 0; i < 4; i = i + 1) y[i] <= x[8*i +: 8] >= 8'd43;
    endmodule"""
    (tmp_path / "source.v").write_text(text, encoding="utf-8")
    found = synth.Synthesise((tmp_path / "source.v",), "top", FAMILIES["xilinx"], {},
                             toolchain.find(YOSYS)).run(tmp_path, tmp_path)
    assert found.mapping == "area"
    assert found.total.luts == found.alternatives["area"] == 8 < found.alternatives["abc9"]


def test_a_tile_of_registers_is_not_split_by_their_resets(tmp_path):
    """Registers that share a reset with few others do without one on an iCE40: a tile has one."""
    text = """module top(input clk, input [3:0] alone, input [7:0] data, input shared,
                         output reg [3:0] few, output reg [7:0] many);
        integer i;
        always @(posedge clk) begin
            for (i = 0; i < 4; i = i + 1) few[i] <= alone[i] ? 1'b0 : data[i];
            many <= shared ? 8'd0 : data;
        end
    endmodule"""
    netlist = synth.netlist(text, "top", "ice40", tmp_path).read_text(encoding="utf-8")
    assert (netlist.count("SB_DFFSR "), netlist.count("SB_DFF ")) == (8, 4)
