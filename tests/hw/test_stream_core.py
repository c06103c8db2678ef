"""Networks whose images stream: right, and exactly as fast as the schedule says."""

import dataclasses
import functools
import re

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from bitwright import ir
from bitwright.hw import folding
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rtl.layers import streamed
from bitwright.hw.rtl.stream_core import StreamCore, streams
from bitwright.hw.schedule import StuckError, bottleneck, run
from tests.hw.streams import simulate, sink, source

STALLS = [(0.5, 0.0), (0.2, 0.95), (0.0, 0.97)]


def xnor(rng, width, neurons):
    return ir.Xnor(rng.integers(2, size=(neurons, width)).astype(bool),
                   rng.integers(width // 2, width // 2 + 2, size=(neurons, 1)).astype(np.int32))


def lut(rng, width, tables):
    return ir.Lut(width, rng.integers(width, size=(tables, 4)).astype(np.int32),
                  rng.integers(2, size=(tables, 16)).astype(bool))


def window(side, channels, kernel, stride=1, padding=0, border="zero"):
    return ir.Window(side, side, channels, (kernel, kernel), (stride, stride), (padding,) * 4,
                     border)


@functools.cache
def network(form):
    """Convolutions of neurons and tables, a pool, dense nodes behind; also with a second path."""
    rng = np.random.default_rng(1)
    entries = [ir.Entry("m", ir.Modulate(rng.integers(1, 16, (1, 36, 2)).astype(np.int32), 4),
                        ("input",))]

    def add(name, node, *inputs):
        entries.append(ir.Entry(name, node, inputs or (entries[-1].name,)))

    first, second = window(6, 2, 3, padding=1, border="reflect"), window(3, 5, 3, padding=1)
    add("c0", ir.Convolution((xnor(rng, 18, 5),), first))
    add("p0", ir.Pool(window(6, 5, 2, 2), "or"))
    add("c1", ir.Convolution((lut(rng, 45, 7),), second))
    if form == "residual":
        add("j", ir.Join(3, 3, (5, 7)), "p0", "c1")
        add("c2", ir.Convolution((xnor(rng, 12, 7),), window(3, 12, 1)))
    if form == "branches":  # all that is read by the dense nodes comes from two of the images
        add("d", xnor(rng, 63 + 45, 9), "c1", "p0")
    else:
        add("d", xnor(rng, 63, 9))
    add("head", ir.Scores(rng.integers(2, size=(4, 9)).astype(bool), 1,
                          rng.integers(-2, 3, 4).astype(np.int32)))
    return ir.Network(tuple(entries))


FORMS = ["chain", "residual", "branches"]


def plan(form, cycles):
    """Streamed, and folded as far as the cycles allow; with 1 everything is unrolled."""
    nodes = {"d": {"way": "folded", "cycles": cycles * 2 // 3}} if cycles > 1 else {}
    return streamed(Plan(nodes=nodes), network(form), cycles)


@functools.cache
def pictures(form, count):
    subject = network(form)
    x = np.random.default_rng(2).integers(16, size=(count, 36)).astype(np.int32)
    found = subject.evaluate(x, taps=["m"])
    pixels = found.taps["m"][0].reshape(count * 36, 2)
    return ir.pack(pixels), found.scores.tolist()


def ask(core, form, count, stalls, taken=None, given=None, cycles=20_000):
    pixels, wanted = pictures(form, count)
    received, shape = [], core.o.payload.shape()
    simulate(core, source(core.i, pixels, stalls[0], seed=1, log=taken),
             sink(core.o, count, received, stalls[1], seed=2, log=given), cycles=cycles)
    assert [[int(shape.from_bits(word)[c]) for c in range(4)] for word in received] == wanted


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cycles", [1, 150])
def test_scores_equal_the_evaluators(form, cycles):
    """When the schedule says; and whatever stalls."""
    core, taken, given = StreamCore(network(form), plan(form, cycles)), [], []
    ask(core, form, 4, (0.0, 0.0), taken, given)
    assert len(set(map(tuple, pictures(form, 4)[1]))) > 1
    assert given[0] - taken[0] == core.latency
    assert set(np.diff(given)[1:]) == {core.interval}
    stalls = STALLS[(FORMS.index(form) + (cycles > 1)) % 3]
    ask(StreamCore(network(form), plan(form, cycles)), form, 3, stalls)


def test_windows_that_are_read_pixel_by_pixel(monkeypatch):
    """In the residual network, whose buffers are then other ones."""
    monkeypatch.setattr(folding, "SMALLEST", 1)
    core, taken, given = StreamCore(network("residual"), plan("residual", 900)), [], []
    assert [part.name for part in core.flow.parts if part.reads] == ["c0", "c2"]
    ask(core, "residual", 3, (0.0, 0.0), taken, given)
    assert given[0] - taken[0] == core.latency
    assert set(np.diff(given)[1:]) == {core.interval}


@pytest.mark.parametrize("cycles", [1, 150])
def test_every_buffer_is_as_small_as_it_can_be(cycles):
    """One place less, and frames are further apart, or none comes, as the schedule says."""
    form = "residual"
    fit = StreamCore(network(form), plan(form, cycles)).fit
    slower = stuck = 0
    for edge, places in fit.places.items():
        if places == 1:
            continue
        core, given = StreamCore(network(form), plan(form, cycles)), []
        fewer = {**fit.places, edge: places - 1}
        core.fit = dataclasses.replace(fit, places=fewer)
        try:
            left = run(core.flow, fewer, 4).left
        except StuckError:
            with pytest.raises(AssertionError, match=r"^still running after 900 cycles$"):
                ask(core, form, 4, (0.0, 0.0), cycles=900)
            stuck += 1
            continue
        assert max(np.diff(left)[1:]) > fit.interval
        ask(core, form, 4, (0.0, 0.0), given=given)
        assert np.diff(given).tolist() == np.diff(left).tolist()
        slower += 1
    assert slower
    assert stuck == 1


@pytest.mark.parametrize("form", FORMS)
def test_a_reset_in_the_middle_is_a_clean_start(form):
    core, clear = StreamCore(network(form), plan(form, 150)), Signal()
    pixels, wanted = pictures(form, 3)
    received, shape = [], core.o.payload.shape()
    send, take = source(core.i, pixels, 0.3, seed=1), sink(core.o, 3, received, 0.5, seed=2)

    async def broken(ctx):
        rng = np.random.default_rng(3)
        for cycle in range(130):
            ctx.set(clear, cycle == 129)
            ctx.set(core.i.valid, int(rng.integers(2)))
            ctx.set(core.i.payload, int(rng.integers(4)))
            await ctx.tick()
        ctx.set(clear, 0)
        await send(ctx)

    async def after(ctx):
        await ctx.tick().repeat(130)
        await take(ctx)

    simulate(ResetInserter(clear)(core), broken, after)
    assert [[int(shape.from_bits(word)[c]) for c in range(4)] for word in received] == wanted


def test_what_nodes_do_is_told():
    core = StreamCore(network("chain"), plan("chain", 150))
    assert [(work.node, work.way) for work in core.works] == [
        ("m", "unrolled"), ("c0", "streamed"), ("p0", "streamed"), ("c1", "streamed"),
        ("d", "folded"), ("head", "unrolled")]
    assert bottleneck(core.works).node == "c0"
    assert core.interval == bottleneck(core.works).cycles
    assert bottleneck(core.works).busy > 0.9 * core.interval


def test_streams():
    assert streams(network("chain"), plan("chain", 1))
    assert not streams(network("chain"), Plan())


def refused(entries, nodes, message):
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        StreamCore(ir.Network(tuple(entries)), Plan(nodes={
            name: {"way": "streamed"} for name in nodes}))


def test_a_streamed_node_behind_another():
    refused(network("chain").entries, ["p0"], "Plan key 'nodes.p0.way' needs what it reads to be "
            "streamed too, and 'c0' is unrolled")


def test_pixels_of_another_shape():
    entries = list(network("chain").entries)
    entries[3] = ir.Entry("c1", ir.Convolution(
        (lut(np.random.default_rng(0), 9, 63),), ir.Window(1, 5, 9, (1, 1), (1, 5))), ("p0",))
    refused(entries, ["c0", "p0", "c1"], "Plan key 'nodes.c1.way' needs 5 pixels of 9 bits of "
            "'p0', which has 9 of 5")


def test_several_images_without_a_join():
    entries = list(network("chain").entries)
    rng = np.random.default_rng(0)
    entries[3] = ir.Entry("c1", ir.Convolution(
        (lut(rng, 5, 63),), ir.Window(6, 3, 5, (1, 1), (6, 3))), ("p0", "p0"))
    refused(entries, ["c0", "p0", "c1"], "Plan key 'nodes.c1.way' needs a single image to read, "
            "which a join makes of ('p0', 'p0')")


def test_a_join_of_fewer_nodes_than_images():
    entries = list(network("chain").entries)
    entries[3] = ir.Entry("c1", ir.Join(3, 3, (2, 3)), ("p0",))
    entries[4] = ir.Entry("d", xnor(np.random.default_rng(0), 45, 9), ("c1",))
    refused(entries, ["c0", "p0", "c1"], "Plan key 'nodes.c1.way' needs a node for each of the 2 "
            "images, not 1")


def test_nothing_that_can_be_streamed():
    entries = network("chain").entries
    dense = ir.Network((entries[0], ir.Entry("d", xnor(np.random.default_rng(0), 72, 9), ("m",)),
                        entries[-1]))
    with pytest.raises(PlanError, match=r"^Network has no node that can be streamed$"):
        streamed(Plan(), dense)


def drawn(seed):
    """Convolutions, pools and joins of any window, one behind the other and side by side."""
    rng = np.random.default_rng(seed)
    height, width, channels = (int(n) for n in rng.integers((2, 2, 1), (6, 6, 3)))
    levels = rng.integers(1, 16, (1, height * width * channels, 1)).astype(np.int32)
    entries = [ir.Entry("m", ir.Modulate(levels, 4), ("input",))]
    images = {"m": (height, width, channels)}
    for number in range(int(rng.integers(2, 5))):
        alike = [name for name, image in images.items() if image[:2] == (height, width)]
        if rng.random() < 0.3:
            inputs = tuple(str(rng.choice(alike)) for _ in range(int(rng.integers(2, 4))))
            node = ir.Join(height, width, tuple(images[name][2] for name in inputs))
            channels = sum(node.channels)
        else:
            inputs = (entries[-1].name,)
            found = _slide(rng, height, width, channels)
            node = found
            (height, width), channels = found.window.shape, found.channels
        entries.append(ir.Entry(f"n{number}", node, inputs))
        images[entries[-1].name] = height, width, channels
    read = tuple(dict.fromkeys([*rng.choice(list(images), int(rng.integers(0, 2))).tolist(),
                                entries[-1].name]))
    total = sum(np.prod(images[name]) for name in read)
    entries.append(ir.Entry("d", xnor(rng, int(total), 9), read))
    entries.append(ir.Entry("head", ir.Scores(
        rng.integers(2, size=(4, 9)).astype(bool), 1, np.zeros(4, np.int32)), ("d",)))
    return ir.Network(tuple(entries)), rng


def _slide(rng, height, width, channels):
    """A convolution or a pool of an image of that shape."""
    kernel = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
    stride = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    border = str(rng.choice(["zero", "one", "replicate", "reflect"]))
    padding = tuple(int(rng.integers(0, min(size, 3))) for size in (height, height, width, width))
    window = ir.Window(height, width, channels, kernel, stride, padding, border)
    if rng.random() < 0.3:
        return ir.Pool(window, str(rng.choice(["or", "and", "majority"])))
    node = (xnor if rng.random() < 0.6 else lut)(rng, window.bits, int(rng.integers(1, 6)))
    return ir.Convolution((node,), window)


@pytest.mark.parametrize("seed", [*range(2), 39, *(pytest.param(seed, marks=pytest.mark.slow)
                                               for seed in range(2, 39))])
def test_random_networks(seed, monkeypatch):
    """What each answers, when, and whatever stalls."""
    monkeypatch.setattr(folding, "SMALLEST", 1)
    subject, rng = drawn(seed)
    cycles = int(rng.choice([1, 60, 400, 1500]))
    nodes = {"d": {"way": "folded", "cycles": cycles}} if cycles > 1 else {}
    found = subject.evaluate(rng.integers(16, size=(4, subject.features)).astype(np.int32), ["m"])
    for stalls in ((0.0, 0.0), STALLS[seed % 3]):
        core = StreamCore(subject, streamed(Plan(nodes=nodes), subject, cycles))
        pixels = ir.pack(found.taps["m"][0].reshape(-1, core.entry.bits))
        received, taken, given, shape = [], [], [], core.o.payload.shape()
        simulate(core, source(core.i, pixels, stalls[0], log=taken),
                 sink(core.o, 4, received, stalls[1], log=given))
        assert [[int(shape.from_bits(word)[c]) for c in range(4)]
                for word in received] == found.scores.tolist()
        if stalls == (0.0, 0.0):
            assert given[0] - taken[0] == core.latency
            assert set(np.diff(given)[1:]) == {core.interval}
