"""What can be written while a design runs: images, digests, and the memories they end up in."""

import dataclasses
import re

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw import folding
from bitwright.hw.contents import Contents, ContentsError, as_built
from bitwright.hw.image import read_image
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import folded
from bitwright.hw.rtl.pixels.ip import PixelIp
from bitwright.hw.streaming import Cut, Streamed
from tests.hw.pixels import pictures
from tests.hw.streams import simulate, sink, source
from tests.hw.test_ip import answers, beats, expected, result
from tests.networks import features

FOLDED = {"way": "folded", "cycles": 12, "writable": True}


def modulate(rng, width):
    thresholds = rng.integers(1, 16, size=(1, width, 1)).astype(np.int32)
    return ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",))


def xnor(rng, width, neurons, depth=1):
    return ir.Xnor(rng.integers(2, size=(neurons, width)).astype(bool),
                   rng.integers(0, width + 2, size=(neurons, depth)).astype(np.int32))


def subject(seed, *, shapes=0):
    """A network whose nodes are the same for the same ``shapes``, with other contents by seed."""
    fixed, rng = np.random.default_rng(shapes), np.random.default_rng([seed, 1])
    window = ir.Window(3, 4, 1, (2, 2))
    tables = ir.Lut(12, fixed.integers(12, size=(12, 3)).astype(np.int32),
                    fixed.integers(2, size=(12, 8)).astype(bool))
    biases = rng.integers(-8, 8, size=3).astype(np.int32)
    biases[:2] = -8, 7  # of four bits, whichever the others are
    return ir.Network((
        modulate(fixed, 12),
        ir.Entry("lut0", tables, ("modulate",)),
        ir.Entry("conv0", ir.Convolution((xnor(rng, 4, 3, depth=2), xnor(rng, 6, 2)), window),
                 ("lut0",)),
        ir.Entry("xnor0", xnor(rng, 12, 5, depth=2), ("conv0",)),
        ir.Entry("head", ir.Scores(rng.integers(2, size=(3, 10)).astype(bool), 3, biases),
                 ("xnor0",)),
    ))


STREAMED = {"way": "streamed", "cycles": 200, "writable": True}

PLAN = Plan(lanes=4, nodes={"conv0": FOLDED, "xnor0": FOLDED, "head": {**FOLDED, "cycles": 5}})
SOME = Plan(lanes=4, nodes={"xnor0": {**FOLDED, "cycles": 2}, "head": {"way": "folded"}})


def test_an_image_by_hand():
    """Rows of five weights in words of three, then thresholds of three bits; all whole bytes."""
    weights = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)
    node = ir.Xnor(weights, np.array([[5, 1], [0, 6]], np.int32))
    head = ir.Scores(np.ones((2, 4), bool), 1, np.array([-2, 1], np.int32))
    network = ir.Network((modulate(np.random.default_rng(0), 5), ir.Entry("a", node, ("modulate",)),
                          ir.Entry("head", head, ("a",))))
    table = {"way": "folded", "cycles": 4, "writable": True}
    contents = Contents(network, Plan(nodes={"a": table, "head": table}))
    # Two words a row, the second filled up with ones; the lowest bit belongs to the lowest input.
    assert contents.image(network) == bytes([
        0b101, 0b101, 0b000, 0b100,  # a: 1, 0, 1 and 1, 0, (1)
        0b001_101, 0b110_000,        # its thresholds 5 and 1, then 0 and 6
        0b11, 0b11, 0b11, 0b11, 0b10, 0b01])  # head: two words of two, biases of two bits
    assert contents.bytes == 12
    assert contents.nodes == ("a", "head")


