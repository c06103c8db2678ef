"""Folded layers of look-up tables: their words, alone, in networks, and written anew."""

import dataclasses
import re
from collections import Counter

import numpy as np
import pytest
from amaranth.back import rtlil

from bench.folded_tables import large_memories
from bitwright import ir
from bitwright.hw.contents import Contents, ContentsError, as_built
from bitwright.hw.descriptors import Descriptors
from bitwright.hw.folding import Folded
from bitwright.hw.image import read_image
from bitwright.hw.link.emulator import Emulator
from bitwright.hw.link.protocol import ErrorCode, Identity, Request, commit_payload, short
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.beat_encoder import BeatEncoder
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import folded
from bitwright.hw.rtl.parts.bit_memory import BitMemory
from tests.hw.streams import simulate, sink, source
from tests.hw.test_contents import loaded
from tests.hw.test_ip import answers, beats, expected, result
from tests.hw.test_link_load import committed, error, talk
from tests.hw.test_link_load import loaded as written
from tests.hw.ways import ask, folded_node
from tests.networks import features

STALLS = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.6)]


def lut(rng, width, count, fan_in):
    return ir.Lut(width, rng.integers(-1, width, size=(count, fan_in)).astype(np.int32),
                  rng.integers(2, size=(count, 1 << fan_in)).astype(bool))


def chain(seed, widths=(6, 20, 12), fan_in=4, depth=2, shapes=0, frames=1):
    """Layers of tables in a row, and a head; the modulator is the same for the same ``shapes``."""
    fixed, rng = np.random.default_rng(shapes), np.random.default_rng([seed, 5])
    size, *hidden = widths
    entries = [ir.Entry("modulate", ir.Modulate(fixed.integers(
        1, 16, size=(frames, size, depth)).astype(np.int32), 4), ("input",))]
    for index, count in enumerate(hidden):
        before = entries[-1]
        entries.append(ir.Entry(f"lut{index}", lut(rng, before.node.out_width, count, fan_in),
                                (before.name,)))
    head = ir.GroupSum(hidden[-1], 3)
    return ir.Network((*entries, ir.Entry("head", head, (entries[-1].name,))))


@pytest.mark.parametrize(("shape", "cycles", "wanted"), [
    ((700, 6), 4200, (1, 1, 4200)),
    ((700, 6), 4199, (1, 2, 2100)),
    ((700, 6), 1400, (1, 3, 1400)),
    ((700, 6), 700, (1, 6, 700)),
    ((700, 6), 699, (4, 2, 525)),
    ((5, 3), 2, (4, 3, 2)),
    ((5, 3), 1, (8, 3, 1)),
    ((5, 1), 1000, (1, 1, 5)),
])
def test_cut_by_hand(shape, cycles, wanted):
    found = Descriptors.within(lut(np.random.default_rng(0), 40, *shape), cycles)
    assert (found.lanes, found.slots, found.cycles) == wanted


def test_words_by_hand():
    """Sources of three bits, a pair a word; a slot without source is ignored."""
    node = ir.Lut(6, np.array([[5, 1, 2], [3, -1, 0]], np.int32),
                  np.array([[0, 1, 1, 0, 1, 0, 0, 1], [1, 0, 1, 1, 0, 0, 1, 0]], bool))
    form = Descriptors(node, lanes=1, slots=2)
    # The second table without its slot 1: entries 0, 1, 0, 1 and 4, 5, 4, 5.
    assert form.words() == ([0b001_101, 0b000_010, 0b000_011, 0b000_000],
                            [0b1001_0110, 0b0000_0101])
    assert form.widths == (6, 8)
    found = form.read(iter(form.words()))
    every = (np.arange(64)[:, None] >> np.arange(6) & 1).astype(bool)
    assert (found.evaluate(every) == node.evaluate(every)).all()


@pytest.mark.parametrize("cycles", [1, 3, 40, 1000])
@pytest.mark.parametrize("fan_in", [2, 5, 6, 8])
def test_words_are_read_back(fan_in, cycles):
    node = lut(np.random.default_rng(fan_in), 37, 9, fan_in)
    form = Descriptors.within(node, cycles)
    found = form.read(iter(form.words()))
    assert Descriptors.within(found, cycles).words() == form.words()
    x = np.random.default_rng(1).integers(2, size=(64, 37)).astype(bool)
    assert (found.evaluate(x) == node.evaluate(x)).all()


