"""The cells that nextpnr packs a design into, for ECP5, Nexus and Gowin, against the primitives
that they were made of, as Yosys models those; and what is added to a netlist of them."""

import itertools
import json
import random
import shutil
import subprocess

import pytest

from bitwright.hw import families
from bitwright.hw.flow import synth
from bitwright.sim.cells import library

icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")

BENCH = """
module bench;
    reg [31:0] in;
    reg clk;
    reg [10:0] step;
    integer seed = 1, wrong = 0;
    wire [{last}:0] got, wanted;
    wire [3:0] read = in[11:8], write = in[15:12], data = in[19:16];
{cells}
    initial begin
        {{clk, in}} = 0;
        for (step = 0; step < 600; step = step + 1) begin
            #1 in = $random(seed);
            #1 clk = !clk;
            // The last word of a memory of Nexus is undefined in Yosys's model until it is written.
            #1 if (|(got ^ wanted) === 1'b1 || ^got === 1'bx) begin
                wrong = wrong + 1;
                $display("step %0d: %b", step, got ^ wanted);
            end
        end
        $display("%0d wrong", wrong);
    end
endmodule
"""
LUT = {"A": "in[0]", "B": "in[1]", "C": "in[2]", "D": "in[3]"}


def cell(kind, pins, **settings):
    """A cell as Yosys writes one."""
    name = f"cell{next(cell.count)}"
    pins = ", ".join(f".{pin}({wire})" for pin, wire in pins.items())
    if not settings:
        return f"  {kind} {name} (\n    {pins});\n"
    settings = ", ".join(f".{name}({value})" for name, value in settings.items())
    return f"  {kind} #(\n    {settings}\n  ) {name} (\n    {pins});\n"


cell.count = itertools.count()


def wrong(family, pairs, folder):
    """Simulate pairs of cells, each a function of the four bits of ``got`` that one of them drives
    and the four of ``wanted`` that the other does."""
    cells = []
    for number, pair in enumerate(pairs):
        bits = range(4 * number, 4 * number + 4)
        text = pair([f"got[{bit}]" for bit in bits], [f"wanted[{bit}]" for bit in bits])
        cells += [text, *(f"  assign {wire} = 1'b0;\n" for bit in bits
                          for wire in (f"got[{bit}]", f"wanted[{bit}]") if wire not in text)]
    models = synth.cell_models(family)
    text = BENCH.format(last=4 * len(pairs) - 1, cells="".join(cells))
    (folder / "bench.v").write_text(text + library(text, models.sources, models.include_dirs))
    subprocess.run(["iverilog", "-g2012", *(f"-D{name}" for name in models.defines), "-s", "bench",
                    "-o", "bench.vvp", "bench.v"], cwd=folder, check=True)
    return subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder, check=True, capture_output=True,
                          text=True).stdout


def vector(rng, width=16):
    return f"{width}'h{rng.getrandbits(width):x}"


def trellis(pins, **settings):
    """Half a slice, with every input connected."""
    names = ("A", "B", "C", "D", "M", "FCI", "F1", "FXA", "FXB", "WD", "WAD0", "WAD1", "WAD2",
             "WAD3", "WRE", "WCK", "DI0", "DI1")
    return cell("TRELLIS_COMB", {**dict.fromkeys(names, "1'b0"), **pins}, **settings)


def trellis_carry(rng, inject):
    inits = [vector(rng), vector(rng)]
    pins = ({pin: f"in[{n}]" for n, pin in enumerate("ABCD")},
            {pin: f"in[{n}]" for n, pin in enumerate("ABCD", 4)})

    def pair(got, want):
        # The wire between the halves is the last bit: its other side is the same.
        halves = (trellis({**pins[0], "FCI": "in[8]", "F": got[0], "FCO": got[3]}, MODE='"CCU2"',
                          INITVAL=inits[0], CCU2_INJECT1=f'"{inject[0]}"'),
                  trellis({**pins[1], "FCI": got[3], "F": got[1], "FCO": got[2]}, MODE='"CCU2"',
                          INITVAL=inits[1], CCU2_INJECT1=f'"{inject[1]}"'))
        whole = cell("CCU2C", {
            **{f"{pin}{half}": wire for half in (0, 1) for pin, wire in pins[half].items()},
            "CIN": "in[8]", "S0": want[0], "S1": want[1], "COUT": want[2]},
            INIT0=inits[0], INIT1=inits[1], INJECT1_0=f'"{inject[0]}"',
            INJECT1_1=f'"{inject[1]}"')
        return "".join(halves) + whole + f"  assign {want[3]} = {got[3]};\n"

    return pair