def test_structure_and_contents_have_digests_of_their_own():
    first, second, other = subject(0), subject(1), subject(0, shapes=1)
    contents = Contents(first, PLAN)
    assert contents.structure == Contents(second, PLAN).structure
    assert contents.digest(first) != contents.digest(second)
    assert contents.digest(second) == Contents(second, PLAN).digest(second)
    cycles = Plan(nodes={**PLAN.nodes, "xnor0": {**FOLDED, "cycles": 30}})
    several = [contents, Contents(other, PLAN), Contents(first, SOME),
               Contents(second, SOME), Contents(first, Plan()), Contents(first, cycles)]
    assert len({one.structure for one in several}) == len(several)
    assert all(len(one.structure) == 64 for one in several)


def test_what_shapes_no_image_is_no_part_of_the_structure():
    first = subject(0)
    told = dataclasses.replace(first, provenance={"recipe": "x"})
    for plan in (PLAN, SOME, Plan()):
        wider = dataclasses.replace(plan, lanes=9, lut_size=6, levels_per_register=7)
        assert Contents(told, wider).structure == Contents(first, plan).structure


def test_nothing_is_writable():
    contents = Contents(subject(0), Plan(nodes={"xnor0": {"way": "folded"}}))
    assert (contents.bytes, contents.nodes, contents.image(subject(0))) == (0, (), b"")
    with pytest.raises(ContentsError, match=r"^Node 'conv0' must be as in the structure, for it is "
                                            r"not writable$"):
        contents.image(subject(1))
    assert not Ip(subject(0), Plan()).tables


def loaded(network, plan, x, stream, image, stalls=(0.0, 0.0)):
    """Answers of a design that is written first, and then asked."""
    ip = Ip(network, plan)
    received, ready = [], []

    async def ask(ctx):
        await source(ip.load, stream, stalls[0])(ctx)
        await ctx.tick().repeat(2)  # a word can be read two cycles after its last byte
        ready.append(True)
        await source(ip.i, beats(ip, x), stalls[0])(ctx)

    simulate(ip, ask, sink(ip.o, len(x), received, stalls[1]))
    assert len(image) == sum(table.depth * table.word_bytes for table in ip.tables)
    return [result(ip, word) for word in received]


def marked(image):
    return [{"data": byte, "first": index == 0} for index, byte in enumerate(image)]


LONG = Plan(lanes=6, nodes={**PLAN.nodes, "conv0": {**FOLDED, "cycles": 60}})
"""In which the body of the convolution has several words a neuron."""


@pytest.mark.parametrize(("plan", "stalls", "simplify"), [
    (PLAN, (0.0, 0.0), True), (PLAN, (0.5, 0.5), False), (SOME, (0.3, 0.0), True),
    (LONG, (0.0, 0.4), True), (Plan(lanes=9, nodes={"conv0": {**FOLDED, "cycles": 16}}),
                               (0.0, 0.0), True)])
