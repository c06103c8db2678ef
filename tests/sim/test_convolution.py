"""Convolutions in whole designs, unrolled and folded."""

import pytest

from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import folded
from tests.hw import test_stream_core as streaming
from tests.sim.benches import run, sliding

pytestmark = [pytest.mark.xdist_group("sim"), pytest.mark.slow]


@pytest.mark.parametrize(("level", "plan"), [
    ("rtl", Plan(lanes=4)),
    ("netlist", folded(Plan(), sliding(), 40)),
], ids=["unrolled", "folded"])
def test_convolution(level, plan):
    verdict = run(sliding(), f"convolution-{level}", level=level, plan=plan)
    assert (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)
    assert verdict.resets == 2


def test_streamed():
    """Bodies of neurons, folded, and of tables; a pool and a join: as Yosys makes them."""
    subject, plan = streaming.network("residual"), streaming.plan("residual", 150)
    assert {entry.node.kind for entry in subject.entries if plan.way(entry.name) == "streamed"} == {
        "convolution", "pool", "join"}
    verdict = run(subject, "streamed-netlist", level="netlist", plan=plan)
    assert (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)
    assert verdict.resets == 2
