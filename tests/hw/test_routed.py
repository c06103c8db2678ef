"""The netlist after routing: what is added to it, and its cells against the primitives that they
were made of."""

import json
import random
import re
import shutil
import subprocess

import pytest

from bitwright.hw import families
from bitwright.hw.families.routed import Routed, RoutedError
from bitwright.hw.flow import synth
from bitwright.sim.cells import library

ICE40 = families.get("ice40").place.routed
FLIP_FLOPS = ("SB_DFF", "SB_DFFE", "SB_DFFSR", "SB_DFFR", "SB_DFFSS", "SB_DFFS", "SB_DFFESR",
              "SB_DFFER", "SB_DFFESS", "SB_DFFES", "SB_DFFN", "SB_DFFNESR", "SB_DFFNER")
MADE = """
module bench;
    reg [7:0] step;
    reg [3:0] i;
    reg carry, clk, enable, reset;
    integer seed = 1, wrong = 0;
{cells}
    initial begin
        {{i, carry, clk, enable, reset}} = 0;
        for (step = 0; step < 200; step = step + 1) begin
            i = step;
            #1 {{carry, enable, reset}} = $random(seed);
            #1 clk = !clk;
            #1 if (got !== wanted || step > 1 && ^got === 1'bx) begin
                wrong = wrong + 1;
                $display("step %0d: %b instead of %b", step, got, wanted);
            end
        end
        $display("%0d wrong", wrong);
    end
endmodule
"""


def simulated(text, folder):
    """What a bench says that has cells of the iCE40."""
    models = synth.cell_models("ice40")
    (folder / "bench.v").write_text(
        text + library(text, models.sources, models.include_dirs))
    subprocess.run(["iverilog", "-g2012", *(f"-D{name}" for name in models.defines), "-s", "bench",
                    "-o", "bench.vvp", "bench.v"], cwd=folder, check=True)
    return subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder, check=True, capture_output=True,
                          text=True).stdout


def logic_cell(number, init, **settings):
    """A packed cell whose output is bit ``number`` of ``got``."""
    values = {"LUT_INIT": f"16'h{init:04x}", **settings}
    parameters = ", ".join(f".{name}({value})" for name, value in values.items())
    return f"""  ICESTORM_LC #(
    {parameters}
  ) lc{number} (.I0(i[0]), .I1(i[1]), .I2(i[2]), .I3(i[3]), .CIN(carry), .CLK(clk), .CEN({{}}),
    .SR({{}}), .O(got[{number}]), .LO(), .COUT({{}}));
"""


def cells(found):
    """Pairs of a packed cell and what it was made of, as Verilog."""
    width = len(found)
    return f"  wire [{width - 1}:0] got, wanted;\n" + "\n".join(found)


def flip_flop(number, kind, init):
    """A LUT and a flip-flop behind it, packed and as they were."""
    name = re.fullmatch(r"SB_DFF(N?)(E?)(SR|SS|R|S)?", kind)
    enabled, reset = bool(name[2]), name[3]
    packed = logic_cell(
        number, init, DFF_ENABLE=1, NEG_CLK=int(bool(name[1])),
        ASYNC_SR=int(reset in ("R", "S")), SET_NORESET=int(reset in ("SS", "S")))
    pins = [f".D(d{number})", ".C(clk)", f".Q(wanted[{number}])",
            *([".E(enable)"] if enabled else []), *([f".{reset[-1]}(reset)"] if reset in
                                                    ("R", "S", "SS") else []),
            *([".R(reset)"] if reset == "SR" else [])]
    return (packed.format("enable" if enabled else "1'b1", "reset" if reset else "1'b0", "")
            + f"  wire d{number};\n  SB_LUT4 #(\n    .LUT_INIT(16'h{init:04x})\n  ) l{number} "
            f"(.I0(i[0]), .I1(i[1]), .I2(i[2]), .I3(i[3]), .O(d{number}));\n"
            f"  {kind} f{number} (\n    {', '.join(pins)});\n")


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")
def test_logic_cells_are_what_they_were_made_of(tmp_path):
    """LUTs with every input, all flip-flops, carries with every way to begin."""
    rng = random.Random(1)
    found = []
    for number, init in enumerate([0, 0xFFFF, 0xAAAA, 0x8000, *(rng.randrange(1 << 16)
                                                               for _ in range(12))]):
        found.append(logic_cell(number, init).format("1'b1", "1'b0", "")
                     + f"  SB_LUT4 #(\n    .LUT_INIT(16'h{init:04x})\n  ) l{number} (.I0(i[0]), "
                     f".I1(i[1]), .I2(i[2]), .I3(i[3]), .O(wanted[{number}]));\n")
    found += [flip_flop(number, kind, rng.randrange(1 << 16))
              for number, kind in enumerate(FLIP_FLOPS, len(found))]
    for number, (constant, value, begin) in enumerate(
            [(0, 0, "carry"), (1, 0, "1'b0"), (1, 1, "1'b1")], len(found)):
        packed = logic_cell(number, 0, CARRY_ENABLE=1, CIN_CONST=constant, CIN_SET=value)
        packed = packed.replace(f".O(got[{number}])", ".O()")
        found.append(packed.format("1'b1", "1'b0", f"got[{number}]")
                     + f"  SB_CARRY c{number} (\n    .I0(i[1]), .I1(i[2]), .CI({begin}), "
                     f".CO(wanted[{number}]));\n")
    assert simulated(MADE.format(cells=cells(found)), tmp_path) == "0 wrong\n"


