"""Every kind of node: its hardware equals the evaluator, whatever stalls on either side."""

import dataclasses
import itertools

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw import folding
from bitwright.hw.layout import Layout
from bitwright.hw.plan import PARALLEL, STREAMED, Plan
from bitwright.hw.rtl.layers import choose, ways
from tests.hw.ways import PLAN, ask, choice, sites, unrolled_node

WAYS = sorted((kind, way) for kind, node in ir.Node.kinds.items() for way in ways(node))
"""Every kind of node in every way: a kind without hardware fails here."""
STALLS = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.6)]
PLANS = [Plan(levels_per_register=1), Plan(lanes=2),
         Plan(lanes=3, levels_per_register=3, lut_size=6), Plan(lanes=9, levels_per_register=9)]
VECTORS = 12
IMAGES = 5
"""Vectors of a node that is streamed, each of which takes many cycles."""


def sample_beats(node, plan, x):
    """Beats of samples, as payloads of an encoder's input."""
    layout = Layout(node.features, plan.lanes, node.bits, node.signed, 2, 1)
    mask = (1 << node.bits) - 1
    for row in x.tolist():
        row = [value & mask for value in row] + [0] * (layout.beats * plan.lanes - len(row))
        for beat in range(layout.beats):
            features = row[beat * plan.lanes : (beat + 1) * plan.lanes]
            yield {"data": sum(value << i * node.bits for i, value in enumerate(features)),
                   "last": int(beat == layout.beats - 1)}


def stimulus(node, plan, rng, vectors=VECTORS):
    """Payloads to send, and integers that must come out."""
    if isinstance(node, ir.Modulate):
        low, high = node.domain
        x = rng.integers(low, high + 1, size=(VECTORS, node.features))
        frames = [ir.pack(ir.unslice(node.evaluate_frame(x, frame), len(x)))
                  for frame in range(node.frames)]
        return list(sample_beats(node, plan, x)), list(itertools.chain(*zip(*frames, strict=True)))
    if node.in_width <= 4:  # all there are
        x = (np.arange(1 << node.in_width)[:, None] >> np.arange(node.in_width) & 1).astype(bool)
    else:
        x = rng.integers(2, size=(vectors, node.in_width)).astype(bool)
    y = node.evaluate(x)
    if isinstance(node, ir.HeadNode):
        return ir.pack(x), y.tolist()
    return ir.pack(x), ir.pack(y)


def drawn(kind, way, plan, rng):
    """A node that can be built in that way, and the plan with as many lanes as its samples come
    with."""
    cls = ir.Node.kinds[kind]
    node = cls.sample(rng)
    while ways(cls)[way].refusal(node) is not None:
        node = cls.sample(rng)
    return node, dataclasses.replace(plan, lanes=node.features) if way == PARALLEL else plan


def vectors(way):
    return IMAGES if way == STREAMED else VECTORS


def draw(settings, rng):
    """Values for the fields of a dataclass of settings. What is large holds nothing at first."""
    return {item.name: bool(rng.integers(2)) if item.type == "bool" else int(rng.integers(1, 50))
            for item in dataclasses.fields(settings) if item.name != "large"}


@pytest.fixture
def small_memories(monkeypatch):
    """Let small vectors gather in memories too, as those that are drawn here are."""
    monkeypatch.setattr(folding, "SMALLEST", 1)


@pytest.mark.usefixtures("small_memories")
@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize("seed", range(8))
def test_hardware_equals_evaluator(kind, way, seed):
    """Whatever stalls on either side, however its input comes."""
    rng = np.random.default_rng(seed)
    node, plan = drawn(kind, way, PLANS[seed % len(PLANS)], rng)
    chosen = choice(node, plan, way, **draw(ways(type(node))[way].Settings, rng))
    payloads, expected = stimulus(node, plan, rng, vectors(way))
    assert len(expected) > 0
    for number, site in enumerate(sites(chosen)):
        stalls = STALLS[(seed + number) % len(STALLS)]
        assert ask(chosen, payloads, len(expected), site=site, stalls=stalls) == expected


