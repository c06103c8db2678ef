"""Whole networks in Amaranth's simulator."""

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Const, Module, ResetInserter, Signal

from bitwright import ir
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.ip import Ip
from tests.hw.streams import simulate, sink, source
from tests.networks import features, labelled, network


def expected(subject, x):
    result = subject.evaluate(x)
    return [(int(decision), tuple(map(int, scores)))
            for decision, scores in zip(result.decision, result.scores, strict=True)]


def beats(ip, x):
    packed = [ip.layout.pack_features(row) for row in x.tolist()]
    return [{"data": word, "last": index == len(sample) - 1}
            for sample in packed for index, word in enumerate(sample)]


def result(ip, word):
    view = ip.o.payload.shape().from_bits(word)
    return view["decision"], tuple(view["scores"][c] for c in range(ip.layout.classes))


def answers(ip, payloads, count, stalls=(0.0, 0.0), seed=0):
    received = []
    simulate(ip, source(ip.i, payloads, stalls[0], seed=seed),
             sink(ip.o, count, received, stalls[1], seed=seed + 1), cycles=20_000)
    return [result(ip, word) for word in received]


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_network_equals_evaluator(seed, frames):
    subject = network(seed, frames=frames, signed=bool(seed % 2))
    x = features(subject, 10, seed)
    plan = Plan(lanes=1 + seed % (subject.features + 1), levels_per_register=1 + seed % 4,
                lut_size=4 + 2 * (seed % 2))
    stalls = [(0.0, 0.0), (0.6, 0.0), (0.0, 0.8), (0.5, 0.5)][seed // 2 % 4]
    wanted = expected(subject, x)
    for variant in (subject, ir.simplify(subject)):
        ip = Ip(variant, plan)
        assert answers(ip, beats(ip, x), len(x), stalls, seed) == wanted


@pytest.mark.parametrize("seed", range(8))
def test_a_class_a_frame(seed):
    """Labels ride on the frames, and the head reads both layers."""
    subject = labelled(seed, classes=2 + seed % 4)
    x = features(subject, 8, seed)
    plan = Plan(lanes=1 + seed % 3, levels_per_register=1 + seed % 2)
    stalls = [(0.0, 0.0), (0.6, 0.0), (0.0, 0.8), (0.5, 0.5)][seed % 4]
    wanted = expected(subject, x)
    assert len({decision for decision, _ in wanted} | {scores for _, scores in wanted}) > 1
    for variant in (subject, ir.simplify(subject)):
        ip = Ip(variant, plan)
        assert answers(ip, beats(ip, x), len(x), stalls, seed) == wanted


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("lanes", [1, 2, 9])
@pytest.mark.parametrize("levels", [1, 2, 4])
def test_latency_and_interval_are_as_declared(frames, lanes, levels):
    subject = network(7, frames=frames)
    x = features(subject, 12, 0)
    ip = Ip(subject, Plan(lanes=lanes, levels_per_register=levels))
    taken, given, received = [], [], []
    simulate(ip, source(ip.i, beats(ip, x), log=taken), sink(ip.o, len(x), received, log=given))
    taken = taken[:: ip.encoder.beats]
    assert [last - first for first, last in zip(taken, given, strict=True)] == (
        [ip.latency] * len(x))
    assert set(np.diff(taken)) == {ip.interval}
    assert ip.interval == frames * -(-subject.features // lanes)


def test_taps_are_those_of_the_evaluator():
    subject = network(4)
    x = features(subject, 8, 0)
    ip = Ip(subject, Plan())
    names = list(ip.core.outputs)
    taps = subject.evaluate(x, names).taps
    seen = {name: [] for name in names}

    def watch(name, stream):
        async def bench(ctx):
            while True:
                _, _, taken, word = await ctx.tick().sample(stream.valid & stream.ready,
                                                            stream.payload)
                if taken:
                    seen[name].append(word)
        return bench

    simulate(ip, source(ip.i, beats(ip, x)), sink(ip.o, len(x), []),
             background=[watch(*item) for item in ip.core.outputs.items()])
    assert names
    for name in names:
        assert seen[name] == ir.pack(taps[name][0])


@pytest.mark.parametrize("frames", [1, 3])
def test_malformed_samples_are_dropped_whole(frames):
    subject = network(3, frames=frames)
    x = features(subject, 4, 0)
    ip = Ip(subject, Plan(lanes=1))
    good = [beats(ip, x[index : index + 1]) for index in range(len(x))]
    assert len(good[0]) > 2
    early = [*good[0][:1], {**good[0][1], "last": 1}]
    late = [*good[1][:-1], {**good[1][-1], "last": 0}, good[1][0], {**good[1][0], "last": 1}]
    errors = []

    async def watch(ctx):
        while True:
            _, _, error = await ctx.tick().sample(ip.error)
            errors.append(error)

    received = []
    payloads = [*good[0], *early, *early, *good[1], *late, *good[2], *good[3]]
    simulate(ip, source(ip.i, payloads, 0.2), sink(ip.o, 4, received, 0.5), background=[watch])
    assert [result(ip, word) for word in received] == expected(subject, x)
    assert sum(errors) == 3


@pytest.mark.parametrize("cycles", [*range(1, 30, 4), 60])
def test_reset_in_mid_stream_is_a_clean_start(cycles):
    subject = network(7, frames=2)
    x = features(subject, 5, 0)
    ip = Ip(subject, Plan(lanes=2))
    rng = np.random.default_rng(cycles)
    received = []

    async def disturb(ctx):
        ctx.set(ip.i.valid, 1)
        ctx.set(ip.o.ready, 0)
        for _ in range(cycles):
            ctx.set(ip.i.payload, {"data": int(rng.integers(256)), "last": int(rng.integers(2))})
            await ctx.tick()
        ctx.set(ip.i.valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        assert not ctx.get(ip.o.valid)
        await source(ip.i, beats(ip, x), 0.2)(ctx)

    async def collect(ctx):
        await ctx.tick().repeat(cycles + 1)
        await sink(ip.o, len(x), received, 0.2)(ctx)

    wrapped, reset = resettable(ip)
    simulate(wrapped, disturb, collect)
    assert [result(ip, word) for word in received] == expected(subject, x)


def resettable(component):
    reset = Signal()
    m = Module()
    m.submodules.ip = ResetInserter(reset)(component)
    return m, reset


@pytest.mark.parametrize("lanes", [1, 3])
def test_axi_names_carry_the_same(lanes):
    subject = network(5, signed=True)
    x = features(subject, 6, 0)
    axi = AxiIp(subject, Plan(lanes=lanes))
    words = [axi.layout.pack_features(row) for row in x.tolist()]
    received = []

    async def send(ctx):
        for sample in words:
            for index, word in enumerate(sample):
                ctx.set(axi.s_axis_tdata, word)
                ctx.set(axi.s_axis_tlast, index == len(sample) - 1)
                ctx.set(axi.s_axis_tvalid, 1)
                taken = False
                while not taken:
                    _, _, taken = await ctx.tick().sample(axi.s_axis_tready)
        ctx.set(axi.s_axis_tvalid, 0)

    async def receive(ctx):
        ctx.set(axi.m_axis_tready, 1)
        while len(received) < len(x):
            _, _, valid, last, word = await ctx.tick().sample(
                axi.m_axis_tvalid, axi.m_axis_tlast, axi.m_axis_tdata)
            assert last
            if valid:
                received.append(axi.layout.unpack_result(word))

    simulate(axi, send, receive)
    assert received == expected(subject, x)


def axi_results(axi, x, stall_out, seed=0):
    """Beats of the results of samples, sent without a pause: data, keep and last, and the cycle in
    which each was taken."""
    sent = [(word, place == axi.layout.beats - 1) for row in x.tolist()
            for place, word in enumerate(axi.layout.pack_features(row))]
    count, rng, taken = len(x) * axi.layout.result_beats, np.random.default_rng(seed), []
    keep = axi.m_axis_tkeep if axi.layout.result_keep else Const(0)

    async def send(ctx):
        ctx.set(axi.s_axis_tvalid, 1)
        for word, last in sent:
            ctx.set(axi.s_axis_tdata, word)
            ctx.set(axi.s_axis_tlast, last)
            await ctx.tick().until(axi.s_axis_tready)
        ctx.set(axi.s_axis_tvalid, 0)

    async def receive(ctx):
        offered, cycle = None, 0
        while len(taken) < count:
            ready = rng.random() >= stall_out
            ctx.set(axi.m_axis_tready, ready)
            _, _, valid, *beat = await ctx.tick().sample(
                axi.m_axis_tvalid, axi.m_axis_tdata, keep, axi.m_axis_tlast)
            assert offered is None or (valid and beat == offered)
            offered = beat if valid and not ready else None
            if valid and ready:
                taken.append((*beat, cycle))
            cycle += 1

    simulate(axi, send, receive, cycles=5000)
    return taken


def whole(layout, beats):
    """Results of beats, once the protocol was followed."""
    size, found, word = layout.result_beat_bytes, [], b""
    for index, (value, keep, last, _) in enumerate(beats):
        place = index % layout.result_beats
        final = place == layout.result_beats - 1
        count = layout.last_beat_bytes if final else size
        assert last == final
        assert not layout.result_keep or keep == (1 << count) - 1
        assert value >> 8 * count == 0
        word += value.to_bytes(size, "little")[:count]
        if final:
            found.append(layout.unpack_result(word))
            word = b""
    return found


@pytest.mark.parametrize("size", [*range(1, 8), 0])
@pytest.mark.parametrize("stall_out", [0.0, 0.6])
def test_beats_of_every_width(size, stall_out):
    """From single bytes to beats that are wider than a result."""
    subject = network(2, signed=True)
    axi = AxiIp(subject, Plan(lanes=2, result_beat_bytes=size))
    assert axi.layout.result_bytes == 5
    x = features(subject, 12, 0)
    assert whole(axi.layout, axi_results(axi, x, stall_out, size)) == expected(subject, x)


@pytest.mark.parametrize("size", [1, 2, 0])
def test_beats_at_full_speed(size):
    """A sample takes one beat here, so that its result takes longer if it has more."""
    subject = network(5)
    axi = AxiIp(subject, Plan(lanes=subject.features, result_beat_bytes=size))
    beats = axi_results(axi, features(subject, 30, 0), 0.0)
    last = [cycle for _, _, last, cycle in beats if last]
    assert axi.interval == axi.layout.result_beats
    assert set(np.diff(last)) == {axi.interval}


def test_only_read_bits_are_stored():
    subject = network(2)
    ip = Ip(ir.simplify(subject), Plan())
    mask = ir.simplify(subject).read_mask("modulate")
    assert ip.encoder.stored <= mask.sum()


def test_no_address_is_a_product():
    """A product of frame and beats would take a multiplier of the device."""
    rng = np.random.default_rng(0)
    thresholds = rng.integers(1, 256, size=(5, 7, 2)).astype(np.int32)
    subject = ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 8), ("input",)),
                          ir.Entry("head", ir.GroupSum(14, 2), ("modulate",))))
    text = rtlil.convert(AxiIp(subject, Plan()), name="top")
    assert "$add" in text
    assert "$mul" not in text
