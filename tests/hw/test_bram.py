"""The models of the block RAMs of Gowin and Nexus against a reference of their own, pin by pin."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bitwright.hw import families
from tests.reference.bram import BlockRam, Port

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None,
                                reason="Icarus Verilog is not installed")

MODELS = Path(families.__file__).parent / "models"
STEPS = 400
PINS = {"enable": 1, "write": 1, "reset": 1, "advance": 1, "address": 14, "data": 36}


@dataclass(frozen=True)
class Cell:
    """A cell around the memory.

    Parameters
    ----------
    file, name : str
    ram : BlockRam
    parameters : dict
    ports : str
        Connections, the signals of port ``a`` being ``enable_a`` and so on.
    writes, reads : str
        Which of its ports do.
    advance : bool
        Whether its output registers have an enable of their own.
    asynchronous : bool
        Whether its reset needs no clock.
    """

    file: str
    name: str
    ram: BlockRam
    parameters: dict[str, str]
    ports: str
    writes: str = "ab"
    reads: str = "ab"
    advance: bool = True
    asynchronous: bool = False


def gowin_rows(ram):
    size = 32 * ram.byte
    return {f"INIT_RAM_{row:02X}": f"{size}'h{ram.contents >> size * row & (1 << size) - 1:x}"
            for row in range(64)}


def single(ram):
    name = "SP" if ram.byte == 8 else "SPX9"
    return Cell("gowin_bram.v", name, ram, {
        "READ_MODE": str(int(ram.a.registered)), "WRITE_MODE": str(ram.a.mode),
        "BIT_WIDTH": str(ram.a.width), "BLK_SEL": "3'b101", **gowin_rows(ram)},
        ".DO(value_a), .DI(data_a), .BLKSEL(3'b101), .AD(address_a), .WRE(write_a), .CLK(clk_a),"
        ".CE(enable_a), .OCE(advance_a), .RESET(reset_a)", "a", "a")


def semi_dual(ram):
    name = "SDPB" if ram.byte == 8 else "SDPX9B"
    return Cell("gowin_bram.v", name, ram, {
        "READ_MODE": str(int(ram.b.registered)), "BIT_WIDTH_0": str(ram.a.width),
        "BIT_WIDTH_1": str(ram.b.width), "BLK_SEL_1": "3'b010", **gowin_rows(ram)},
        ".DO(value_b), .DI(data_a), .BLKSELA(3'b0), .BLKSELB(3'b010), .ADA(address_a),"
        ".ADB(address_b), .CLKA(clk_a), .CEA(enable_a), .CLKB(clk_b), .CEB(enable_b),"
        ".OCE(advance_b), .RESETA(1'b0), .RESETB(reset_b)", "a", "b")


def dual(ram):
    name = "DPB" if ram.byte == 8 else "DPX9B"
    return Cell("gowin_bram.v", name, ram, {
        "READ_MODE0": str(int(ram.a.registered)), "READ_MODE1": str(int(ram.b.registered)),
        "WRITE_MODE0": str(ram.a.mode), "WRITE_MODE1": str(ram.b.mode),
        "BIT_WIDTH_0": str(ram.a.width), "BIT_WIDTH_1": str(ram.b.width), **gowin_rows(ram)},
        ".DOA(value_a), .DOB(value_b), .DIA(data_a), .DIB(data_b), .BLKSELA(3'b0), .BLKSELB(3'b0),"
        ".ADA(address_a), .ADB(address_b), .CLKA(clk_a), .CEA(enable_a), .CLKB(clk_b),"
        ".CEB(enable_b), .OCEA(advance_a), .OCEB(advance_b), .RESETA(reset_a), .RESETB(reset_b),"
        ".WREA(write_a), .WREB(write_b)")


def nexus_rows(ram):
    rows = {}
    for row in range(64):
        value = sum((ram.contents >> 9 * (32 * row + byte) & 511) << 10 * byte
                    for byte in range(32))
        rows[f"INITVAL_{row:02X}"] = f'"0x{value:080x}"' if row % 2 else f'"0x{value:080X}"'
    return rows


def nexus_pseudo(ram):
    reset = '"SYNC"' if ram.gated else '"ASYNC"'
    return Cell("nexus_bram.v", "PDP16K", ram, {
        "RESETMODE": reset, "ASYNC_RST_RELEASE": reset,
        "DATA_WIDTH_W": f'"X{ram.a.width}"', "DATA_WIDTH_R": f'"X{ram.b.width}"',
        "CSDECODE_W": '"110"', "CSDECODE_R": '"011"', **nexus_rows(ram)},
        ".DO(value_b), .DI(data_a), .ADW(address_a), .ADR(address_b), .CLKW(clk_a), .CLKR(clk_b),"
        ".CEW(enable_a), .CER(enable_b), .CSW(3'b110), .CSR(3'b011), .RST(reset_b)", "a", "b",
        advance=False, asynchronous=not ram.gated)


def nexus_dual(ram):
    return Cell("nexus_bram.v", "DP16K", ram, {
        "DATA_WIDTH_A": f'"X{ram.a.width}"', "DATA_WIDTH_B": f'"X{ram.b.width}"',
        "CSDECODE_A": '"111"', "CSDECODE_B": '"000"', **nexus_rows(ram)},
        ".DOA(value_a), .DOB(value_b), .DIA(data_a), .DIB(data_b), .ADA(address_a),"
        ".ADB(address_b), .CLKA(clk_a), .CLKB(clk_b), .CEA(enable_a), .CEB(enable_b),"
        ".WEA(write_a), .WEB(write_b), .CSA(3'b111), .CSB(3'b000), .RSTA(reset_a),"
        ".RSTB(reset_b)", advance=False)


def bench(cell):
    """Verilog that clocks the model once a line of a file, and prints what it shows."""
    signals = "\n".join(f"    reg [{width - 1}:0] {pin}_{port} = 0;"
                        for port in "ab" for pin, width in PINS.items())
    reads = ", ".join(f"{pin}_{port}" for port in "ab" for pin in PINS)
    formats = " ".join(["%b"] * (2 * len(PINS)))
    settings = ", ".join(f".{name}({value})" for name, value in cell.parameters.items())
    return f"""