RAM = """
module bench;
    reg [43:0] in;
    reg rclk = 0, wclk = 0, wrong = 0;
    reg [10:0] step;
    integer seed = 1;
    wire [15:0] got, wanted;
    wire [10:0] raddr = {{3'b0, in[7:0]}}, waddr = {{3'b0, in[15:8]}};
    wire [15:0] data = in[31:16], mask = {{in[35:32], in[43:32]}};
    wire re = in[36], we = in[37], rclke = in[38] | in[39], wclke = in[40] | in[41];
  SB_RAM40_4K #(
    {settings}
  ) was (.RDATA(wanted), .RADDR(raddr), .WADDR(waddr), .MASK(mask), .WDATA(data), .RCLK(rclk),
    .RCLKE(rclke), .RE(re), .WCLK(wclk), .WCLKE(wclke), .WE(we));
  ICESTORM_RAM #(
    {settings}, .NEG_CLK_R({negative}), .NEG_CLK_W(0)
  ) is ({pins}, .RCLK(rclk ^ {negative}), .RCLKE(rclke), .RE(re), .WCLK(wclk), .WCLKE(wclke),
    .WE(we));
    initial begin
        for (step = 0; step < 1000; step = step + 1) begin
            #1 in = {{$random(seed), $random(seed)}};
            {{rclk, wclk}} = 0;
            #1 if (got !== wanted) wrong = 1;  // of the other edge, nothing is read
            {{rclk, wclk}} = {{1'b1, in[42]}};
            #1 if (got !== wanted) wrong = 1;
        end
        $display("%b %b", wrong, ^got !== 1'bx);
    end
endmodule
"""


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")
@pytest.mark.parametrize(("negative", "mode"), [(0, 0), (1, 0), (0, 1), (0, 3)])
def test_block_rams_are_what_they_were_made_of(negative, mode, tmp_path):
    rng = random.Random(2)
    settings = ", ".join([f".READ_MODE({mode})", f".WRITE_MODE({mode})",
                          *(f".INIT_{row:X}(256'h{rng.getrandbits(256):x})" for row in range(16))])
    pins = ", ".join(f".{pin}_{bit}({net}[{bit}])" for pin, net, width in (
        ("RDATA", "got", 16), ("RADDR", "raddr", 11), ("WADDR", "waddr", 11), ("MASK", "mask", 16),
        ("WDATA", "data", 16)) for bit in range(width))
    text = RAM.format(settings=settings, negative=negative, pins=pins)
    assert simulated(text, tmp_path) == "0 1\n"


def cell(kind, ways, wires, **attributes):
    return {"type": kind, "attributes": {"NEXTPNR_BEL": kind, **attributes},
            "port_directions": ways, "connections": wires}


def design(**cells):
    return json.dumps({"modules": {"top": {
        "ports": {}, "cells": cells, "netnames": {"n": {"bits": [2], "attributes": {"ROUTING": ""}}}
    }}})


def completed(text):
    (module,) = json.loads(ICE40.complete(text, "board"))["modules"].values()
    return {name: found["connections"] for name, found in module["cells"].items()}


def test_what_is_not_connected_is_held_as_the_device_holds_it():
    ways = {"I0": "input", "I1": "input", "CEN": "input", "O": "output", "LO": "output"}
    text = design(lc=cell("ICESTORM_LC", ways, {"I0": [2], "I1": [], "CEN": [], "O": [3],
                                                "LO": []}))
    assert completed(text) == {"lc": {"I0": [2], "I1": ["0"], "CEN": ["1"], "O": [3]}}


BUFFER = {"USER_SIGNAL_TO_GLOBAL_BUFFER": "input", "GLOBAL_BUFFER_OUTPUT": "output"}


def test_a_pad_lies_on_its_global_buffer():
    found = completed(design(**{
        "pad": cell("SB_IO", {"PACKAGE_PIN": "inout"}, {"PACKAGE_PIN": [2]}),
        "$gbuf_pad_io": cell("SB_GB", BUFFER, {"USER_SIGNAL_TO_GLOBAL_BUFFER": [],
                                               "GLOBAL_BUFFER_OUTPUT": [3]}, FOR_PAD_IN="1")}))
    assert found["$gbuf_pad_io"] == {"USER_SIGNAL_TO_GLOBAL_BUFFER": [2],
                                     "GLOBAL_BUFFER_OUTPUT": [3]}


def test_a_pll_lies_between_its_pad_and_its_global_buffer():
    found = completed(design(**{
        "pad": cell("SB_IO", {"PACKAGE_PIN": "inout"}, {"PACKAGE_PIN": [2]}),
        "$gbuf_a_pllout_a": cell("SB_GB", BUFFER, {"USER_SIGNAL_TO_GLOBAL_BUFFER": [],
                                                   "GLOBAL_BUFFER_OUTPUT": [3]}, FOR_PAD_IN="1"),
        "a_PLL": cell("ICESTORM_PLL", {"REFERENCECLK": "input", "PLLOUT_A_GLOBAL": "output"},
                      {"REFERENCECLK": [], "PLLOUT_A_GLOBAL": []}, TYPE="SB_PLL40_PAD",
                      BEL_PAD_INPUT="SB_IO")}))
    assert found["a_PLL"] == {"REFERENCECLK": [2], "PLLOUT_A_GLOBAL": [4]}
    assert found["$gbuf_a_pllout_a"]["USER_SIGNAL_TO_GLOBAL_BUFFER"] == [4]


@pytest.mark.parametrize(("text", "error"), [
    ('{"modules": {}}', r"not enough values to unpack \(expected 1, got 0\)"),
    ("{", r"Expecting property name .*"), ('{"modules": {"top": {}}}', "'cells'")])
def test_a_file_that_is_none(text, error):
    with pytest.raises(RoutedError, match=rf"^no netlist of one routed design \({error}\)$"):
        Routed().complete(text, "board")
