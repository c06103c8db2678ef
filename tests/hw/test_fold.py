"""Folded nodes, alone and in whole networks."""

import dataclasses
import re

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw import folding
from bitwright.hw.folding import Folding
from bitwright.hw.limits import WidthError
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rtl.core import Core
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import choose, foldable, folded
from tests.hw.streams import simulate, sink, source
from tests.hw.test_ip import answers, beats, expected, result
from tests.hw.ways import ask, folded_node
from tests.networks import features, labelled, logic_only, network

KINDS = sorted(kind for kind, node in ir.Node.kinds.items()
               if foldable(node.sample(np.random.default_rng(0))))
STALLS = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.6)]


@pytest.mark.parametrize(("shape", "cycles", "folding"), [
    ((10, 784), 1, Folding(10, 784, 1, 1)),
    ((10, 784), 3, Folding(10, 262, 3, 1)),  # shorter than four whole rows
    ((10, 784), 10, Folding(1, 784, 1, 10)),
    ((10, 784), 29, Folding(5, 56, 14, 2)),  # not two cycles for each: three are no more than two
    ((10, 784), 49, Folding(1, 196, 4, 10)),  # two at a time would save a twentieth
    ((256, 784), 256 * 13, Folding(1, 61, 13, 256)),  # not 64: an even split
    ((2, 5), 1000, Folding(1, 1, 5, 2)),
])
def test_folding_by_hand(shape, cycles, folding):
    found = Folding.within(*shape, cycles)
    assert found == folding
    assert found.cycles <= cycles
    assert found.word_bits * found.cycles >= shape[0] * shape[1]


def test_words_of_whole_beats():
    """At 48 of 50 cycles; in 40 a word would be three of the nine beats too."""
    found = Folding.within(64, 216, 50, 24)
    assert found == Folding(4, 72, 3, 16)
    assert found.gathers(216, 24)
    assert not found.gathers(216, 25)
    assert not Folding.within(64, 216, 1000, 216).gathers(216, 216)  # a word that is a vector
    assert not Folding.within(4, 63, 1000).gathers(63, 1)