def trellis_flip_flop(source, **settings):
    settings = {name: f'"{value}"' for name, value in settings.items()}
    pins = {"CLK": "clk", "LSR": "in[4]", "CE": "in[5]", "M": "in[6]", "DI": "in[7]"}
    data = {"DI": "in[7]"} if source else {"DI": "in[6]"}
    return lambda got, want: (
        cell("TRELLIS_PACKED_FF", {**pins, "Q": got[0]}, SD=f'"{source}"', **settings)
        + cell("TRELLIS_FF", {**pins, **data, "Q": want[0]}, **settings))


def memory(comb, writer, kind, place=False):
    """Four bits of a memory in four LUTs, and what writes them, by the two families of Lattice.

    ``comb`` takes pins and settings, the number of a half among them if ``place``.
    """
    def pair(got, want):
        wires = f"{got[0][:3]}_{next(cell.count)}"
        lines = [f"  wire [9:0] {wires};\n"]
        outputs = {**{f"WADO{n}": f"{wires}[{n}]" for n in range(4)},
                   **{f"WDO{n}": f"{wires}[{n + 4}]" for n in range(4)}}
        address = {pin: f"write[{n}]" for n, pin in enumerate(("D0", "B0", "C0", "A0"))}
        lines.append(writer({**address, **outputs}, wires))
        for bit in range(4):
            reads = ("C", "B", "D", "A") if place and bit % 2 else ("D", "B", "C", "A")
            lines.append(comb({
                **{pin: f"read[{n}]" for n, pin in enumerate(reads)},
                **{f"WAD{n}": f"{wires}[{n}]" for n in range(4)}, "data": f"{wires}[{bit + 4}]",
                "WRE": f"{wires}[8]", "WCK": f"{wires}[9]", "F": got[bit]},
                **({"PLACE": bit % 2} if place else {})))
        whole = cell(kind, {"DI": "data", "WAD": "write", "RAD": "read", "WRE": "in[20]",
                            "WCK": "clk", "DO": f"{{{', '.join(reversed(want))}}}"})
        return "".join(lines) + whole

    return pair


def trellis_memory():
    def writer(pins, wires):
        data = {pin: f"data[{n}]" for n, pin in enumerate(("C1", "A1", "D1", "B1"))}
        return (cell("TRELLIS_RAMW", {**pins, **data})
                + f"  assign {wires}[9:8] = {{clk, in[20]}};\n")

    return memory(lambda pins, **settings: trellis(
        {**{pin: wire for pin, wire in pins.items() if pin != "data"}, "WD": pins["data"]},
        MODE='"DPRAM"', **settings), writer, "TRELLIS_DPR16X4")


@icarus
def test_ecp5(tmp_path):
    """LUTs, all halves of a carry, flip-flops with either source, a memory, multiplexers."""
    rng = random.Random(1)
    pairs = [trellis_carry(rng, inject) for inject in itertools.product(("NO", "YES"), repeat=2)
             for _ in range(3)]
    for init in ("16'h0001", "16'h8000", vector(rng)):
        pairs.append(lambda got, want, init=init: (
            trellis({**LUT, "F": got[0]}, INITVAL=init)
            + cell("LUT4", {**LUT, "Z": want[0]}, INIT=init)))
    pairs += [trellis_flip_flop(source, CEMUX=enable, LSRMUX=reset, REGSET=start, SRMODE=mode)
              for source in (0, 1) for enable, reset, start, mode in (
                  ("1", "LSR", "SET", "LSR_OVER_CE"), ("INV", "LSR", "RESET", "ASYNC"),
                  ("CE", "INV", "SET", "LSR_OVER_CE"))]
    pairs += [
        trellis_memory(),
        lambda got, want: (
            trellis({**LUT, "M": "in[4]", "F1": "in[5]", "F": got[0], "OFX": got[1]},
                    INITVAL="16'h6996")
            + cell("LUT4", {**LUT, "Z": want[0]}, INIT="16'h6996")
            + cell("PFUMX", {"ALUT": "in[5]", "BLUT": want[0], "C0": "in[4]", "Z": want[1]})),
        lambda got, want: (
            trellis({"M": "in[4]", "FXA": "in[5]", "FXB": "in[6]", "OFX": got[0]}, WIDE=1)
            + cell("L6MUX21", {"D0": "in[5]", "D1": "in[6]", "SD": "in[4]", "Z": want[0]}))]
    assert wrong("ecp5", pairs, tmp_path) == "0 wrong\n"