module bench;
{signals}
    reg clk_a = 0, clk_b = 0, go_a, go_b;
    wire [35:0] value_a, value_b;
    integer file, count;
    {cell.name} #({settings}) dut ({cell.ports});
    initial begin
        file = $fopen("steps.txt", "r");
        count = $fscanf(file, "%b %b {formats}", go_a, go_b, {reads});
        while (count == {2 + 2 * len(PINS)}) begin
            #1 clk_a = go_a;
            clk_b = go_b;
            #1 $display("%b %b", value_a, value_b);
            clk_a = 0;
            clk_b = 0;
            #1 count = $fscanf(file, "%b %b {formats}", go_a, go_b, {reads});
        end
        $finish;
    end
endmodule
"""


def step(cell, rng, places):
    """Inputs of one step. What one port writes the other does not touch in that step."""
    while True:
        edges = {}
        for port in [("a",), ("b",), ("a", "b")][rng.integers(3)]:
            edges[port] = {
                "enable": int(rng.random() < 0.8), "advance": int(rng.random() < 0.7),
                # A port that only writes does so whenever it is enabled.
                "write": int(port in cell.writes
                             and (port not in cell.reads or rng.random() < 0.4)),
                "reset": int(port in cell.reads and rng.random() < 0.06),
                "data": int(rng.integers(1 << 36)),
                "address": int(rng.choice(places)) | int(rng.integers(16))}
        touched = [cell.ram.touched(getattr(cell.ram, port), pins["address"])
                   for port, pins in edges.items()]
        if len(touched) < 2 or not touched[0] & touched[1]:
            return edges


def compare(cell, tmp_path):
    rng = np.random.default_rng(1)
    places = (rng.integers(1 << 10, size=6) << 4).tolist()  # few, so that writes are read again
    lines, expected = [], []
    # The last step shows something that a reset clears.
    while len(lines) < STEPS or (cell.asynchronous and not cell.ram.b.shown):
        edges = step(cell, rng, places)
        pins = {port: dict.fromkeys(PINS, 0) | edges.get(port, {}) for port in "ab"}
        lines.append(" ".join([f"{int('a' in edges)} {int('b' in edges)}"] + [
            f"{pins[port][pin]:b}" for port in "ab" for pin in PINS]))
        given = {port: dict(pins[port]) for port in edges}
        if not cell.advance:
            for inputs in given.values():
                inputs["advance"] = inputs["enable"]
        cell.ram.clock(given)
        expected.append((cell.ram.a.shown, cell.ram.b.shown))
    if cell.asynchronous:
        lines.append(" ".join(["0 0"] + [f"{int(pin == 'reset' and port in cell.reads)}"
                                         for port in "ab" for pin in PINS]))
        expected.append((0, 0))
    (tmp_path / "steps.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "bench.v").write_text(bench(cell))
    subprocess.run(["iverilog", "-g2012", "-o", "bench.vvp", "bench.v", MODELS / "bram.v",
                    MODELS / cell.file], cwd=tmp_path, check=True)
    run = subprocess.run(["vvp", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True,
                         text=True)
    rows = [line.split() for line in run.stdout.splitlines() if len(line.split()) == 2]
    assert len(rows) == len(expected)
    width = {port: getattr(cell.ram, port).width for port in "ab"}
    for place, (row, wanted) in enumerate(zip(rows, expected, strict=True)):
        for port, bits, value in zip("ab", row, wanted, strict=True):
            if port in cell.reads:
                assert int(bits[-width[port]:], 2) == value, (place, port)
    assert len(set(expected)) > 3


def contents(byte):
    return int.from_bytes(np.random.default_rng(3).bytes(256 * byte), "little")


def slow(*cases):
    """Cases of which a quick run tries none: each takes seconds in Icarus."""
    return [pytest.param(*case, marks=pytest.mark.slow) for case in cases]


@pytest.mark.parametrize(("byte", "width", "mode", "registered"), [
    (8, 1, 0, False), (9, 18, 1, True), *slow(
        (8, 2, 1, True), (8, 4, 2, False), (8, 8, 1, False), (8, 16, 2, True), (8, 32, 0, True),
        (9, 9, 2, False), (9, 36, 0, False))])
def test_one_port_of_gowin(byte, width, mode, registered, tmp_path):
    compare(single(BlockRam(byte, Port(width, mode, registered), Port(byte), contents(byte))),
            tmp_path)


@pytest.mark.parametrize(("byte", "width_a", "width_b", "registered"), [
    (8, 1, 32, False), *slow(
        (8, 16, 4, True), (8, 32, 2, False), (9, 36, 9, True), (9, 18, 36, False))])
def test_semi_dual_port_of_gowin(byte, width_a, width_b, registered, tmp_path):
    compare(semi_dual(BlockRam(byte, Port(width_a), Port(width_b, registered=registered),
                               contents(byte))), tmp_path)


@pytest.mark.parametrize(("byte", "a", "b"), [
    (8, Port(4, 1), Port(16, 2, True)), (9, Port(18, 0, True), Port(9, 1))])
def test_two_ports_of_gowin(byte, a, b, tmp_path):
    compare(dual(BlockRam(byte, a, b, contents(byte))), tmp_path)


@pytest.mark.parametrize(("width_a", "width_b"), [
    (9, 36), *slow((36, 36), (18, 9), (1, 18), (36, 2), (4, 4))])
def test_semi_dual_port_of_nexus(width_a, width_b, tmp_path):
    compare(nexus_pseudo(BlockRam(9, Port(width_a), Port(width_b), contents(9), gated=True)),
            tmp_path)


def test_a_reset_of_nexus_without_a_clock(tmp_path):
    """What Yosys writes where nothing is reset."""
    compare(nexus_pseudo(BlockRam(9, Port(18), Port(9), contents(9))), tmp_path)


@pytest.mark.parametrize(("width_a", "width_b"), [(18, 18), *slow((9, 2), (1, 4))])
def test_two_ports_of_nexus(width_a, width_b, tmp_path):
    compare(nexus_dual(BlockRam(9, Port(width_a), Port(width_b), contents(9), gated=True)),
            tmp_path)


def test_a_width_that_there_is_not(tmp_path):
    cell = single(BlockRam(8, Port(8), Port(8)))
    (tmp_path / "bench.v").write_text(bench(cell).replace(".BIT_WIDTH(8)", ".BIT_WIDTH(9)"))
    run = subprocess.run(["iverilog", "-g2012", "-o", "bench.vvp", "bench.v", MODELS / "bram.v",
                          MODELS / cell.file], cwd=tmp_path, check=False, capture_output=True,
                         text=True)
    assert run.returncode
    assert "block_RAM_has_no_port_of_this_width" in run.stderr