def vectors(node, rng):
    x = rng.integers(2, size=(6, node.in_width)).astype(bool)
    y = node.evaluate(x)
    return ir.pack(x), y.tolist() if isinstance(node, ir.HeadNode) else ir.pack(y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cycles", [1, 2, 3, 7, 12, 30, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_folded_equals_evaluator(kind, cycles, seed):
    rng = np.random.default_rng([seed, cycles])
    node = ir.Node.kinds[kind].sample(rng)
    plan = Plan(levels_per_register=1 + seed, lut_size=4 + 2 * (seed % 2))
    payloads, wanted = vectors(node, rng)
    for stalls in STALLS if cycles in (3, 30) else [STALLS[(seed + cycles) % 4]]:
        chosen = folded_node(node, cycles, plan)
        assert ask(chosen, payloads, len(wanted), stalls=stalls) == wanted


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cycles", [1, 3, 10, 40])
def test_latency_and_interval_are_as_declared(kind, cycles):
    rng = np.random.default_rng(cycles)
    node = ir.Node.kinds[kind].sample(rng)
    payloads, wanted = vectors(node, rng)
    chosen = folded_node(node, cycles)
    estimate = chosen.estimate()
    taken, given = [], []
    assert ask(chosen, payloads, len(wanted), taken=taken, given=given,
               pace=estimate.interval) == wanted
    assert set(np.diff(taken)) == {estimate.interval}
    assert set(np.subtract(given, taken)) == {estimate.latency}
    assert estimate.interval <= cycles


def test_every_weight_and_threshold_counts():
    """The comparison above can fail: no altered copy gives the answers of the original."""
    node = ir.Xnor(np.array([[0, 1, 1, 0, 1], [1, 0, 1, 1, 1], [0, 0, 0, 1, 0]], bool),
                   np.array([[3, 2], [2, 4], [1, 3]], np.int32))
    every = (np.arange(32)[:, None] >> np.arange(5) & 1).astype(bool)
    wanted = ir.pack(node.evaluate(every))
    for field in ("weights", "thresholds"):
        for place in range(getattr(node, field).size):
            altered = getattr(node, field).copy()
            altered.flat[place] ^= 1
            copy = dataclasses.replace(node, **{field: altered})
            assert ask(folded_node(copy, 6), ir.pack(every), 32) != wanted


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("seed", range(14))
def test_network_equals_evaluator(seed, frames, monkeypatch):
    """Folded and unrolled nodes mixed, with branches that must wait for each other."""
    monkeypatch.setattr(folding, "SMALLEST", 1)
    subject = network(seed, frames=frames)
    rng = np.random.default_rng(seed)
    nodes = {entry.name: {"way": "folded", "cycles": int(rng.integers(1, 40))}
             for entry in subject.entries if foldable(entry.node) and rng.random() < 0.7}
    plan = Plan(lanes=1 + seed % 4, levels_per_register=1 + seed % 3, nodes=nodes)
    x = features(subject, 8, seed)
    stalls = [(0.0, 0.0), (0.6, 0.0), (0.0, 0.8), (0.5, 0.5)][seed % 4]
    ip = Ip(subject, plan)
    assert answers(ip, beats(ip, x), len(x), stalls, seed) == expected(subject, x)


@pytest.mark.parametrize("cycles", [5, 64])
@pytest.mark.parametrize("seed", [1, 2, 4, 9])  # with a layer of weights, or two
def test_a_class_a_frame(seed, cycles):
    subject = labelled(seed, classes=3)
    x = features(subject, 6, seed)
    ip = Ip(subject, folded(Plan(lanes=2), subject, cycles))
    assert answers(ip, beats(ip, x), len(x), STALLS[seed % 4], seed) == expected(subject, x)


def skipping(widths):
    """Layers of neurons in a row, and a head that reads all of them."""
    rng = np.random.default_rng(3)
    entries = [ir.Entry("modulate", ir.Modulate(rng.integers(1, 16, size=(1, 6, 1)).astype(
        np.int32), 4), ("input",))]
    for index, width in enumerate(widths):
        fan_in = entries[-1].node.out_width
        node = ir.Xnor(rng.integers(2, size=(width, fan_in)).astype(bool),
                       rng.integers(1, fan_in, size=(width, 1)).astype(np.int32))
        entries.append(ir.Entry(f"xnor{index}", node, (entries[-1].name,)))
    names = tuple(entry.name for entry in entries)
    width = sum(entry.node.out_width for entry in entries)
    head = ir.Scores(rng.integers(2, size=(3, width)).astype(bool), 1, np.array([0, 1, 2],
                                                                                np.int32))
    return ir.Network((*entries, ir.Entry("head", head, names)))


@pytest.mark.parametrize("cycles", [1, 8, 30])
@pytest.mark.parametrize("lanes", [1, 6])
@pytest.mark.parametrize("smallest", [1, 64])
def test_network_latency_and_interval_are_as_declared(cycles, lanes, smallest, monkeypatch):
    monkeypatch.setattr(folding, "SMALLEST", smallest)
    subject = skipping((7, 5, 6))
    x = features(subject, 8, 0)
    ip = Ip(subject, folded(Plan(lanes=lanes), subject, cycles))
    taken, given, received = [], [], []
    simulate(ip, source(ip.i, beats(ip, x), log=taken), sink(ip.o, len(x), received, log=given))
    first = taken[:: ip.encoder.beats]
    assert given[0] - first[0] == ip.latency
    assert set(np.diff(given)) == {ip.interval}
    assert set(np.diff(first)[1:]) == {ip.interval}  # while the first waits, the second arrives
    assert ip.interval == max(ip.frame_interval, 6 // lanes)
    assert ip.frame_interval <= cycles


def chain(widths, depth=1):
    """Layers of neurons in a row, and a head."""
    rng = np.random.default_rng(4)
    features, *hidden = widths
    entries = [ir.Entry("modulate", ir.Modulate(rng.integers(
        1, 16, size=(1, features, 1)).astype(np.int32), 4), ("input",))]
    for index, width in enumerate(hidden):
        fan_in = entries[-1].node.out_width
        node = ir.Xnor(rng.integers(2, size=(width, fan_in)).astype(bool), rng.integers(
            fan_in // 3, 1 + 2 * fan_in // 3, size=(width, depth)).astype(np.int32))
        entries.append(ir.Entry(f"xnor{index}", node, (entries[-1].name,)))
    head = ir.Scores(rng.integers(2, size=(3, entries[-1].node.out_width)).astype(bool), 1,
                     np.array([0, 1, 2], np.int32))
    return ir.Network((*entries, ir.Entry("head", head, (entries[-1].name,))))


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize(("cycles", "depth"), [(200, 1), (99, 1), (400, 2), (130, 3), (64, 1)])
def test_a_chain_hands_neurons_on_one_by_one(cycles, depth, frames):
    """No register holds a vector between two layers, and every time is as declared."""
    subject = chain((6, 33, 64, 9), depth)
    first = subject.entries[0]
    if frames == 2:
        levels = np.concatenate([first.node.thresholds, 16 - first.node.thresholds])
        subject = ir.Network((ir.Entry("modulate", ir.Modulate(levels, 4), ("input",)),
                              *subject.entries[1:]))
    x = features(subject, 6, 0)
    ip = Ip(subject, folded(Plan(lanes=6), subject, cycles))
    taken, given, received = [], [], []
    simulate(ip, source(ip.i, beats(ip, x), log=taken), sink(ip.o, len(x), received, log=given))
    assert [result(ip, word) for word in received] == expected(subject, x)
    assert given[0] - taken[0] == ip.latency
    assert set(np.diff(given)) == {ip.interval}


def test_which_readers_take_beats():
    """Of 33, 64 and 9 neurons the second's reader alone is wide enough."""
    core = Core(chain((6, 33, 64, 9)), folded(Plan(), chain((6, 33, 64, 9)), 200))
    assert {name: beat.beats for name, beat in core.beats.items()} == {
        "modulate": 1, "xnor0": 33, "xnor1": 64, "xnor2": 9}
    assert core.beat is None
    parts = core.elaborate(None)._named_submodules
    assert [name for name in parts if name.startswith("_")] == ["_xnor0_collector",
                                                                "_xnor2_collector"]
    # Words of two bits each: neurons of depth 3 do not fill them evenly.
    uneven = chain((6, 33, 64, 9), depth=3)
    core = Core(uneven, folded(Plan(), uneven, 900))
    assert "_xnor1_collector" in core.elaborate(None)._named_submodules


def test_few_registers_hold_what_is_early():
    """A register an interval, not one a cycle."""
    subject = skipping((7, 5, 6))
    core = Core(subject, folded(Plan(), subject, 30))
    # 21, 20 and 30 words; a register in the counter of two bits, one of the sum, one of the outputs
    assert (core.interval, core.latency) == (30, (21 + 3) + (20 + 3) + (30 + 2))
    elaborated = core.elaborate(None)
    holds = [name for name in elaborated._named_submodules if "hold" in name]
    assert sorted(holds) == ["_modulate_hold1", "_modulate_hold2", "_modulate_hold3",
                             "_xnor0_hold1", "_xnor0_hold2", "_xnor1_hold1", "_xnor1_hold2"]


def test_a_node_that_cannot_be_folded_is_refused():
    subject = labelled(0, classes=2)
    message = ("Plan key 'nodes.head.way' must be one of ('unrolled',) for a 'goodness' node, not "
               "'folded'; the nearest is 'unrolled'")
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        Ip(subject, Plan(nodes={"head": {"way": "folded"}}))


def test_nothing_to_fold():
    with pytest.raises(PlanError, match=r"^Network has no node that can be folded$"):
        folded(Plan(), logic_only(), 3)


def test_a_word_that_is_too_wide_is_refused():
    node = ir.Xnor(np.zeros((300, 500), bool), np.zeros((300, 1), np.int32))
    message = ("Weights of a word must have at most 65,536 bits, not 75,000 (500 inputs, 150 "
               "neurons at a time)")
    with pytest.raises(WidthError, match=f"^{re.escape(message)}$"):
        folded_node(node, 2).build()


def test_folded_names_every_node_that_can_be():
    subject = skipping((2, 3))
    plan = folded(Plan(lanes=2, nodes={"xnor0": {"writable": True}}), subject, 9)
    table = {"way": "folded", "cycles": 9}
    assert plan == Plan(lanes=2, nodes={"xnor0": {**table, "writable": True}, "xnor1": table,
                                        "head": table})
    assert choose(subject.entry("xnor0"), plan).cls.__name__ == "FoldedXnor"
    assert choose(subject.entry("xnor0"), Plan()).cls.__name__ == "XnorLayer"
