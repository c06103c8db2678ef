"""Planted faults: every level notices what it claims to notice, and names the place."""

import pytest

from sim import faults

from .benches import chain, features, run

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


def test_swapped_scores_are_behind_the_nodes():
    planted = faults.plant("scores", NETWORK, VECTORS)
    verdict = noticed(planted, "rtl")
    assert verdict.difference.node == "m_axis_tdata"
    assert verdict.notes == ["every node hands on what it should: the fault is behind them"]


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
    with pytest.raises(ValueError, match=r"^No fault of kind 'table' changes a score of these "
                                         r"vectors$"):
        faults.plant("table", NETWORK, VECTORS[:0])