@pytest.mark.parametrize("fan_in", [1, 2, 5, 7, 8])
@pytest.mark.parametrize("cycles", [1, 13, 300])
def test_folded_equals_evaluator(fan_in, cycles):
    """Fan-ins beyond those that are drawn elsewhere, and vectors of several words."""
    rng = np.random.default_rng([fan_in, cycles])
    node = lut(rng, int(rng.integers(1, 60)), int(rng.integers(1, 14)), fan_in)
    x = rng.integers(2, size=(5, node.in_width)).astype(bool)
    chosen = folded_node(node, cycles)
    found = ask(chosen, ir.pack(x), len(x), stalls=STALLS[(fan_in + cycles) % 4], reset=11)
    assert found == ir.pack(node.evaluate(x))


@pytest.mark.parametrize(("ports", "reads"), [(1, [1]), (6, [6]), (7, [6, 1]), (14, [6, 6, 2])])
def test_no_memory_has_more_ports_than_yosys_takes(ports, reads):
    text = rtlil.convert(BitMemory(Beat(40, 16), ports))
    found = Counter(re.findall(r"cell \$memrd_v2 .*?\n +parameter \\MEMID \"(.*?)\"", text, re.S))
    assert list(found.values()) == reads


def test_every_source_and_entry_counts():
    """The comparison above can fail: no altered copy gives the answers of the original."""
    node = ir.Lut(3, np.array([[0, 1], [2, 0]], np.int32),
                  np.array([[0, 1, 0, 0], [0, 1, 1, 1]], bool))
    every = (np.arange(8)[:, None] >> np.arange(3) & 1).astype(bool)
    wanted = ir.pack(node.evaluate(every))
    for field, values in (("sources", range(3)), ("tables", range(2))):
        for place in range(getattr(node, field).size):
            for value in values:
                altered = getattr(node, field).copy()
                if altered.flat[place] == value:
                    continue
                altered.flat[place] = value
                copy = dataclasses.replace(node, **{field: altered})
                if (copy.evaluate(every) != node.evaluate(every)).any():
                    assert ask(folded_node(copy, 4), ir.pack(every), 8) != wanted


@pytest.mark.parametrize(("cycles", "lanes", "depth"), [
    (5, 6, 2), (24, 3, 2), (80, 1, 1), (80, 2, 3), (500, 1, 1), (50, 4, 1)])
def test_network_equals_evaluator_and_times_are_as_declared(cycles, lanes, depth):
    subject = chain(cycles, depth=depth)
    x = features(subject, 5, 0)
    ip = Ip(subject, folded(Plan(lanes=lanes), subject, cycles))
    assert isinstance(ip.encoder, BeatEncoder) == (lanes != 4)  # of six features
    taken, given, received = [], [], []
    simulate(ip, source(ip.i, beats(ip, x), log=taken), sink(ip.o, len(x), received, log=given))
    assert [result(ip, word) for word in received] == expected(subject, x)
    assert given[0] - taken[0] == ip.latency
    assert set(np.diff(given)) == {ip.interval}
    assert answers(ip, beats(ip, x), len(x), STALLS[1 + cycles % 3], 3) == expected(subject, x)


@pytest.mark.parametrize(("depth", "lanes", "cycles"), [(2, 1, 20), (3, 3, 80)])
def test_a_place_is_taken_while_the_bits_of_a_sample_enter(depth, lanes, cycles):
    """Here they decide whether one place does for the results: too few, and samples wait."""
    subject = chain(cycles, widths=(12, 6), depth=depth)
    x = features(subject, 6, 0)
    ip = Ip(subject, folded(Plan(lanes=lanes), subject, cycles))
    given, received = [], []
    simulate(ip, source(ip.i, beats(ip, x)), sink(ip.o, len(x), received, log=given))
    assert [result(ip, word) for word in received] == expected(subject, x)
    assert set(np.diff(given)) == {ip.interval}


def test_nothing_is_collected_between_folded_tables():
    subject = chain(0)
    ip = Ip(subject, folded(Plan(), subject, 80))
    parts = ip.core.elaborate(None)._named_submodules
    assert list(parts) == ["lut0", "lut1"]
    assert ip.core.beat is not None


@pytest.mark.parametrize("frames", [1, 3])
def test_malformed_samples_are_dropped_whole(frames):
    subject = chain(0, frames=frames)
    x = features(subject, 3, 0)
    ip = Ip(subject, folded(Plan(), subject, 80))
    good = [beats(ip, x[index : index + 1]) for index in range(len(x))]
    early = [*good[0][:1], {**good[0][1], "last": 1}]
    late = [*good[1][:-1], {**good[1][-1], "last": 0}, good[1][0], {**good[1][0], "last": 1}]
    errors = []

    async def watch(ctx):
        async for *_, dropped in ctx.tick().sample(ip.error):
            errors.append(dropped)

    received = []
    simulate(ip, source(ip.i, [*early, *good[0], *late, *early, *good[1], *good[2]]),
             sink(ip.o, 3, received), background=[watch])
    assert [result(ip, word) for word in received] == expected(subject, x)
    assert sum(errors) == 3