def oxide(pins, **settings):
    names = ("A", "B", "C", "D", "SEL", "F1", "FCI", "WDI", "WAD0", "WAD1", "WAD2", "WAD3", "WRE",
             "WCK")
    return cell("OXIDE_COMB", {**dict.fromkeys(names, "1'b0"), **pins}, **settings)


def oxide_flip_flop(kind, source):
    start = "SET" if kind[5] in "BJ" else "RESET"
    mode = "ASYNC" if kind[5] in "BD" else "LSR_OVER_CE"
    reset = "PD" if start == "SET" else "CD"
    return lambda got, want: (
        cell("OXIDE_FF", {"CLK": "clk", "CE": "in[5]", "LSR": "in[4]", "DI": "in[7]", "M": "in[6]",
                          "Q": got[0]}, SEL=f'"{source}"', REGSET=f'"{start}"', SRMODE=f'"{mode}"')
        + cell(kind, {"CK": "clk", "SP": "in[5]", reset: "in[4]",
                      "D": "in[7]" if source == "DL" else "in[6]", "Q": want[0]}))


def oxide_memory():
    def writer(pins, wires):
        data = {pin: f"data[{n}]" for n, pin in enumerate(("D1", "C1", "A1", "B1"))}
        return cell("RAMW", {**pins, **data, "CLK": "clk", "LSR": "in[20]", "WREO": f"{wires}[8]",
                             "WCKO": f"{wires}[9]"})

    return memory(lambda pins, **settings: oxide(
        {**{pin: wire for pin, wire in pins.items() if pin != "data"}, "WDI": pins["data"]},
        MODE='"DPRAM"', **settings), writer, "DPR16X4", place=True)


@icarus
def test_nexus(tmp_path):
    rng = random.Random(2)
    pairs = [oxide_flip_flop(kind, source) for kind in ("FD1P3BX", "FD1P3DX", "FD1P3IX", "FD1P3JX")
             for source in ("DL", "DF")]
    for value in (1, 0x8000, rng.getrandbits(16)):
        pairs.append(lambda got, want, value=value: (
            oxide({**LUT, "SEL": "in[4]", "F1": "in[5]", "F": got[0], "OFX": got[1]},
                  INIT=f"16'h{value:04x}")
            + cell("LUT4", {**LUT, "Z": want[0]}, INIT=f'"0x{value:04x}"')
            + f"  assign {want[1]} = in[4] ? in[5] : {want[0]};\n"))
    assert wrong("nexus", [*pairs, oxide_memory()], tmp_path) == "0 wrong\n"


def gowin_alu(raw, **constants):
    """An adder and subtractor, or what became of one with an input that is constant."""
    pins = {"I0": "in[0]", "I1": "in[1]", "I3": "in[2]", "CIN": "in[3]"}
    left = {pin: "1'b0" if pin in constants else wire for pin, wire in pins.items()}
    settings = {} if raw is None else {"RAW_ALU_LUT": f"16'h{raw:04x}"}
    return lambda got, want: (
        cell("GOWIN_ALU", {**left, "I2": "1'b1", "SUM": got[0], "COUT": got[1]}, ALU_MODE=2,
             **settings)
        + cell("ALU", {**pins, **{pin: f"1'b{value}" for pin, value in constants.items()},
                       "SUM": want[0], "COUT": want[1]}, ALU_MODE=2))


