"""The netlist with the vendor's cells, and the board's design behind a serial line."""

import shutil

import pytest

from tests.sim.benches import chain, features, run, xnor

pytestmark = pytest.mark.xdist_group("sim")


@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_netlist(family):
    verdict = run(xnor(), f"netlist-{family}", level="netlist", family=family)
    assert (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)
    assert verdict.resets == 2


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_board_by_icarus():
    verdict = run(chain(), "board-icarus", vectors=features(chain(), 3), level="board",
                  malformed=0, resets=0, simulator="icarus")
    assert (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)


def test_board():
    """Every kind of damage, twice, between requests without a pause and after resets."""
    vectors = features(chain(), 30)
    verdict = run(chain(), "board", vectors=vectors, level="board", malformed=12, resets=5)
    assert (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)
    assert (verdict.damaged, verdict.resets) == (12, 5)
