"""Planted faults: every level notices what it claims to notice, and names the place."""

import shutil
from dataclasses import replace

import pytest

from bitwright.sim import faults
from bitwright.sim.options import Faults
from tests import networks
from tests.sim.benches import chain, features, run

pytestmark = [pytest.mark.xdist_group("sim"), pytest.mark.slow]

NETWORK = chain()
VECTORS = features(NETWORK)


def noticed(planted, level, **settings):
    verdict = run(NETWORK, f"fault-{level}", vectors=VECTORS, level=level,
                  faults=planted.faults, **settings)
    assert verdict.failure is not None
    return verdict


@pytest.mark.parametrize("kind", ["table", "threshold", "wires"])
def test_rtl_names_the_planted_bit(kind):
    planted = faults.plant(kind, NETWORK, VECTORS)
    verdict = noticed(planted, "rtl")
    found = verdict.difference
    assert (found.node, found.bit) == (planted.node, planted.bit)
    assert verdict.mismatches > 0
    assert verdict.failure == (f"sample {found.sample}, frame 0, node {planted.node}, bit "
                               f"{planted.bit}: got {found.got}, expected {found.expected}")
    assert {found.got, found.expected} == {0, 1}


@pytest.mark.parametrize("level", ["netlist", "board"])
def test_other_levels_notice_a_flipped_table_bit(level):
    planted = faults.plant("table", NETWORK, VECTORS)
    found = noticed(planted, level).difference
    assert (found.node, found.bit) == (planted.node, planted.bit)


@pytest.mark.parametrize(("level", "note"), [
    ("rtl", "every node hands on what it should: the fault is behind them"),
    ("netlist", "in the design before level netlist no node has a fault"),
])
def test_swapped_scores_are_behind_the_nodes(level, note):
    planted = faults.plant("scores", NETWORK, VECTORS)
    verdict = noticed(planted, level)
    assert verdict.difference.node == "m_axis_tdata"
    assert verdict.notes == [note]


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_fault_in_a_later_frame():
    network = chain(frames=2)
    modulate, expected = network.modulate, network.evaluate(VECTORS).scores
    for bit in range(modulate.out_width):
        thresholds = modulate.thresholds.copy()
        thresholds[1, bit // modulate.depth, bit % modulate.depth] = 0  # every value is above it
        built = replace(network, entries=(
            replace(network.entries[0], node=replace(modulate, thresholds=thresholds)),
            *network.entries[1:]))
        if (built.evaluate(VECTORS).scores != expected).any():
            break
    verdict = run(network, "fault-frame", vectors=VECTORS, simulator="icarus",
                  faults=Faults(built=built))
    found = verdict.difference
    assert (found.frame, found.node, found.bit, found.got, found.expected) == (
        1, "modulate", bit, 1, 0)


@pytest.mark.parametrize("level", ["rtl", "netlist"])
def test_swallowed_result(level):
    planted = faults.plant("result", NETWORK, VECTORS)
    verdict = noticed(planted, level)
    assert verdict.mismatches + verdict.missing > 0


@pytest.mark.parametrize("level", ["rtl", "board"])
def test_lost_beat(level):
    planted = faults.plant("beat", NETWORK, VECTORS)
    noticed(planted, level)


def test_fault_that_no_vector_would_notice():
    with pytest.raises(faults.FaultError, match=r"^No fault of kind 'table' changes a score of "
                                                r"these vectors$"):
        faults.plant("table", NETWORK, VECTORS[:0])


def test_a_single_score_cannot_be_swapped():
    subject = networks.regression(0)
    with pytest.raises(faults.FaultError, match=r"^No fault of kind 'scores' changes a score of "
                                                r"these vectors$"):
        faults.plant("scores", subject, networks.features(subject, 20, 0))