@pytest.mark.usefixtures("small_memories")
@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
@pytest.mark.parametrize("seed", range(3))
def test_estimates_are_exact(kind, way, plan, seed):
    """Latency, interval and beats; an estimate that lies fails."""
    rng = np.random.default_rng(seed)
    node, plan = drawn(kind, way, plan, rng)
    payloads, expected = stimulus(node, plan, rng, vectors(way))
    chosen = choice(node, plan, way, **draw(ways(type(node))[way].Settings, rng))
    beats = node.features // -plan.lanes if isinstance(node, ir.Modulate) else -1
    frames = node.frames if isinstance(node, ir.Modulate) else 1
    for site in sites(chosen):
        estimate = chosen.estimate(site)
        for pace in (estimate.interval, None):
            taken, given = [], []
            ask(chosen, payloads, len(expected), site=site, taken=taken, given=given,
                pace=None if beats != -1 else pace)
            taken, given = taken[::-beats], given[frames - 1 :: frames]
            if pace is not None:
                assert set(np.subtract(given, taken)) == {estimate.latency}
            assert set(np.diff(given)[1:]) <= {estimate.interval}
            assert len(given) > 2 or node.in_width == 1


@pytest.mark.usefixtures("small_memories")
@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize("cycles", [3, 17, 40])
def test_reset_is_a_clean_start(kind, way, cycles):
    rng = np.random.default_rng(cycles)
    node, plan = drawn(kind, way, PLAN, rng)
    payloads, expected = stimulus(node, plan, rng, vectors(way))
    chosen = choice(node, plan, way, **draw(ways(type(node))[way].Settings, rng))
    for site in sites(chosen):
        assert ask(chosen, payloads, len(expected), site=site, reset=cycles) == expected


def changed(node, field):
    """Copies of a node with one element of one array altered."""
    array = getattr(node, field)
    for place in range(array.size):
        copy = array.copy()
        if array.dtype == np.bool_:
            copy.flat[place] ^= True
        else:
            copy.flat[place] += -1 if copy.flat[place] else 1
        yield dataclasses.replace(node, **{field: copy})


def swapped(node):
    """Copies with the first two sources of one table swapped, where that matters."""
    for row in range(node.out_width):
        sources = node.sources.copy()
        sources[row, :2] = sources[row, 1::-1]
        if node.tables[row, 1] != node.tables[row, 2]:
            yield dataclasses.replace(node, sources=sources)


LUT = ir.Lut(3, np.array([[0, 1, 2], [2, 0, 1]], np.int32),
             np.array([[0, 1, 0, 1, 0, 0, 1, 0], [1, 1, 0, 1, 1, 1, 0, 0]], bool))
XNOR = ir.Xnor(np.array([[0, 1, 1], [1, 0, 1]], bool), np.array([[1, 2], [3, 2]], np.int32))
MODULATE = ir.Modulate(np.array([[[1, 2], [3, 1]]], np.int32), 2)
SCORES = ir.Scores(np.array([[0, 1], [1, 1]], bool), 2, np.array([0, -3], np.int32))
SLIDING = ir.Convolution((XNOR,), ir.Window(1, 4, 1, (1, 3)))
FAULTS = {
    "flipped table bit": (LUT, changed(LUT, "tables")),
    "swapped wires": (LUT, swapped(LUT)),
    "flipped weight": (XNOR, changed(XNOR, "weights")),
    "flipped weight of a body": (SLIDING, (dataclasses.replace(SLIDING, body=(body,))
                                           for body in changed(XNOR, "weights"))),
    "window of another shape": (
        ir.Convolution((XNOR,), ir.Window(3, 3, 1, (1, 3))),
        [ir.Convolution((XNOR,), ir.Window(3, 3, 1, (3, 1)))]),
    "wrong count threshold": (XNOR, changed(XNOR, "thresholds")),
    "wrong feature threshold": (MODULATE, changed(MODULATE, "thresholds")),
    "wrong bias": (SCORES, changed(SCORES, "biases")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_hardware_is_seen(fault):
    """The comparison above can fail: no altered copy gives the answers of the original."""
    original, copies = FAULTS[fault]
    copies = list(copies)
    assert copies
    payloads, expected = stimulus(original, Plan(), np.random.default_rng(0))
    assert ask(unrolled_node(original), payloads, len(expected)) == expected
    for copy in copies:
        assert ask(unrolled_node(copy), payloads, len(expected)) != expected


class _Strange(ir.BitNode):
    """A kind without hardware, and not registered, so that no other test meets it."""

    kind = "strange"
    in_width = out_width = 1
    attributes = tensors = evaluate_words = lambda self: None

    @classmethod
    def from_parts(cls, attributes, tensors):
        return cls()

    @classmethod
    def sample(cls, rng):
        return cls()


def test_a_kind_without_hardware_fails():
    with pytest.raises(NotImplementedError, match=r"^No component implements 'strange' nodes$"):
        choose(ir.Entry("strange", _Strange(), ("input",)), Plan())
