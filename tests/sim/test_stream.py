"""The generated Verilog under cocotb: stalls, resets, malformed packets, every shape of stream."""

import shutil
from pathlib import Path

import pytest

from bitwright.hw.layout import Layout
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import folded
from bitwright.sim import faults
from bitwright.sim.stream_level import pack
from tests.sim.benches import chain, features, goodness, graph, run, sliding, wide, xnor

pytestmark = pytest.mark.xdist_group("sim")


def passed(verdict, vectors=60):
    return (verdict.failure, verdict.mismatches, verdict.missing, verdict.vectors) == (
        None, 0, 0, vectors)


@pytest.mark.parametrize(("stall_in", "stall_out"), [(0, 0), (0, 0.8), (0.8, 0), (0.5, 0.5)])
def test_stalls(stall_in, stall_out):
    verdict = run(chain(), "stalls", stall_in=stall_in, stall_out=stall_out, resets=3)
    assert passed(verdict)
    assert verdict.resets == 3
    assert verdict.malformed >= 6


def test_full_speed():
    """Without stalls a sample takes its beats, and nothing more."""
    vectors = features(chain(), 200)
    verdict = run(chain(), "speed", vectors=vectors, stall_in=0, stall_out=0, resets=0,
                  malformed=0)
    assert passed(verdict, 200)
    assert 5 * 200 < verdict.cycles < 5 * 200 + 200


@pytest.mark.parametrize("seed", range(2, 6))
def test_resets_leave_nothing_behind(seed):
    verdict = run(chain(frames=2), "resets", seed=seed, resets=12)
    assert passed(verdict)
    assert verdict.resets == 12


@pytest.mark.parametrize("lanes", [3, 5])
def test_lanes(lanes):
    """Beats of several features, with a lane to spare in the last, and a sample in one beat."""
    assert passed(run(chain(), "lanes", lanes=lanes))


def test_wide_signed_features():
    assert passed(run(wide(), "wide", lanes=2))


def test_weights_and_frames():
    assert passed(run(xnor(), "xnor"))


def test_folded_layers_and_a_class_a_frame():
    network = goodness()
    assert len(set(network.evaluate(features(network)).decision.tolist())) == 3
    assert passed(run(network, "goodness", plan=folded(Plan(), network, 20)))


def test_simplified_graph():
    network = graph()
    assert any(len(entry.inputs) > 1 for entry in network.entries)
    assert passed(run(network, "graph"))


def test_one_vector():
    assert passed(run(chain(), "one", vectors=features(chain(), 1)), 1)


def test_no_vectors():
    with pytest.raises(ValueError, match=r"^A simulation must have at least 1 vector, not 0$"):
        run(chain(), "none", vectors=features(chain(), 0))


icarus = pytest.mark.skipif(shutil.which("iverilog") is None,
                            reason="Icarus Verilog is not installed")


@icarus
@pytest.mark.parametrize(("network", "plan"), [
    (chain(), Plan()), (chain(frames=2), Plan(lanes=2)), (xnor(frames=3), Plan()),
    (xnor(), folded(Plan(), xnor(), 20)), (goodness(), folded(Plan(), goodness(), 20)),
    (sliding(), folded(Plan(), sliding(), 40)),
], ids=["one frame", "two frames", "three frames", "folded", "a class a frame", "convolution"])
def test_icarus_proves_what_is_delivered(network, plan):
    """The text as it is: no simulator is given another one."""
    assert passed(run(network, "icarus", simulator="icarus", plan=plan))


@icarus
def test_results_in_beats_and_a_reset_of_axi():
    """A result of four bytes in beats of three, the second of which counts by a byte."""
    plan = Plan(result_beat_bytes=3)
    assert Layout.of(chain(), 1, 3).last_beat_bytes == 1
    assert passed(run(chain(), "beats", simulator="icarus", plan=plan,
                      naming=Naming("flowers", "aresetn")))


@icarus
@pytest.mark.parametrize("kind", ["scores", "result"])
def test_faults_behind_results_in_beats(kind):
    """The wrapper that plants them follows names and widths."""
    plan, naming = Plan(result_beat_bytes=3), Naming("flowers", "aresetn")
    planted = faults.plant(kind, chain(), features(chain()), plan=plan, naming=naming)
    verdict = run(chain(), "beats-fault", simulator="icarus", plan=plan, naming=naming,
                  faults=planted.faults)
    assert verdict.difference.node == "m_axis_tdata"


@icarus
def test_icarus_takes_the_same_cycles():
    """Two simulators, one with undefined values, agree in every cycle."""
    verdicts = [run(xnor(), f"both-{simulator}", simulator=simulator)
                for simulator in ("verilator", "icarus")]
    assert all(map(passed, verdicts))
    assert verdicts[0].cycles == verdicts[1].cycles


@pytest.mark.parametrize(("network", "lanes"), [(chain(), 2), (wide(), 3)])
def test_pack(network, lanes):
    """The packets are the beats of the layout, one after the other."""
    layout = Layout.of(network, lanes)
    samples = features(network, 5)
    for row, sample in zip(pack(layout, samples), samples, strict=True):
        beats = [beat.to_bytes(layout.beat_bytes, "little")
                 for beat in layout.pack_features(sample.tolist())]
        assert row.tobytes() == b"".join(beats)


@pytest.mark.slow
def test_waves():
    verdict = run(xnor(frames=1), "waves", vectors=features(xnor(), 3), waves=True)
    assert passed(verdict, 3)
    assert "$enddefinitions" in Path(verdict.waves).read_text()
