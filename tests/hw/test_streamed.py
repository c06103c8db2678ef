"""Streamed nodes, alone: every border, stride, shape and pool by its name. Random ones, stalls and
resets are in the conformance tests."""

import dataclasses

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw import folding
from bitwright.hw.plan import STREAMED
from bitwright.hw.raster import Raster
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.fifo import Fifo
from bitwright.hw.rtl.parts.serialiser import Serialiser
from bitwright.hw.schedule import Part, alone, buffer_latency
from bitwright.hw.streaming import Cut, Streamed
from tests.hw.streams import simulate, sink, source
from tests.hw.ways import PLAN, ask, choice, sites

STALLS = [(0.0, 0.0), (0.5, 0.5), (0.0, 0.6)]


def luts(rng, width, tables):
    return ir.Lut(width, rng.integers(width, size=(tables, 3)).astype(np.int32),
                  rng.integers(2, size=(tables, 8)).astype(bool))


def xnor(rng, width, neurons):
    return ir.Xnor(rng.integers(2, size=(neurons, width)).astype(bool),
                   rng.integers(width // 2, width // 2 + 2, size=(neurons, 1)).astype(np.int32))


def convolution(size, kernel, *, groups=1, channels=2, **more):
    """A layer of neurons and one of tables in each group."""
    rng = np.random.default_rng(0)
    window = ir.Window(*size, channels, kernel, **more)
    body = []
    for _ in range(groups):
        body += [xnor(rng, window.bits // groups, 3), luts(rng, 3, 4)]
    return ir.Convolution(tuple(body), window, groups)


def pool(function, size, kernel, stride, **more):
    return ir.Pool(ir.Window(*size, 2, kernel, stride, **more), function)


SAME = {"padding": (1, 1, 1, 1)}
CASES = {
    # What a training with a border of its own and an exporter that knows one border only differ in.
    "border of zeros": convolution((4, 5), (3, 3), border="zero", **SAME),
    "border of ones": convolution((4, 5), (3, 3), border="one", **SAME),
    "border of the nearest pixel": convolution((4, 5), (3, 3), border="replicate", **SAME),
    "border that reflects": convolution((4, 5), (3, 3), border="reflect", **SAME),
    "border of two pixels that reflects": convolution(
        (4, 5), (5, 3), padding=(2, 2, 1, 1), border="reflect"),
    "border on one side": convolution((4, 5), (2, 2), padding=(1, 0, 0, 1), border="replicate"),
    "border wider than the window": convolution((3, 3), (2, 2), padding=(3, 2, 3, 2)),
    "no border": convolution((4, 5), (3, 3)),
    # A stride that is ignored.
    "stride of two": convolution((6, 6), (3, 3), stride=(2, 2)),
    "stride down": convolution((6, 5), (3, 3), stride=(2, 1), **SAME),
    "stride across": convolution((5, 6), (3, 3), stride=(1, 2), border="reflect", **SAME),
    "stride longer than the window": convolution((7, 7), (2, 2), stride=(3, 3)),
    "dilation": convolution((6, 6), (3, 2), dilation=(2, 3), padding=(2, 2, 1, 1)),
    "dilation that reflects": convolution(
        (6, 6), (3, 3), dilation=(2, 2), padding=(2, 2, 2, 2), border="reflect"),
    # Height and width that are mixed up.
    "high picture": convolution((7, 3), (3, 3)),
    "wide picture": convolution((3, 7), (3, 3)),
    "high window": convolution((6, 5), (4, 1), padding=(1, 2, 0, 0)),
    "wide window": convolution((5, 6), (1, 4), padding=(0, 0, 2, 1)),
    "a line of pixels": convolution((1, 9), (1, 3), border="one", padding=(0, 0, 1, 1)),
    "a column of pixels": convolution((9, 1), (3, 1), border="one", padding=(1, 1, 0, 0)),
    "one pixel": convolution((3, 4), (1, 1)),
    "the whole picture": convolution((3, 4), (3, 4)),
    "depthwise": convolution((4, 4), (3, 3), groups=4, channels=4, **SAME),
    "groups": convolution((4, 4), (3, 3), groups=2, channels=4, border="replicate", **SAME),
    # Pools that are not the last node, or not square.
    "pool by or": pool("or", (4, 6), (2, 2), (2, 2)),
    "pool by and": pool("and", (4, 6), (2, 2), (2, 2)),
    "pool by majority": pool("majority", (6, 6), (3, 3), (3, 3)),
    "pool by majority of an even number": pool("majority", (4, 6), (2, 2), (2, 2)),
    "pool that is not square": pool("or", (4, 6), (1, 3), (1, 3)),
    "pool of a picture that is not square": pool("or", (2, 8), (2, 2), (2, 2)),
    "pool whose windows overlap": pool("or", (5, 5), (3, 3), (2, 2)),
    "pool that leaves pixels over": pool("or", (5, 7), (2, 2), (2, 2)),
    "pool with a border": pool("and", (4, 4), (2, 2), (2, 2), padding=(1, 1, 1, 1), border="one"),
}


def check(case, stalls, taken=None, given=None, **settings):
    """:func:`compare` of a named case."""
    return compare(CASES[case], stalls, taken, given, **settings)


def compare(node, stalls, taken=None, given=None, **settings):
    """Compare the answers to a few pictures in a row. Returns the choice."""
    x = np.random.default_rng(1).random((3, node.in_width)) < 0.4
    wanted = ir.pack(node.evaluate(x))
    assert len(set(wanted)) > 1
    chosen = choice(node, PLAN, STREAMED, **settings)
    (site,) = sites(chosen)
    assert ask(chosen, ir.pack(x), 3, site=site, stalls=stalls, taken=taken,
               given=given) == wanted
    return chosen


@pytest.mark.parametrize("case", CASES)
def test_named(case):
    """Unrolled by turns and folded, with stalls and without."""
    node, number = CASES[case], list(CASES).index(case)
    folds = node.kind == "convolution" and number % 2
    check(case, STALLS[number % 3], **{"cycles": 5 * node.window.positions} if folds else {})


READ = ["border of zeros", "border of two pixels that reflects", "border of the nearest pixel",
        "border wider than the window", "stride down", "stride longer than the window",
        "dilation that reflects", "high picture", "a line of pixels", "the whole picture"]


@pytest.mark.parametrize("case", READ)
def test_named_read_pixel_by_pixel(case, monkeypatch):
    """With so many cycles that no register holds the window; and as fast as is estimated."""
    monkeypatch.setattr(folding, "SMALLEST", 1)
    window = CASES[case].window
    cycles = (3 * window.pixels + 4) * window.positions + 3 * window.height * window.width
    stalls, taken, given = STALLS[READ.index(case) % 2], [], []
    chosen = check(case, stalls, taken, given, cycles=cycles)
    part = chosen.cls.part(chosen.node, chosen.settings, PLAN, "", ("",))
    assert part.reads
    estimate = chosen.estimate()
    assert estimate.interval <= cycles
    if stalls == (0.0, 0.0):
        assert set(np.diff(given)) == {estimate.interval}
        assert given[0] - taken[0] == estimate.latency


@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.4, 0.5)])
def test_parts_of_pixels(stalls):
    """Where a word is to be shorter than a pixel."""
    rng, window = np.random.default_rng(0), ir.Window(2, 3, 32, (2, 2), padding=(0, 1, 1, 0))
    node = ir.Convolution((xnor(rng, 128, 3), xnor(rng, 3, 2)), window)
    cut, taken, given = Cut.of(node, Streamed(100 * window.positions)), [], []
    assert (cut.beat, cut.pace) == (4, 96)
    estimate = compare(node, stalls, taken, given, cycles=100 * window.positions).estimate()
    if stalls == (0.0, 0.0):
        assert set(np.diff(given)) == {estimate.interval}
        assert given[0] - taken[0] == estimate.latency


STRIDED = convolution((9, 9), (4, 4), stride=(2, 2))
"""A window goes on in every second cycle of every second row."""


def test_windows_wait_in_a_queue():
    """So that the body is busy while the rows without a position pass."""
    pixels, positions = 81, 9
    cut, plain = Cut.of(STRIDED, Streamed(pixels)), Cut.of(STRIDED, Streamed(pixels // 3))
    assert (cut.pace, cut.queue) == (pixels // positions, 4)
    assert (plain.pace, plain.queue) == (1, 0)
    for stalls in STALLS:
        taken, given = [], []
        estimate = compare(STRIDED, stalls, taken, given, cycles=pixels).estimate()
        if stalls == (0.0, 0.0):
            assert set(np.diff(given)) == {estimate.interval} == {pixels}
            assert given[0] - taken[0] == estimate.latency


def test_a_queue_is_as_short_as_it_can_be(monkeypatch):
    """One place less, and pictures are further apart, as the schedule says."""
    cut = Cut.of(STRIDED, Streamed(81))
    raster, given = Raster(STRIDED.window), []
    slower, _ = alone(Part("", ("",), raster, cut.pace, queue=cut.queue - 1))
    assert slower > 81
    chosen = choice(STRIDED, PLAN, STREAMED, cycles=81)
    found = chosen.cls._body
    monkeypatch.setattr(chosen.cls, "_body", staticmethod(
        lambda *own: dataclasses.replace(found(*own), queue=cut.queue - 1)))
    x = np.random.default_rng(1).integers(2, size=(3, STRIDED.in_width)).astype(bool)
    ask(chosen, ir.pack(x), 3, site=sites(chosen)[0], given=given)
    assert set(np.diff(given)[1:]) == {slower}


@pytest.mark.parametrize("border", ["one", "replicate", "reflect"])
def test_another_border_is_seen(border):
    """The comparison above can fail."""
    right, wrong = CASES["border of zeros"], convolution((4, 5), (3, 3), border=border, **SAME)
    x = np.random.default_rng(1).integers(2, size=(4, right.in_width)).astype(bool)
    chosen = choice(wrong, PLAN, STREAMED)
    assert ask(chosen, ir.pack(x), 4, site=sites(chosen)[0]) != ir.pack(right.evaluate(x))


@pytest.mark.parametrize("function", ["and", "majority"])
def test_another_pool_is_seen(function):
    right = CASES["pool by or"]
    x = np.random.default_rng(1).integers(2, size=(4, right.in_width)).astype(bool)
    chosen = choice(ir.Pool(right.window, function), PLAN, STREAMED)
    assert ask(chosen, ir.pack(x), 4, site=sites(chosen)[0]) != ir.pack(right.evaluate(x))


def test_an_image_that_is_cut_otherwise_is_not_taken():
    chosen = choice(CASES["no border"], PLAN, STREAMED)
    assert [chosen.takes(Beat(40, bits)) for bits in (1, 2, 4, 40)] == [False, True, False, False]


@pytest.mark.parametrize("places", range(1, 6))
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.5, 0.5)])
def test_a_buffer(places, stalls):
    """It holds as many as it has places, hands them on in order, and one a cycle from two up."""
    dut, words = Fifo(8, places), list(range(1, 40))
    received, taken, given = [], [], []
    simulate(dut, source(dut.i, words, stalls[0], log=taken),
             sink(dut.o, len(words), received, stalls[1], log=given))
    assert received == words
    if stalls == (0.0, 0.0):
        assert given[0] - taken[0] == Fifo.latency(places) == buffer_latency(places)
        assert set(np.diff(given)) == {2 if places == 1 else 1}
    after = [sum(other < cycle for other in given) for cycle in taken]
    assert max(number + 1 - left for number, left in enumerate(after)) <= places


def test_a_buffer_that_is_not_taken_from_is_full():
    dut, taken = Fifo(8, 4), []

    async def wait(ctx):
        await ctx.tick().repeat(30)

    simulate(dut, wait, background=[source(dut.i, range(9), log=taken)])
    assert len(taken) == 4


@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.4, 0.6)])
def test_a_vector_becomes_beats(stalls):
    dut, received = Serialiser(Beat(12, 4)), []
    simulate(dut, source(dut.i, [0x321, 0x654, 0x987], stalls[0]),
             sink(dut.o, 9, received, stalls[1]))
    assert received == list(range(1, 10))
