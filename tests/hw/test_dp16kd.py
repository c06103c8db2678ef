"""The model of the ECP5's block RAM against a reference of its own, pin by pin."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bitwright.hw import families
from tests.reference.dp16kd import BlockRam, Port

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None,
                                reason="Icarus Verilog is not installed")

MODEL = Path(families.__file__).parent / "models" / "dp16kd.v"
PINS = ("data", "address", "ce", "oce", "we", "rst", "cs")
WIDTHS = {"data": 18, "address": 14, "ce": 1, "oce": 1, "we": 1, "rst": 1, "cs": 3}
NAMES = {"data": "DI", "address": "AD", "ce": "CE", "oce": "OCE", "we": "WE", "rst": "RST",
         "cs": "CS"}
STEPS = 800


def instance(ram, inverted):
    """Verilog of the model with these settings, its pins in two vectors."""
    parameters = {"DATA_WIDTH_A": ram.a.width, "DATA_WIDTH_B": ram.b.width,
                  "RESETMODE": '"ASYNC"' if ram.asynchronous else '"SYNC"',
                  "ASYNC_RESET_RELEASE": '"ASYNC"' if ram.release else '"SYNC"'}
    connections = []
    for letter, port in (("A", ram.a), ("B", ram.b)):
        parameters |= {f"REGMODE_{letter}": '"OUTREG"' if port.registered else '"NOREG"',
                       f"WRITEMODE_{letter}": f'"{port.mode}"',
                       f"CSDECODE_{letter}": f'"0b{port.select:03b}"'}
        if inverted:
            parameters |= {f"{pin}{letter}MUX": '"INV"' for pin in ("CLK", "CE", "OCE", "WE",
                                                                    "RST")}
        lower = letter.lower()
        connections.append(f".CLK{letter}(clk_{lower} ^ {int(inverted)})")
        for pin in PINS:
            for bit in range(WIDTHS[pin]):
                name = f"{NAMES[pin]}{letter}" + (str(bit) if WIDTHS[pin] > 1 else "")
                flip = f" ^ {int(inverted)}" if pin in ("ce", "oce", "we", "rst") else ""
                connections.append(f".{name}({pin}_{lower}[{bit}]{flip})")
        connections += [f".DO{letter}{bit}(out_{lower}[{bit}])" for bit in range(18)]
    parameters |= {f"INITVAL_{row:02X}": f"320'h{value:x}" for row, value in enumerate(ram.rows)}
    settings = ", ".join(f".{name}({value})" for name, value in parameters.items())
    return f"DP16KD #({settings}) dut ({', '.join(connections)});"


def bench(ram, inverted):
    """Verilog that clocks the model once a line of a file, and prints what it shows."""
    signals = "\n".join(f"    reg [{WIDTHS[pin] - 1}:0] {pin}_{port} = 0;"
                        for port in "ab" for pin in PINS)
    reads = ", ".join(f"{pin}_{port}" for port in "ab" for pin in PINS)
    formats = " ".join(["%b"] * (2 * len(PINS)))
    return f"""
module bench;
{signals}
    reg clk_a = 0, clk_b = 0, go_a, go_b;
    wire [17:0] out_a, out_b;
    integer file, count;
    {instance(ram, inverted)}
    initial begin
        file = $fopen("steps.txt", "r");
        count = $fscanf(file, "%b %b {formats}", go_a, go_b, {reads});
        while (count == {2 + 2 * len(PINS)}) begin
            #1 $display("%b %b", out_a, out_b);
            clk_a = go_a;
            clk_b = go_b;
            #1 $display("%b %b", out_a, out_b);
            clk_a = 0;
            clk_b = 0;
            #1 count = $fscanf(file, "%b %b {formats}", go_a, go_b, {reads});
        end
        $finish;
    end