def test_a_loaded_design_answers_as_the_other_network(plan, stalls, simplify):
    frozen = subject(0)
    x = features(frozen, 8, 3)
    names = Contents(frozen, plan).nodes
    entries = {entry.name: entry for entry in subject(1).entries}
    other = ir.Network(tuple(entries[entry.name] if entry.name in names else entry
                             for entry in frozen.entries))
    assert expected(frozen, x) != expected(other, x)
    image = Contents(frozen, plan).image(other)
    built = as_built(frozen, plan, simplify=simplify)
    assert loaded(built, plan, x, marked(image), image, stalls) == expected(other, x)
    # What was written before does not matter, nor where it ended.
    stream = [*marked(bytes(reversed(image)))[: len(image) // 2], *marked(image)]
    assert loaded(built, plan, x, stream, image, stalls) == expected(other, x)
    # Past the end it begins again, with or without a mark.
    stream = [*marked(bytes(len(image))), *marked(image)[1:]]
    stream.insert(len(image), {"data": image[0], "first": 0})
    assert loaded(built, plan, x, stream, image, stalls) == expected(other, x)
    # The contents that it was built with.
    assert loaded(built, plan, x, [], image, stalls) == expected(frozen, x)


@pytest.mark.parametrize(("cycles", "beat", "stalls"), [(19, 0, (0.0, 0.0)), (54, 4, (0.4, 0.4))])
def test_a_streamed_node_is_written(cycles, beat, stalls, monkeypatch):
    """Where registers hold the window, and where it is read pixel by pixel."""
    monkeypatch.setattr(folding, "SMALLEST", 1)
    frozen, another = pictures.network(), pictures.network(seed=1).entry("conv")
    other = ir.Network(tuple(another if entry.name == "conv" else entry
                             for entry in frozen.entries))
    settings = Streamed(cycles, writable=True)
    assert Cut.of(another.node, settings).beat == beat
    plan = Plan(lanes=2, nodes={"conv": {**STREAMED, "cycles": cycles}})
    contents, x = Contents(frozen, plan), pictures.pictures(frozen, 6)
    assert contents.structure == Contents(other, plan).structure
    image = contents.image(other)
    assert contents.image(read_image(contents, image)) == image
    found = {}
    for name, stream in {"other": marked(image), "frozen": []}.items():
        ip, received = PixelIp(frozen, plan), []

        async def ask(ctx, ip=ip, stream=stream):
            await source(ip.load, stream, stalls[0])(ctx)
            await ctx.tick().repeat(2)
            await source(ip.i, pictures.beats(ip, x), stalls[0])(ctx)

        simulate(ip, ask, sink(ip.o, len(x), received, stalls[1]))
        found[name] = pictures.results(ip, received, frozen.classes)
    assert found == {"other": pictures.expected(other.evaluate(x)),
                     "frozen": pictures.expected(frozen.evaluate(x))}
    assert found["other"] != found["frozen"]


def test_every_byte_counts():
    """The comparison above can fail: no image with a flipped bit gives the same answers."""
    rng = np.random.default_rng(0)
    network = ir.Network((
        modulate(rng, 4), ir.Entry("xnor0", xnor(rng, 4, 3), ("modulate",)),
        ir.Entry("head", ir.Scores(np.eye(3, dtype=bool), 5, np.array([-9, 8, 0], np.int32)),
                 ("xnor0",))))
    plan = Plan(lanes=4, nodes={"xnor0": {**FOLDED, "cycles": 6}, "head": FOLDED})
    contents = Contents(network, plan)
    x = np.where(np.arange(16)[:, None] >> np.arange(4) & 1, 15, 0)
    image, wanted = contents.image(network), expected(network, x)
    for place in range(len(image)):
        altered = bytearray(image)
        altered[place] ^= 1
        assert loaded(network, plan, x, marked(altered), image) != wanted, place


def test_axi_names_carry_the_image():
    frozen, other = subject(0), subject(1)
    contents = Contents(frozen, PLAN)
    axi = AxiIp(as_built(frozen, PLAN, simplify=False), PLAN)
    x = features(frozen, 6, 0)
    received = []

    async def write(ctx, image):
        for place, byte in enumerate(image):
            ctx.set(axi.s_load_axis_tdata, byte)
            ctx.set(axi.s_load_axis_tlast, place == len(image) - 1)
            ctx.set(axi.s_load_axis_tvalid, 1)
            _, _, ready = await ctx.tick().sample(axi.s_load_axis_tready)
            assert ready
        ctx.set(axi.s_load_axis_tvalid, 0)

    async def bench(ctx):
        await write(ctx, contents.image(frozen)[:7])  # cut short, and ended by its `last`
        await write(ctx, contents.image(other))
        ctx.set(axi.m_axis_tready, 1)
        for row in x.tolist():
            for word in axi.layout.pack_features(row):
                ctx.set(axi.s_axis_tdata, word)
                ctx.set(axi.s_axis_tlast, word == axi.layout.pack_features(row)[-1])
                ctx.set(axi.s_axis_tvalid, 1)
                await ctx.tick().until(axi.s_axis_tready)
            ctx.set(axi.s_axis_tvalid, 0)
            (word,) = await ctx.tick().sample(axi.m_axis_tdata).until(axi.m_axis_tvalid)
            received.append(axi.layout.unpack_result(word))

    simulate(axi, bench)
    assert received == expected(other, x)


def altered(name, **fields):
    frozen = subject(0)
    return ir.Network(tuple(
        dataclasses.replace(entry, node=dataclasses.replace(entry.node, **fields))
        if entry.name == name else entry for entry in frozen.entries))


HEAD = subject(0).entry("head").node
REST = ("must be as in the structure, but for its weights, thresholds and biases, or sources and "
        "tables")


@pytest.mark.parametrize(("network", "message"), [
    (altered("head", scale=4), f"Node 'head' {REST}"),
    (altered("head", biases=np.array([-9, 7, 0], np.int32)),
     ("Biases of node 'head' must be between -8 and 7, the 4 bits of the structure, not between -9 "
     "and 7")),
    (subject(0, shapes=1), "Node 'modulate' must be as in the structure, for it is not writable"),
    (ir.Network((*subject(0).entries[:-1],
                 dataclasses.replace(subject(0).entries[-1], name="scores"))),
     ("Network must have the nodes ['modulate', 'lut0', 'conv0', 'xnor0', 'head'], as the "
      "structure has, not ['modulate', 'lut0', 'conv0', 'xnor0', 'scores']")),
])
def test_what_does_not_go_in_is_refused(network, message):
    with pytest.raises(ContentsError, match=f"^{re.escape(message)}$"):
        Contents(subject(0), PLAN).image(network)


def test_scores_that_need_more_bits_are_refused():
    """The biases are in range, their sum with the count is not."""
    entries = list(subject(0).entries)
    low = dataclasses.replace(HEAD, biases=np.array([-8, -8, 1], np.int32))
    entries[-1] = dataclasses.replace(entries[-1], node=low)
    contents = Contents(ir.Network(tuple(entries)), PLAN)
    message = ("Scores of a frame of node 'head' must be between -32 and 31, the 6 bits of the "
               "structure, not between -8 and 37")
    with pytest.raises(ContentsError, match=f"^{re.escape(message)}$"):
        contents.image(subject(0))


@pytest.mark.parametrize(("nodes", "message"), [
    ({"xnor0": {"writable": True}}, ("Plan key 'nodes.xnor0.writable' needs the way 'folded' or "
                                    "'streamed', not 'unrolled'")),
    ({"conv0": {**FOLDED, "cycles": 11}},
     ("Plan key 'nodes.conv0.writable' must be false for a node that keeps nothing in memory "
      "within 11 cycles; 'cycles' must be at least 12")),
    ({"conv0": {**STREAMED, "cycles": 11}},
     ("Plan key 'nodes.conv0.writable' must be false for a node that keeps nothing in memory "
      "within 11 cycles; 'cycles' must be at least 12")),
    ({"xnor1": {"way": "folded"}}, "Plan key 'nodes.xnor1' names no node; the nearest is 'xnor0'"),
])
def test_plans_that_cannot_be_are_refused(nodes, message):
    for build in (as_built, Contents):
        with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
            build(subject(0), Plan(nodes=nodes))


def test_a_node_that_simplification_removes_may_be_in_the_plan():
    """What reads it ignores it; the plan was made of the frozen network."""
    rng = np.random.default_rng(0)
    reader = ir.Lut(2, np.array([[0, 1], [1, 0]], np.int32), np.zeros((2, 4), bool))
    network = ir.Network((modulate(rng, 3), ir.Entry("xnor0", xnor(rng, 3, 2), ("modulate",)),
                          ir.Entry("lut0", reader, ("xnor0",)),
                          ir.Entry("head", ir.GroupSum(2, 2), ("lut0",))))
    plan = folded(Plan(lanes=3), network, 8)
    built = as_built(network, plan)
    assert [entry.name for entry in built.entries] == ["modulate", "lut0", "head"]
    x = features(network, 5, 0)
    ip = Ip(built, plan)
    assert answers(ip, beats(ip, x), len(x)) == expected(network, x)
