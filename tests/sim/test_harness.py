"""The harness and its bench against a small hand-made design, well-behaved and otherwise."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitwright.sim.job import StreamJob
from bitwright.sim.process import PATIENCE, run_bench
from bitwright.sim.simulator import Design, SimulatorError, find
from tests.sim.benches import CACHE

pytestmark = pytest.mark.xdist_group("sim")

icarus = pytest.mark.skipif(shutil.which("iverilog") is None,
                            reason="Icarus Verilog is not installed")

DESIGN = Design("harness", (Path(__file__).parents[2] / "sim" / "stream.v",),
                {"top.v": (Path(__file__).parent / "broken.v").read_text()},
                {"IN_WIDTH": 8, "OUT_WIDTH": 16, "BEATS": 4})


def behave(manners, folder, simulator=None, patience=PATIENCE, start=1, design=DESIGN, **changes):
    """Run the bench on one of the behaviours. Returns the outcome, and how many sums are wrong."""
    packets = np.random.default_rng(1).integers(256, size=(40, 4)).astype(np.uint8)
    np.save(folder / "packets.npy", packets)
    settings = {"out_width": 16, "seed": 1, "stall_in": 0.3, "stall_out": 0.5, "resets": 4,
                "malformed": 5, "window": 16, "idle_limit": 500, "drain": 50} | changes
    job = StreamJob(packets=str(folder / "packets.npy"), beats=4,
                    progress=str(folder / "progress"), outcome=str(folder / "outcome.json"),
                    **settings)
    model = find(simulator).build(design, CACHE)
    outcome = run_bench(model, "bitwright.sim.bench_stream", vars(job), folder, total=40, title="",
                        plusargs=[f"+manners={manners}"], seed=start, patience=patience)
    wrong = sum(word != packets[sample].sum() for sample, word in outcome["results"])
    return outcome, wrong


def test_good_manners(tmp_path):
    outcome, wrong = behave(0, tmp_path)
    assert outcome["error"] is None
    assert (len(outcome["results"]), wrong, outcome["resets"]) == (40, 0, 4)
    assert 2 <= outcome["sample_errors"] <= outcome["malformed"]
    assert len(outcome["order"]) == 5  # stretches between resets


def test_every_malformed_packet_is_an_error(tmp_path):
    outcome, wrong = behave(0, tmp_path, resets=0)
    assert (outcome["error"], wrong) == (None, 0)
    assert outcome["sample_errors"] == outcome["malformed"] == 7


@pytest.mark.parametrize(("manners", "error"), [
    (1, "m_axis_tvalid fell before the beat was taken"),
    (2, "m_axis_tdata changed before the beat was taken"),
    (3, "m_axis_tlast changed before the beat was taken"),
    (4, "m_axis_tlast is low on a result"),
    (7, "an output was raised in the first cycle after a reset"),
    (8, "no beat moved for 500 cycles"),
])
def test_bad_manners(manners, error, tmp_path):
    outcome, _ = behave(manners, tmp_path, stall_out=0.7, resets=6 if manners == 7 else 0)
    assert outcome["error"] == error


@icarus
def test_time_that_stands_still(tmp_path):
    message = re.escape("icarus: simulated time stood still for 3 s, as in a loop of logic without "
                        f"a register; see {tmp_path / 'simulation.log'}")
    with pytest.raises(SimulatorError, match=rf"^{message}$"):
        behave(10, tmp_path, "icarus", 3)
    outcome, _ = behave(0, tmp_path, "icarus")
    assert outcome["error"] is None


@icarus
@pytest.mark.parametrize("manners", [11, 12])
def test_undefined_outputs(manners, tmp_path):
    outcome, _ = behave(manners, tmp_path, "icarus", resets=0)
    assert outcome["error"] == "a control or data output is undefined"


KEPT = """
module kept(
    input clk, input rst,
    input [7:0] s_axis_tdata, input s_axis_tvalid, output s_axis_tready, input s_axis_tlast,
    output [15:0] m_axis_tdata, output [1:0] m_axis_tkeep, output m_axis_tvalid,
    input m_axis_tready, output m_axis_tlast, output sample_error
);
    assign m_axis_tkeep = KEEP;
    top inner(
        clk, rst, s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast, m_axis_tdata,
        m_axis_tvalid, m_axis_tready, m_axis_tlast, sample_error);
endmodule
"""


@icarus
@pytest.mark.parametrize(("beats", "last", "keep", "error"), [
    (1, 2, "2'b11", None), (1, 1, "2'b01", None),
    (1, 2, "2'b01", "m_axis_tkeep is not that of the beat"),
    (1, 1, "2'b11", "m_axis_tkeep is not that of the beat"),
    (1, 2, "2'b1x", "m_axis_tkeep is not that of the beat"),
    (2, 2, "2'b11", "m_axis_tlast came before the last beat of a result"),
])
def test_beats_of_results(beats, last, keep, error, tmp_path):
    text = DESIGN.texts["top.v"] + KEPT.replace("KEEP", keep)
    design = replace(DESIGN, texts={"top.v": text}, defines=("MODULE=kept", "KEEP"),
                     parameters={**DESIGN.parameters, "OUT_BEATS": beats, "OUT_LAST": last})
    outcome, _ = behave(0, tmp_path, "icarus", resets=0, design=design, out_width=16 * beats)
    assert outcome["error"] == error


def test_start_values_vary_with_the_seed(tmp_path):
    """A register that nothing sets gives right results with some seeds, and wrong ones with others:
    the same ones each time."""
    wrong = [behave(12, tmp_path, "verilator", start=start)[1] for start in (1, 2, 3, 4, 5, 6)]
    assert 0 in wrong
    assert any(wrong)
    assert behave(12, tmp_path, "verilator", start=2)[1] == wrong[1]


def test_missing_sample_error(tmp_path):
    outcome, _ = behave(5, tmp_path, resets=0)
    assert outcome["error"] == (f"{outcome['malformed']} malformed packets gave 0 cycles of "
                                "sample_error")


def test_repeated_result(tmp_path):
    outcome, wrong = behave(6, tmp_path, resets=0)
    assert wrong
    assert outcome["error"] == "1 more results than packets"


def test_reset_that_leaves_something_behind(tmp_path):
    _, wrong = behave(9, tmp_path, resets=8)
    assert wrong


def test_lost_beat(tmp_path):
    outcome, _ = behave(0, tmp_path, drop=7, resets=0)
    assert outcome["error"] is not None