endmodule
"""


def step(ram, rng, places):
    """Inputs of one step. What one port writes the other does not touch in that step."""
    while True:
        edges = {}
        for port in [("a",), ("b",), ("a", "b")][rng.integers(3)]:
            select = getattr(ram, port).select
            edges[port] = {
                "data": int(rng.integers(1 << 18)),
                "address": int(rng.choice(places)) | int(rng.integers(16)),
                "ce": int(rng.random() < 0.8), "oce": int(rng.random() < 0.7),
                "we": int(rng.random() < 0.4), "rst": int(rng.random() < 0.06),
                "cs": select if rng.random() < 0.9 else int(rng.integers(8))}
        if ram.pseudo and "a" in edges:
            edges["a"]["wide"] = int(rng.integers(1 << 18))
        touched = [set(getattr(ram, port).bits(pins["address"])) for port, pins in edges.items()]
        if len(touched) < 2 or not touched[0] & touched[1]:
            return edges


def compare(ram, tmp_path, inverted=False, seed=1):
    rng = np.random.default_rng(seed)
    # Few places, so that what was written is read again.
    places = (rng.integers(1 << 10, size=6) << 4).tolist()
    lines, expected = [], []
    for _ in range(STEPS):
        edges = step(ram, rng, places)
        pins = {port: dict.fromkeys(PINS, 0) | edges.get(port, {}) for port in "ab"}
        if "wide" in pins["a"]:  # its upper half comes in at the other port
            pins["b"]["data"] = pins["a"].pop("wide")
        lines.append(" ".join([f"{int('a' in edges)} {int('b' in edges)}"] + [
            f"{pins[port][pin]:b}" for port in "ab" for pin in PINS]))
        ram.reset(bool(pins["a"]["rst"]), bool(pins["b"]["rst"]))
        expected.append(ram.outputs())
        given = {port: dict(pins[port]) for port in edges}
        if ram.pseudo and "a" in given:
            given["a"]["data"] |= pins["b"]["data"] << 18
        ram.clock(given)
        expected.append(ram.outputs())
    (tmp_path / "steps.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "bench.v").write_text(bench(ram, inverted))
    subprocess.run(["iverilog", "-g2012", "-o", "bench.vvp", "bench.v", str(MODEL)], cwd=tmp_path,
                   check=True)
    run = subprocess.run(["vvp", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True,
                         text=True)
    shown = [tuple(int(word, 2) for word in line.split()) for line in run.stdout.splitlines()
             if line[:1] in "01"]
    assert len(shown) == len(expected) == 2 * STEPS
    for place, (got, wanted) in enumerate(zip(shown, expected, strict=True)):
        assert got == wanted, f"step {place // 2}"
    assert len({out for out, _ in expected} | {out for _, out in expected}) > 1


def rows(seed=3):
    """Random contents, the two bits between the words set as well, which mean nothing."""
    return [int.from_bytes(np.random.default_rng((seed, row)).bytes(40), "little")
            for row in range(64)]


@pytest.mark.parametrize(("width_a", "width_b"), [
    (1, 18), (2, 9), (4, 1), (9, 4), (18, 2), (18, 18), (36, 36), (36, 18), (36, 9), (36, 1)])
def test_widths(width_a, width_b, tmp_path):
    compare(BlockRam(Port(width_a), Port(width_b), rows=rows()), tmp_path)


@pytest.mark.parametrize(("mode_a", "mode_b"), [
    ("NORMAL", "WRITETHROUGH"), ("WRITETHROUGH", "READBEFOREWRITE"),
    ("READBEFOREWRITE", "NORMAL")])
@pytest.mark.parametrize("registered", [False, True])
def test_write_modes_and_output_registers(mode_a, mode_b, registered, tmp_path):
    ram = BlockRam(Port(18, mode_a, registered), Port(9, mode_b, not registered), rows=rows())
    compare(ram, tmp_path)


@pytest.mark.parametrize("release", [False, True])
def test_asynchronous_resets(release, tmp_path):
    ram = BlockRam(Port(18, registered=True), Port(9), asynchronous=True, release=release,
                   rows=rows())
    compare(ram, tmp_path)


def test_chip_selects_and_inverted_inputs(tmp_path):
    ram = BlockRam(Port(18, select=6), Port(4, select=3), rows=rows())
    compare(ram, tmp_path, inverted=True)


def test_a_width_that_there_is_not(tmp_path):
    (tmp_path / "bench.v").write_text(bench(BlockRam(Port(18), Port(18)), False).replace(
        ".DATA_WIDTH_B(18)", ".DATA_WIDTH_B(12)"))
    run = subprocess.run(["iverilog", "-g2012", "-o", "bench.vvp", "bench.v", str(MODEL)],
                         cwd=tmp_path, check=False, capture_output=True, text=True)
    assert run.returncode
    assert "DP16KD_has_no_port_of_this_width" in run.stderr
