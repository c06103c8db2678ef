"""Networks behind a stream of pixels, from beats to results."""

import itertools
import re

import numpy as np
import pytest
from amaranth.hdl import Module, ResetInserter, Signal

from bitwright import ir
from bitwright.hw.pictures import Shape
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rtl.pixels.back import Back
from bitwright.hw.rtl.pixels.ip import PixelIp
from tests.hw.pixels.pictures import answers, beats, expected, network, pictures, results, sure
from tests.hw.streams import simulate, sink, source
from tests.networks import labelled

STREAMED = {"conv": {"way": "streamed"}}


@pytest.mark.parametrize(("frames", "lanes"), [(1, 1), (1, 4), (3, 2), (3, 8)])
@pytest.mark.parametrize("nodes", [{}, STREAMED], ids=["whole", "streamed"])
def test_network_equals_evaluator(frames, lanes, nodes):
    """A part of a pixel, a pixel, and several in a beat."""
    subject = network(frames=frames, signed=lanes == 4, table=["pixel", "frame"][lanes % 2])
    x = pictures(subject, 5, lanes)
    stalls = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.9), (0.3, 0.3)][lanes.bit_length() - 1]
    plan = Plan(lanes=lanes, nodes=nodes)
    wanted = expected(subject.evaluate(x))
    assert len(set(wanted)) > 2
    assert answers(subject, plan, lambda ip: beats(ip, x), len(x), stalls, lanes) == wanted