def gowin_end(mode, pins, sum_is, carry_is):
    """An end of a chain of carries."""
    names = dict.fromkeys(("I0", "I1", "I3", "CIN"), "1'b0")
    settings = {"RAW_ALU_LUT": "16'h505a"} if mode is None else {"ALU_MODE": f'"{mode}"'}
    return lambda got, want: (
        cell("GOWIN_ALU", {**names, **pins, "I2": "1'b1", "SUM": got[0], "COUT": got[1]},
             **settings)
        + f"  assign {want[0]} = {sum_is};\n  assign {want[1]} = {carry_is};\n")


@icarus
def test_gowin(tmp_path):
    """Sums with every input that may be constant, the ends of their carries."""
    raws = {(0, 1, 1): 0x303F, (0, 1, 0): 0xC0CF, (0, 0, 1): 0xC0C0, (0, 0, 0): 0x3030,
            (1, 1, 1): 0x505A, (1, 1, 0): 0xA0AA, (1, 0, 1): 0xA0AA, (1, 0, 0): 0x505A}
    pairs = [gowin_alu(raw, **{f"I{pin}": value, "I3": add})
             for (pin, value, add), raw in raws.items()]
    pairs += [gowin_alu(None), gowin_end("C2L", {"CIN": "in[3]"}, "in[3]", "1'b0"),
              gowin_end("ONE2C", {}, "1'b0", "1'b1"),
              gowin_end(None, {"I0": "in[0]"}, "~in[0]", "in[0]")]
    assert wrong("gowin", pairs, tmp_path) == "0 wrong\n"


def completed(family, kind, ways, wires, settings=None, bel="X1/Y2/SLICEA_LUT1"):
    """A cell of a netlist, completed."""
    text = json.dumps({"modules": {"top": {"ports": {}, "netnames": {"c": {"bits": [9]}}, "cells": {
        "c": {"type": kind, "attributes": {"NEXTPNR_BEL": bel}, "parameters": settings or {},
              "port_directions": ways, "connections": wires}}}}})
    (module,) = json.loads(
        families.get(family).place.routed.complete(text, "board"))["modules"].values()
    assert module["netnames"] == {}  # Yosys takes no net with the name of a cell
    return module["cells"]["c"]


def test_a_carry_cell_of_the_ecp5_has_its_free_inputs_at_1():
    ways = {"A": "input", "B": "input", "C": "input", "D": "input", "M": "input", "F": "output"}
    wires = {"A": [2], "B": [], "C": [], "D": [], "M": [], "F": [3]}
    found = completed("ecp5", "TRELLIS_COMB", ways, wires, {"MODE": "CCU2"})
    assert found["connections"] == {"A": [2], "B": ["1"], "C": ["1"], "D": ["1"], "M": ["0"],
                                    "F": [3]}
    assert completed("ecp5", "TRELLIS_COMB", ways, wires)["connections"]["D"] == ["0"]


def test_a_multiplexer_of_the_ecp5_is_what_it_is_connected_with():
    ways = dict.fromkeys((*"ABCDM", "FXA", "FXB"), "input")
    wires = {**{pin: [] for pin in "ABCDM"}, "FXA": [2], "FXB": [3]}
    assert completed("ecp5", "TRELLIS_COMB", ways, wires)["parameters"] == {"WIDE": "1"}


def test_cells_with_the_names_of_primitives():
    assert completed("ecp5", "TRELLIS_FF", {}, {})["type"] == "TRELLIS_PACKED_FF"
    assert completed("gowin", "ALU", {}, {})["type"] == "GOWIN_ALU"


@pytest.mark.parametrize("place", [0, 1])
def test_a_memory_of_nexus_knows_its_half(place):
    found = completed("nexus", "OXIDE_COMB", {}, {}, {"MODE": "DPRAM"},
                      f"X71/Y12/SLICEB_LUT{place}")
    assert found["parameters"] == {"MODE": "DPRAM", "PLACE": str(place)}


