"""The models of the PLLs make the clock that is wanted of them, and refuse what a PLL cannot do."""

import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from bitwright.hw import families
from bitwright.hw.families.pll import Reference, nearest
from bitwright.hw.families.plls import ecp5, gatemate, gowin, ice40

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")

MODELS = Path(families.__file__).parent / "models"
BENCH = """
`timescale 1ps / 1ps
module bench;
    reg clk = 0, early = 0;
    always #{half} clk = !clk;
    wire out, lock{wires};
    {cell} #({parameters}) pll ({ports});
    integer made = 0, counted = 0;
    always @(posedge out) if (lock) made = made + 1;
    always @(posedge clk) if (lock) begin
        counted = counted + 1;
        if (counted == {cycles}) begin
            $display("%0d in %0d from %0d ns", made, counted,
                     $time / 1000 - counted * {half} / 500);
            $finish;
        end
    end
    initial #200000000 $display("no lock");
    initial #200000001 $finish;
endmodule
"""


def part(device, package="", speed=""):
    return SimpleNamespace(name=device, device=device, package=package, speed=speed)


PLLS = {
    "SB_PLL40_PAD": ("sb_pll40.v", ice40, part("iCE40UP5K", "SG48"), Reference(12_000_000, "35"),
                     27e6),
    "SB_PLL40_CORE": ("sb_pll40.v", ice40, part("iCE40HX8K", "CT256"), Reference(100_000_000, "J3"),
                      40e6),
    "EHXPLLL": ("ehxplll.v", ecp5, part("LFE5U-25F"), Reference(25_000_000), 86e6),
    "rPLL": ("rpll.v", gowin, part("GW1NR-9C", speed="C6/I5"), Reference(27_000_000), 50e6),
    "PLLVR": ("rpll.v", gowin, part("GW1NSR-4C", speed="C6/I5"), Reference(27_000_000), 20e6),
    "CC_PLL": ("cc_pll.v", gatemate, part("CCGM1A1"), Reference(10_000_000), 40.9375e6),
}


def literal(value):
    return f'"{value}"' if isinstance(value, str) else str(value)


def run(pll, file, folder, hz, cycles, **changed):
    """What the bench says of a PLL that is fed with a clock."""
    ports = {pll.clock: "clk", pll.output: "out", pll.lock: "lock",
             **{name: f"1'b{value}" for name, value in pll.constants.items()}}
    wires = ""
    if pll.feedback is not None:
        ports |= dict.fromkeys(pll.feedback, "loop")
        wires = ", loop"
    parameters = {**pll.parameters, **changed}
    (folder / "bench.v").write_text(BENCH.format(
        half=round(5e11 / hz), wires=wires, cell=pll.cell, cycles=cycles,
        parameters=", ".join(f".{name}({literal(value)})" for name, value in parameters.items()),
        ports=", ".join(f".{name}({net})" for name, net in ports.items())))
    done = subprocess.run(["iverilog", "-g2012", "-s", "bench", "-o", "model", "bench.v",
                           MODELS / file, MODELS / "pll.v"], cwd=folder, capture_output=True,
                          text=True, check=False)
    if done.returncode:
        return done.stderr
    return subprocess.run(["vvp", "model"], cwd=folder, capture_output=True, text=True,
                          check=True).stdout


@pytest.mark.parametrize("cell", PLLS)
def test_frequency_and_lock(cell, tmp_path):
    file, solver, device, reference, wanted = PLLS[cell]
    pll = nearest(solver.solve(device, reference), wanted)
    assert pll.cell == cell
    assert pll.output_hz != reference.hz
    cycles = 40 * pll.divide
    made, counted, lock_ns = map(int, re.fullmatch(
        r"(\d+) in (\d+) from (\d+) ns\n", run(pll, file, tmp_path, reference.hz, cycles)).groups())
    assert counted == cycles
    assert abs(made - 40 * pll.multiply) <= 1  # the edges at either end
    assert Fraction(pll.multiply, pll.divide) * reference.hz == pll.output_hz
    assert 50_000 <= lock_ns <= 50_500


@pytest.mark.parametrize(("cell", "hz", "message"), [
    ("SB_PLL40_PAD", 8e6, "the input has 8000 kHz, and may have 10000 to 133000"),
    ("SB_PLL40_PAD", 16e6, "the VCO has 1152000 kHz, and may have 533000 to 1066000"),
    ("EHXPLLL", 9e6, "the phase detector has 4500 kHz, and may have 10000 to 400000"),
    ("EHXPLLL", 50e6, "the VCO has 1375000 kHz, and may have 400000 to 800000"),
    ("CC_PLL", 12e6, "the input has 12000 kHz, and may have 10000 to 10000"),
])
def test_a_clock_outside_the_limits_ends_the_simulation(cell, hz, message, tmp_path):
    file, solver, device, reference, wanted = PLLS[cell]
    pll = nearest(solver.solve(device, reference), wanted)
    assert f"PLL: {message}\n" in run(pll, file, tmp_path, hz, 100)


@pytest.mark.parametrize(("cell", "changed", "message"), [
    ("SB_PLL40_PAD", {"DIVQ": 7}, "sb_pll40_with_these_settings_has_no_model"),
    ("SB_PLL40_PAD", {"FEEDBACK_PATH": "DELAY"}, "sb_pll40_with_these_settings_has_no_model"),
    ("SB_PLL40_PAD", {"FILTER_RANGE": 2},
     "PLL: the phase detector has 12000 kHz, and may have 17000 to 26000\n"),
    ("EHXPLLL", {"FEEDBK_PATH": "INT_OP"}, "ehxplll_with_these_settings_has_no_model"),
    ("EHXPLLL", {"CLKOP_DIV": 80},
     "PLL: the VCO has 1000000 kHz, and may have 400000 to 800000\n"),
    ("rPLL", {"DYN_ODIV_SEL": "true"}, "rpll_with_these_settings_has_no_model"),
    ("rPLL", {"ODIV_SEL": 2}, "PLL: the VCO has"),
])
def test_settings_that_a_pll_has_not_are_refused(cell, changed, message, tmp_path):
    file, solver, device, reference, wanted = PLLS[cell]
    pll = nearest(solver.solve(device, reference), wanted)
    assert message in run(pll, file, tmp_path, reference.hz, 100, **changed)
