"""The netlist with the vendor's cells, and the board's design behind a serial line."""

import pytest

from tests.sim.benches import chain, features, run, xnor

pytestmark = pytest.mark.xdist_group("sim")


@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_netlist(family):
    verdict = run(xnor(), f"netlist-{family}", level="netlist", family=family)
    assert (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)
    assert verdict.resets == 2


def test_board():
    """Every kind of damage, twice, between requests without a pause and after resets."""
    vectors = features(chain(), 30)
    verdict = run(chain(), "board", vectors=vectors, level="board", malformed=12, resets=5)
    assert (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)
    assert (verdict.damaged, verdict.resets) == (12, 5)
