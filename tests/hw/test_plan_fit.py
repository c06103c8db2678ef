"""The planner: what is chosen, what it says, and where nothing fits."""

import numpy as np
import pytest

pytest.importorskip("amaranth")
pytest.importorskip("amaranth_boards")

from bitwright import boards, ir
from bitwright.hw import build
from bitwright.hw.flow.fit import MisfitError, Wish, choose_plan
from bitwright.hw.plan import Plan


@pytest.fixture(scope="module")
def network():
    """Of neurons, which can be folded."""
    rng = np.random.default_rng(0)
    thresholds = np.full((1, 60, 1), 100, np.int32)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 8), ("input",)),
        ir.Entry("wide", ir.Xnor(rng.integers(2, size=(64, 60)).astype(bool),
                                 np.full((64, 1), 30, np.int32)), ("modulate",)),
        ir.Entry("head", ir.Scores(rng.integers(2, size=(4, 64)).astype(bool), 1,
                                   np.zeros(4, np.int32)), ("wide",))))


def test_the_smallest_that_reaches_a_rate(network):
    board = boards.get("ulx3s-85f")
    slow, told = choose_plan(network, Plan(), board, Wish(rate=10_000))
    assert slow.plan.way("wide") == "folded"
    assert slow.plan.lanes == 1
    assert slow.per_second >= 10_000
    first, second, third, *_ = told.splitlines()
    assert first == f"plan: {slow}"
    assert second == "  it is the smallest that reaches the rate, of 36 ways"
    assert third.startswith("runner-up: folded into ")
    fast, _ = choose_plan(network, Plan(), board, Wish(rate=20_000_000))
    assert fast.plan.way("wide") == "unrolled"
    assert fast.plan.lanes > 1
    assert fast.filled > slow.filled


def test_the_fastest_that_fits(network):
    large, _ = choose_plan(network, Plan(), boards.get("ulx3s-85f"), Wish())
    assert (large.plan.way("wide"), large.plan.lanes) == ("unrolled", 32)
    small, told = choose_plan(network, Plan(), boards.get("icebreaker"), Wish())
    assert small.plan.way("wide") == "folded"  # unrolled it is larger than the device
    assert small.filled <= 0.8
    assert " % of the device: unrolled" in told


def test_nothing_fits(network):
    with pytest.raises(MisfitError, match=(
            r"^icebreaker: none of 36 ways to build fits; the nearest is .*, which has [\d,]+ "
            r"samples/s; take a larger board, a lower rate or a smaller network$")):
        choose_plan(network, Plan(), boards.get("icebreaker"), Wish(rate=10**9))
    with pytest.raises(MisfitError, match=r"which has \d+ MHz; take a larger board"):
        choose_plan(network, Plan(), boards.get("icebreaker"), Wish(clock_hz=500e6))


def test_the_command(capsys, caplog):
    caplog.set_level("INFO")
    assert build.main(["zoo/digits", "--estimate", "--fit", "--rate", "1000000", "--board",
                       "icebreaker"]) == 0
    assert caplog.messages[0].startswith("plan: unrolled, ")
    assert caplog.messages[1] == "  it is the smallest that reaches the rate, of 36 ways"
    assert "LUTs of 4 inputs, total" in capsys.readouterr().out
    for words, message in (
            (["--rate", "5"], "--rate is for --fit"),
            (["--fit", "--target", "xilinx"], "--target does not go with --fit"),
            (["--fit", "--fold", "9"], "--fold does not go with --fit"),
            (["--estimate", "--freq", "9"], "--freq does not go with --estimate")):
        assert build.main(["zoo/digits", *words]) == 2
        assert caplog.messages[-1] == message