def bright(subject, count):
    """Pictures that are dark or bright by turns, and some of all kinds of pixels."""
    x = pictures(subject, count)
    _, high = subject.modulate.domain
    x[::3] = np.minimum(x[::3] + high // 2, high)
    x[1::3] //= 3
    return x


@pytest.mark.parametrize("replay", ["block", "large"])
@pytest.mark.parametrize("lead", [0, 8])
def test_early_exit(replay, lead):
    """Scores of the frames that were needed."""
    subject = sure()
    x = bright(subject, 10)
    exits = ir.Exit.of(subject, lead).evaluate(subject, x)
    assert len(set(exits.frames.tolist())) > 1
    plan = Plan(lanes=2, replay=replay, early_exit=True, exit_lead=lead)
    assert answers(subject, plan, lambda ip: beats(ip, x), len(x), (0.2, 0.2)) == expected(exits)


def test_early_exit_saves_cycles():
    """A sample that is sure takes as many frames as it needs, and those that are on their way."""
    subject = sure(frames=6)
    x = np.repeat(bright(subject, 2)[:1], 4, axis=0)
    needed = int(ir.Exit.of(subject).evaluate(subject, x).frames[0])
    assert needed < 5
    given = {}
    for exits in (False, True):
        ip, received, log = PixelIp(subject, Plan(lanes=2, early_exit=exits)), [], []
        simulate(ip, source(ip.i, beats(ip, x)), sink(ip.o, len(x), received, log=log))
        given[exits] = log[-1] - log[0]
    assert given[False] == 3 * (6 * 12 + 1)
    assert given[True] <= 3 * ((needed + 2) * 12 + 1)


def test_pictures_that_are_sent_for_every_frame():
    """The same picture again; and a new one for each frame, as a fast camera has them."""
    subject = network(frames=3)
    x, plan = pictures(subject, 9), Plan(lanes=2, replay="sent")
    wanted = expected(subject.evaluate(x[:3]))
    assert answers(subject, plan, lambda ip: beats(ip, x[:3]), 3) == wanted
    head = subject.entries[-1].name
    scores = subject.evaluate(x, [head]).taps[head]
    sums = np.array([scores[[0, 1, 2], range(start, start + 3)].sum(axis=0) for start in (0, 3, 6)])
    plan = Plan(lanes=2, replay="sent", input="video")

    def payloads(ip):
        """With a picture between that is torn, and the two before it that count for nothing."""
        whole = [beats(ip, row[None], line=4)[:12] for row in x]
        return [*whole[5], *whole[6], *whole[7][:5], *itertools.chain(*whole)]

    errors = []
    assert answers(subject, plan, payloads, 3, errors=errors) == expected(ir.Result(sums, {}))
    assert len(errors) == 1


def test_short_and_long_samples_of_several_pictures():
    subject = network(frames=3)
    x, errors = pictures(subject, 3), []

    def payloads(ip):
        whole = [beats(ip, row[None]) for row in x]
        short, less = [*whole[0][:7], whole[0][-1]], [*whole[0][:11], whole[0][-1]]
        more = [*whole[1][:-1], whole[1][0], *whole[1][-2:]]
        return [*short, *whole[0], *less, *whole[1], *more, *whole[2]]

    plan = Plan(lanes=2, replay="sent")
    assert answers(subject, plan, payloads, 3, errors=errors) == expected(subject.evaluate(x))
    assert len(errors) == 3


@pytest.mark.parametrize("frames", [1, 2])
def test_video_with_broken_pictures(frames):
    """Each whole picture has its answer, and each broken one a pulse."""
    subject = network(frames=frames)
    x = pictures(subject, 6)
    errors = []

    def payloads(ip):
        whole = [beats(ip, row[None], line=2) for row in x]
        short_line = [*whole[0][:1], *whole[0][2:]]
        long_line = [whole[0][0], {**whole[0][1], "last": 0}, *whole[0][1:]]
        torn = whole[1][:3]
        long_frame = [*whole[2], *whole[2][2:4]]
        return [*short_line, *whole[0], *long_line, *whole[1], *torn, *long_frame, *whole[3],
                *torn, *torn, *whole[4], *whole[5]]

    plan = Plan(lanes=4, input="video")
    found = answers(subject, plan, payloads, len(x), (0.2, 0.3), errors=errors)
    assert found == expected(subject.evaluate(x))
    assert len(errors) == 6


@pytest.mark.parametrize("cycles", [1, 11, 30, 47, 90])
def test_reset_in_mid_stream_is_a_clean_start(cycles):
    subject = sure()
    x = bright(subject, 3)
    ip = PixelIp(subject, Plan(lanes=2, input="video", early_exit=True))
    rng, received, reset, wrapped = np.random.default_rng(cycles), [], Signal(), Module()
    wrapped.submodules.ip = ResetInserter(reset)(ip)

    async def disturb(ctx):
        ctx.set(ip.i.valid, 1)
        for cycle in range(cycles):
            ctx.set(ip.i.payload, {"data": int(rng.integers(1 << 16)), "start": cycle == 0,
                                   "last": cycle % 4 == 3})
            await ctx.tick()
        ctx.set(ip.i.valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        assert not ctx.get(ip.o.valid)
        await source(ip.i, beats(ip, x, line=4), 0.2)(ctx)

    async def collect(ctx):
        await ctx.tick().repeat(cycles + 1)
        await sink(ip.o, len(x), received, 0.2)(ctx)

    simulate(wrapped, disturb, collect)
    assert results(ip, received, 2) == expected(ir.Exit.of(subject).evaluate(subject, x))


def test_shapes():
    assert Shape.of(network((3, 4, 2))) == Shape(3, 4, 2)
    dense = network((3, 4, 3))
    bare = ir.Network((dense.entries[0], ir.Entry("head", ir.GroupSum(72, 2), ("modulate",))))
    with pytest.raises(PlanError, match=r"^Network must read pictures: a window on its bits, or a "
                                        r"preparation, says what shape they have$"):
        Shape.of(bare)
    picture = ir.Picture(3, 4, True, False, 15)
    assert Shape.of(ir.Network(bare.entries, preparation=picture)) == Shape(3, 4, 3)


@pytest.mark.parametrize(("subject", "plan", "message"), [
    (network(), Plan(early_exit=True), ("Plan key 'early_exit': Early exit must be from several "
                                        "frames whose scores add up to a decision")),
    (sure(), Plan(early_exit=True, nodes={"head": {"way": "folded", "writable": True}}),
     "Plan key 'early_exit' must be false where 'head' can be written"),
    (labelled(0, classes=2, size=6), Plan(), (
        "Head 'head' takes every frame for a class, which does not go with pictures pixel by "
        "pixel")),
])
def test_scores_that_do_not_do(subject, plan, message):
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        Back(subject, plan)


@pytest.mark.parametrize(("lanes", "nodes"), [(1, {}), (2, STREAMED), (4, STREAMED)])
def test_latency_and_interval_are_as_declared(lanes, nodes):
    """Of a single frame exactly."""
    subject = network()
    x, plan = pictures(subject, 5), Plan(lanes=lanes, nodes=nodes)
    ip, taken, given = PixelIp(subject, plan), [], []
    simulate(ip, source(ip.i, beats(ip, x[:1]), log=taken), sink(ip.o, 1, [], log=given))
    offered = taken[0] - max(0, lanes // 2 - 1)  # a beat is taken with its last pixel
    assert given[0] - offered == ip.latency
    ip, taken, given = PixelIp(subject, plan), [], []
    simulate(ip, source(ip.i, beats(ip, x), log=taken), sink(ip.o, 5, [], log=given))
    assert np.diff(given).tolist()[1:] == [ip.interval] * 3


def test_interval_of_frames_is_as_declared():
    subject = network(frames=3)
    ip, taken, given = PixelIp(subject, Plan(lanes=2, nodes=STREAMED)), [], []
    simulate(ip, source(ip.i, beats(ip, pictures(subject, 4)), log=taken),
             sink(ip.o, 4, [], log=given))
    assert given[0] - taken[0] <= ip.latency
    assert np.diff(given).tolist()[1:] == [ip.interval] * 2


def test_beats_that_are_no_pixels():
    with pytest.raises(PlanError, match=r"^Plan key 'lanes' must be a divisor of the 2 features of "
                                        r"a pixel, or make whole pixels and whole beats of a "
                                        r"picture of 12 pixels, not 3$"):
        PixelIp(network(), Plan(lanes=3))
    with pytest.raises(PlanError, match=r"^Plan key 'lanes' must be a divisor of the 2 features of "
                                        r"a pixel, or make whole pixels and whole beats of a line "
                                        r"of 4 pixels, not 6$"):
        PixelIp(network(), Plan(lanes=6, input="video"))
