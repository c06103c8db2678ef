"""Folded tables in whole designs, in block RAM and in memories that are written first."""

import shutil

import pytest

from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import asked
from bitwright.sim import faults
from tests.hw.tiny import tiny
from tests.sim.benches import features, run

pytestmark = pytest.mark.xdist_group("sim")

icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")

NETWORK = tiny()


def plan(large):
    return asked(Plan(), NETWORK, stream=False, cycles=16, large=large)


def proven(verdict):
    return (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)


@icarus
def test_contents_are_written_first():
    """And are those of the network: a fault in them is found."""
    vectors = features(NETWORK, 20)
    verdict = run(NETWORK, "tables-large", plan=plan(large=True), simulator="icarus",
                  vectors=vectors)
    assert proven(verdict)
    assert verdict.resets == 2
    fault = faults.plant("table", NETWORK, vectors, plan=plan(large=True), seed=1)
    verdict = run(NETWORK, "tables-large", plan=plan(large=True), simulator="icarus",
                  vectors=vectors, faults=fault.faults)
    assert verdict.mismatches > 0
    assert verdict.difference.node == "lut0"


@icarus
@pytest.mark.slow
@pytest.mark.parametrize("large", [False, True])
def test_netlist(large):
    """Where an undefined bit of a memory would be seen."""
    assert proven(run(NETWORK, f"tables-{large}", level="netlist", plan=plan(large),
                      simulator="icarus", vectors=features(NETWORK, 12)))


@icarus
@pytest.mark.slow
def test_board():
    """Nothing but EMPTY until the contents are there; a load that is broken off; a reset."""
    verdict = run(NETWORK, "tables-board", level="board", plan=plan(large=True),
                  simulator="icarus", frozen=NETWORK, vectors=features(NETWORK, 3), malformed=0,
                  resets=1)
    assert proven(verdict)
    assert verdict.loaded > 0
