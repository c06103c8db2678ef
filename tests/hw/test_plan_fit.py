"""The planner: what is chosen, what it says, and where nothing fits."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("amaranth")
pytest.importorskip("amaranth_boards")

from bench import measured
from bitwright import boards, ir
from bitwright.errors import UserError
from bitwright.hw import build
from bitwright.hw.flow import estimate, fit
from bitwright.hw.flow.estimate import Estimated
from bitwright.hw.flow.fit import Candidate, MisfitError, Wish, choose_plan, smallest
from bitwright.hw.plan import VIDEO, Plan
from bitwright.locate import locate


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


def tables(features, widths, classes, fan_in=4):
    """A network of look-up tables."""
    rng = np.random.default_rng(1)
    entries = [ir.Entry("modulate", ir.Modulate(np.full((1, features, 1), 100, np.int32), 8),
                        ("input",))]
    for index, width in enumerate(widths):
        before = entries[-1]
        entries.append(ir.Entry(f"lut{index}", ir.Lut(
            before.node.out_width,
            rng.integers(before.node.out_width, size=(width, fan_in)).astype(np.int32),
            rng.integers(2, size=(width, 1 << fan_in)).astype(bool)), (before.name,)))
    head = ir.GroupSum(widths[-1], classes)
    return ir.Network((*entries, ir.Entry("head", head, (entries[-1].name,))))


def test_the_smallest_that_reaches_a_rate(network):
    board = boards.get("ulx3s-85f")
    slow, told = choose_plan(network, Plan(), board, Wish(rate=10_000))
    assert slow.plan.way("wide") == "folded"
    assert slow.plan.lanes <= 2
    assert slow.per_second >= 10_000
    first, second, third, *_ = told.splitlines()
    assert first == f"plan: {slow}"
    assert second == "  it is the smallest that reaches the rate, of 37 ways"
    assert third.startswith("runner-up, ")
    fast, _ = choose_plan(network, Plan(), board, Wish(rate=60_000_000))
    assert fast.plan.way("wide") == "unrolled"
    assert fast.plan.way("modulate") == "parallel"
    assert fast.filled > slow.filled


def test_the_fastest_that_fits(network):
    large, _ = choose_plan(network, Plan(), boards.get("ulx3s-85f"), Wish())
    assert (large.plan.way("wide"), large.plan.way("modulate")) == ("unrolled", "parallel")
    assert large.estimated.interval == 1
    small, told = choose_plan(network, Plan(), boards.get("icebreaker"), Wish())
    assert small.plan.way("wide") == "folded"  # unrolled it is larger than the device
    assert small.filled <= 0.8
    assert not small.estimated.large_memories
    assert " % of the device: unrolled" in told


def test_ways_that_cannot_be_built_are_passed_over(monkeypatch):
    """A line of 28 pixels of video makes no whole beats of 32, which is known once the parts are
    there."""
    monkeypatch.setattr(fit, "_LANES", (1, 32))
    network = ir.load(locate("zoo/mnist"))
    _, told = choose_plan(network, Plan(input=VIDEO), boards.get("ulx3s-25f"), Wish(rate=5_000))
    assert "1 lane" in told
    assert "32 lanes" not in told


def test_pixels_stream_in_a_multiple_of_their_number(monkeypatch):
    monkeypatch.setattr(fit, "_TIMES", (2,))
    network = ir.load(locate("zoo/mnist-ulx3s"))
    chosen, told = choose_plan(network, Plan(), boards.get("ulx3s-25f"), Wish(rate=30_000))
    assert chosen.plan.way("convolution0") == "streamed"
    assert chosen.plan.lanes == 1
    assert told.startswith("plan: streamed, 1,568 cycles, 1 lane: ")


def test_behind_streamed_convolutions_tables_may_be_unrolled(monkeypatch):
    monkeypatch.setattr(fit, "_LANES", (1,))
    network = measured.pictured(13)  # a convolution and a layer, both of tables
    chosen, _ = choose_plan(network, Plan(), boards.get("ulx3s-25f"), Wish(rate=100_000))
    assert (chosen.plan.way("node0"), chosen.plan.way("node2")) == ("streamed", "unrolled")
    assert chosen.words.startswith("streamed")


def test_a_family_of_unknown_fmax_is_asked_for_a_clock(network, monkeypatch):
    board = boards.get("tang-nano-9k")
    unknown = dataclasses.replace(estimate.coefficients("gowin"), mhz={})
    for module in (estimate, fit):
        monkeypatch.setattr(module, "coefficients", lambda _: unknown)
    with pytest.raises(UserError, match=r"no Fmax of Gowin .* is known; --freq says"):
        choose_plan(network, Plan(), board, Wish(rate=10_000))
    chosen, told = choose_plan(network, Plan(), board, Wish(rate=10_000, clock_hz=27e6))
    assert chosen.per_second == 27e6 / chosen.estimated.interval >= 10_000
    assert " MHz: " not in told


def test_encoder_and_head():
    network, board = tables(64, (200, 400), 10), boards.get("icebreaker")
    slow, told = choose_plan(network, Plan(), board, Wish(rate=100_000))
    assert slow.plan.nodes["head"] == {"way": "serial", "bits": 8, "gated": False}
    assert slow.plan.way("modulate") == "unrolled"
    assert slow.words == "unrolled, serial head of 8 bits, 2 lanes"
    assert "of 81 ways" in told
    fast, told = choose_plan(network, Plan(), board, Wish())
    assert (fast.plan.way("modulate"), fast.plan.way("head")) == ("parallel", "unrolled")
    assert fast.words == "unrolled, parallel encoder"
    assert "\nrunner-up, " in told
    assert "slower: unrolled, 32 lanes: " in told


def test_what_a_device_holds():
    def found(luts=1000, memories=0, large=0, sample=0, **wish):
        return Candidate("it", Plan(), Estimated({"core": luts}, memories, large, 40.0, 9, 1),
                         boards.get("icebreaker"), Wish(**wish), sample)

    assert not found(luts=4224).wrong
    assert found(luts=4300).wrong == "81 % of the device"
    assert not found(memories=30).wrong  # nothing has to be routed between them
    assert found(memories=31).wrong == "103 % of the device"
    assert not found(large=4).wrong
    assert found(large=5).wrong == "125 % of the device"
    assert found().wrong == ""
    assert found(sample=784 * 8).wrong == "119 % of the device"  # in registers
    assert found(clock_hz=48e6).wrong == "40 MHz"
    assert found(rate=41e6).wrong == "40,000,000 samples/s"


def test_of_equally_full_designs_the_one_of_fewer_luts_is_the_smaller():
    def found(luts, interval):
        return Candidate("it", Plan(), Estimated({"core": luts}, 15, 0, 40.0, 9, interval),
                         boards.get("icebreaker"), Wish(rate=1))

    assert found(900, 8).filled == found(1000, 4).filled == 0.5  # half of the block RAMs
    assert smallest(found(900, 8)) < smallest(found(1000, 4)) < smallest(found(1000, 8))


def test_folded_tables():
    network = tables(64, (300, 500), 10, fan_in=6)
    chosen, _ = choose_plan(network, Plan(), boards.get("icebreaker"), Wish(rate=1000))
    assert [chosen.plan.way(name) for name in ("lut0", "lut1", "head")] == ["folded"] * 3
    assert not chosen.estimated.large_memories


def wide(neurons):
    """A network of so many neurons on 500 bits."""
    rng = np.random.default_rng(0)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(np.full((1, 500, 1), 100, np.int32), 8), ("input",)),
        ir.Entry("wide", ir.Xnor(rng.integers(2, size=(neurons, 500)).astype(bool),
                                 np.full((neurons, 1), 250, np.int32)), ("modulate",)),
        ir.Entry("head", ir.Scores(rng.integers(2, size=(4, neurons)).astype(bool), 1,
                                   np.zeros(4, np.int32)), ("wide",))))


def test_large_memories_are_the_last_resort():
    board = boards.get("icebreaker")
    chosen, told = choose_plan(wide(300), Plan(), board, Wish(rate=100))
    assert chosen.plan.nodes["wide"]["large"] is True
    assert 0 < chosen.estimated.large_memories <= board.part.large_memories == 4
    assert told.splitlines()[1] == ("  it is the smallest that reaches the rate, and no other than "
                                    "in large memories, of 67 ways")
    # Large memories would be a smaller share of those that there are.
    chosen, _ = choose_plan(wide(200), Plan(), board, Wish(rate=100))
    assert not chosen.estimated.large_memories
    assert chosen.estimated.memories > 20


def test_nothing_fits(network):
    with pytest.raises(MisfitError, match=(
            r"^icebreaker: none of 67 ways to build fits; the nearest is .*, which has [\d,]+ "
            r"samples/s; take a larger board, a lower rate or a smaller network$")):
        choose_plan(network, Plan(), boards.get("icebreaker"), Wish(rate=10**9))


def test_the_command(capsys, caplog):
    caplog.set_level("INFO")
    assert build.main(["zoo/digits", "--estimate", "--fit", "--rate", "1000000", "--board",
                       "icebreaker"]) == 0
    assert caplog.messages[0].startswith("plan: unrolled, serial head of 32 bits, ")
    assert caplog.messages[1] == "  it is the smallest that reaches the rate, of 81 ways"
    assert "LUTs of 4 inputs, total" in capsys.readouterr().out
    for words, message in (
            (["--rate", "5"], "--rate is for --fit"),
            (["--fit", "--target", "xilinx"], "--target does not go with --fit"),
            (["--fit", "--fold", "9"], "--fold does not go with --fit"),
            (["--estimate", "--freq", "9"], "--freq does not go with --estimate")):
        assert build.main(["zoo/digits", *words]) == 2
        assert caplog.messages[-1] == message