def writable(subject, cycles, **settings):
    return Plan(nodes={entry.name: {"way": "folded", "cycles": cycles, "writable": True, **settings}
                       for entry in subject.entries if isinstance(entry.node, ir.Lut)})


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("cycles", [13, 30, 80])
def test_a_network_is_swapped(cycles, large):
    first, second = chain(0), chain(1)
    plan = writable(first, cycles, large=large)
    contents = Contents(first, plan)
    assert contents.structure == Contents(second, plan).structure
    x = features(second, 6, 0)
    wanted = expected(second, x)
    assert expected(first, x) != wanted
    image = contents.image(second)
    stream = [{"data": byte, "first": index == 0} for index, byte in enumerate(image)]
    assert loaded(as_built(first, plan), plan, x, stream, image, (0.2, 0.5)) == wanted
    again = read_image(contents, image)
    assert contents.image(again) == image
    assert expected(again, x) == wanted


def test_what_cannot_be_swapped_is_refused():
    contents = Contents(chain(0), writable(chain(0), 80))
    rest = "must be as in the structure, but for its weights, thresholds and biases, or sources "
    for other in (chain(1, fan_in=3), chain(1, widths=(6, 21, 12))):
        with pytest.raises(ContentsError, match=f"^Node 'lut0' {rest}and tables$"):
            contents.image(other)
    image = bytearray(contents.image(chain(0)))
    image[0] = 12  # of twelve bits, 0 to 11
    message = "Image of node 'lut0': Sources must be between -1 and 11, not between 0 and 12"
    with pytest.raises(ContentsError, match=f"^{re.escape(message)}$"):
        read_image(contents, bytes(image))


@pytest.mark.parametrize(("tables", "width", "cycles", "wanted"), [
    (2730, 1568, 16380, 2),  # two such layers fill a UP5K
    (2731, 1568, 16386, 3),  # the sources are longer than a memory
    (4096, 2352, 24576, 3), (4097, 2352, 24582, 4),
    (5000, 2352, 30000, 4),
    (5460, 2352, 16380, 4),  # two sources of twelve bits in a word
    (5461, 2352, 16383, 4), (5462, 2352, 16386, 6),
])
def test_what_large_memories_take(tables, width, cycles, wanted):
    node = ir.Lut(width, np.zeros((tables, 6), np.int32), np.zeros((tables, 64), bool))
    assert large_memories(node, cycles) == wanted


def test_large_memories_must_be_written():
    rule = ("must be false where 'writable' is: those memories hold anything before they are "
            "written")
    with pytest.raises(ValueError, match=f"^{re.escape(f'large {rule}')}$"):
        Folded(large=True)
    subject = chain(0)
    message = f"Plan key 'nodes.lut0.large' {rule}"
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        Ip(subject, Plan(nodes={"lut0": {"way": "folded", "large": True}}))


def test_the_head_holds_nothing_that_could_be_written():
    message = "Plan key 'nodes.head.writable' must be false for a node that keeps nothing in memory"
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        as_built(chain(0), Plan(nodes={"head": {"way": "folded", "writable": True}}))


def test_a_device_of_large_memories_answers_once_they_are_written():
    """Nothing at first, nothing after a torn load, and after another load the other network."""
    first, second = (chain(seed, widths=(3, 6), fan_in=3) for seed in (0, 1))
    plan = writable(first, 18, large=True)
    contents = Contents(first, plan)
    images = [contents.image(one) for one in (first, second)]
    commits = [commit_payload(image, short(contents.digest(one)))
               for image, one in zip(images, (first, second), strict=True)]
    size = len(images[0])
    assert images[0] != images[1]
    assert not Identity.of(first, plan).complete
    assert not Emulator(first, plan).identity.complete

    async def script(talk):
        sample = bytes(3)  # features
        assert await talk.ask(Request.INFER, sample) == error(ErrorCode.EMPTY)
        assert await talk.load(0, images[0][:9]) == written(9)  # torn
        assert await talk.ask(Request.COMMIT, commits[0]) == error(ErrorCode.CHECK)
        assert await talk.ask(Request.INFER, sample) == error(ErrorCode.EMPTY)
        for image, commit, network in zip(images, commits, (first, second), strict=True):
            assert await talk.load(0, image) == written(size)
            assert await talk.ask(Request.COMMIT, commit) == committed(size)
            assert await talk.answers_as(network)

    talk(script, plan, first)