def packed_memory(mode, extra=()):
    """A block RAM of Nexus as nextpnr writes it: a pin each, of which every third is at a constant;
    its connections and settings."""
    pins = [f"{bus}{side}{n}" for side in "AB"
            for bus, width in (("DI", 18), ("DO", 18), ("AD", 14), ("CS", 3)) for n in range(width)]
    pins += [f"{pin}{side}" for side in "AB" for pin in ("CLK", "CE", "WE", "RST")]
    wires = {pin: [] if n % 3 == 0 and not pin.startswith("DO") else [n + 2]
             for n, pin in enumerate(pins)}
    settings = {f"{pin}MUX": f"{n % 2} " for n, pin in enumerate(pins) if not wires[pin]}
    return wires, {**settings, "WID": "10", "MODE": mode, "OUTREG": "BYPASSED", **dict(extra)}


def test_a_block_ram_of_nexus_is_the_primitive_again():
    wires, settings = packed_memory("PDPSC16K", {"CSDECODE_W": "110"})
    ways = {pin: "output" if pin.startswith("DO") else "input" for pin in wires}
    found = completed("nexus", "OXIDE_EBR", ways, wires, settings)
    assert found["type"] == "PDPSC16K"
    assert found["parameters"] == {"OUTREG": "BYPASSED", "CSDECODE_W": "110 "}  # a text

    def bits(*names):
        return [bit for name in names
                for bit in wires[name] or [settings[f"{name}MUX"].strip()]]

    def bus(name, width):
        return bits(*(f"{name}{n}" for n in range(width)))

    assert found["connections"] == {
        "DI": bus("DIA", 18) + bus("DIB", 18), "DO": bus("DOB", 18) + bus("DOA", 18),
        "ADW": bus("ADA", 14), "ADR": bus("ADB", 14), "CSW": bus("CSA", 3), "CSR": bus("CSB", 3),
        "CEW": bits("CEA"), "CER": bits("CEB"), "RST": bits("RSTB"), "CLK": bits("CLKA")}


@pytest.mark.parametrize(("mode", "ports"), [
    ("PDP16K", {"DI": 36, "DO": 36, "ADW": 14, "ADR": 14, "CSW": 3, "CSR": 3, "CEW": 1, "CER": 1,
                "RST": 1, "CLKW": 1, "CLKR": 1}),
    ("DP16K", {f"{port}{side}": width for side in "AB" for port, width in {
        "DI": 18, "DO": 18, "AD": 14, "CS": 3, "CLK": 1, "CE": 1, "WE": 1, "RST": 1}.items()})])
def test_ports_of_the_block_rams_of_nexus(mode, ports):
    wires, settings = packed_memory(mode)
    ways = {pin: "output" if pin.startswith("DO") else "input" for pin in wires}
    found = completed("nexus", "OXIDE_EBR", ways, wires, settings)
    assert {port: len(bits) for port, bits in found["connections"].items()} == ports


@pytest.mark.parametrize(("bits", "kind"), [(256, "SDPB"), (288, "SDPX9B")])
def test_a_block_ram_of_gowin_is_the_primitive_again(bits, kind):
    wires = {"AD1": [3], "AD0": [2], "AD2": [], "DO0": [4], "CLK": [5], "DI0": [], "DI1": [6]}
    ways = {pin: "output" if pin.startswith("DO") else "input" for pin in wires}
    settings = {"RESET_MODE": "ASYNC", "INIT_RAM_00": "0" * bits}
    found = completed("gowin", "SDP", ways, wires, settings)
    assert (found["type"], found["parameters"]) == (kind, settings)
    assert found["connections"] == {"AD": [2, 3, "0"], "DO": [4], "CLK": [5], "DI": ["0", 6]}


def test_constants_of_a_block_ram_of_the_ecp5():
    wires = {"CEA": [], "WEA": [], "WEB": [7], "ADA0": [], "ADA1": [], "DIB3": []}
    settings = {"CEAMUX": "CEA", "WEAMUX": "INV", "ADA0MUX": "0 ", "ADA1MUX": "1 ",
                "REGMODE_A": "NOREG"}
    found = completed("ecp5", "DP16KD", dict.fromkeys(wires, "input"), wires, settings)
    assert found["parameters"] == {"REGMODE_A": "NOREG"}
    assert found["connections"] == {"CEA": ["1"], "WEA": ["0"], "WEB": [7], "ADA0": ["0"],
                                    "ADA1": ["1"], "DIB3": ["0"]}
