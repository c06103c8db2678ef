"""Forms of encoder and head that a plan may choose: parallel and serial, alone and together."""

import argparse
import dataclasses

import numpy as np
import pytest

from bitwright import ir
from bitwright.form import Form
from bitwright.hw import families
from bitwright.hw.arguments import add_ways, form
from bitwright.hw.contents import as_built
from bitwright.hw.flow.estimate import estimate
from bitwright.hw.plan import PARALLEL, SERIAL, Plan, PlanError
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import asked
from tests.hw.streams import simulate, sink, source
from tests.hw.test_ip import answers, beats, expected, resettable, result
from tests.networks import features, network

STALLS = [(0.0, 0.0), (0.6, 0.0), (0.0, 0.8), (0.5, 0.5)]


def summed(seed, **options):
    """A network whose head sums groups."""
    while not isinstance((found := network(seed, **options)).head, ir.GroupSum):
        seed += 100
    return found


def formed(subject, *, parallel, bits, kept=False, gated=True, **settings):
    """A plan with those forms."""
    nodes = {}
    if parallel:
        nodes[subject.entries[0].name] = {"way": PARALLEL}
    if bits:
        nodes[subject.entries[-1].name] = {"way": SERIAL, "bits": bits, "kept": kept,
                                              "gated": gated}
    return Plan(nodes=nodes, **settings)


@pytest.mark.parametrize("seed", range(16))
def test_every_form_equals_the_evaluator(seed):
    parallel = seed % 3 != 2
    subject = summed(seed, frames=1 if parallel else 1 + seed % 4, signed=bool(seed % 2))
    x = features(subject, 8, seed)
    plan = formed(subject, parallel=parallel, bits=seed % 4, kept=seed % 5 == 0,
                  gated=seed % 7 < 4, levels_per_register=1 + seed % 3, lut_size=4 + seed % 3)
    ip = Ip(subject if seed % 2 else ir.simplify(subject), plan)
    assert answers(ip, beats(ip, x), len(x), STALLS[seed // 2 % 4], seed) == expected(subject, x)


@pytest.mark.parametrize(("parallel", "frames", "bits", "kept", "gated"), [
    (True, 1, 0, False, True), (True, 1, 1, False, False), (True, 1, 3, True, True),
    (False, 1, 3, False, False), (False, 1, 1, True, False), (False, 3, 1, False, True),
    (False, 3, 3, True, True)])
@pytest.mark.parametrize("levels", [1, 3])
def test_latency_and_interval_are_as_declared(parallel, frames, bits, kept, gated, levels):
    subject = summed(7, frames=frames)
    x = features(subject, 9, 0)
    ip = Ip(subject, formed(subject, parallel=parallel, bits=bits, kept=kept, gated=gated,
                            lanes=2, levels_per_register=levels))
    taken, given, received = [], [], []

    async def send(ctx):  # once the head is clean, see SerialGroupSumHead
        await ctx.tick().repeat(ip.latency + ip.interval)
        await source(ip.i, beats(ip, x), log=taken)(ctx)

    async def take(ctx):
        await ctx.tick().repeat(ip.latency + ip.interval)
        await sink(ip.o, len(x), received, log=given)(ctx)

    simulate(ip, send, take)
    taken = taken[:: ip.encoder.beats]
    assert given[0] - taken[0] == ip.latency
    assert set(np.diff(given)) == {ip.interval}
    assert set(np.diff(taken)[3:]) == {ip.interval}
    assert [result(ip, word) for word in received] == expected(subject, x)


def test_a_sample_every_cycle():
    subject = network(5)
    ip = Ip(subject, formed(subject, parallel=True, bits=0))
    assert (ip.interval, ip.layout.beats, ip.layout.lanes) == (1, 1, subject.features)
    assert AxiIp(subject, formed(subject, parallel=True, bits=0)).s_axis_tdata.shape().width == (
        8 * subject.features * ip.layout.feature_bytes)


def test_malformed_samples_are_dropped_whole():
    subject = network(3)
    x = features(subject, 4, 0)
    ip = Ip(subject, formed(subject, parallel=True, bits=0))
    good = beats(ip, x)
    open_ = [{**good[0], "last": 0}]
    errors, received = [], []

    async def watch(ctx):
        while True:
            _, _, error = await ctx.tick().sample(ip.error)
            errors.append(error)

    payloads = [good[0], *open_, good[3], good[1], *3 * open_, good[0], good[2], good[3]]
    simulate(ip, source(ip.i, payloads, 0.2), sink(ip.o, 4, received, 0.5), background=[watch])
    assert [result(ip, word) for word in received] == expected(subject, x)
    assert sum(errors) == 2


@pytest.mark.parametrize("cycles", range(1, 40, 6))
@pytest.mark.parametrize(("parallel", "gated"), [(False, True), (True, True), (True, False)])
def test_reset_in_mid_stream_is_a_clean_start(cycles, parallel, gated):
    subject = summed(7)
    x = features(subject, 5, 0)
    ip = Ip(subject, formed(subject, parallel=parallel, bits=1, gated=gated))
    received = []
    wrapped, reset = resettable(ip)

    async def disturb(ctx):
        ctx.set(ip.i.valid, 1)
        for place in range(cycles):
            ctx.set(ip.i.payload, beats(ip, x)[place % ip.encoder.beats])
            await ctx.tick()
        ctx.set(ip.i.valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        await source(ip.i, beats(ip, x), 0.2)(ctx)

    async def collect(ctx):
        await ctx.tick().repeat(cycles + 1)
        await sink(ip.o, len(x), received, 0.2)(ctx)

    simulate(wrapped, disturb, collect)
    assert [result(ip, word) for word in received] == expected(subject, x)


def test_what_a_command_line_asks_for():
    subject = summed(1)
    plan = asked(Plan(), subject, parallel=True, serial=4)
    assert plan == Plan(nodes={"modulate": {"way": PARALLEL},
                               "head": {"way": SERIAL, "bits": 4}})
    assert asked(Plan(), subject, serial=4, gated=False).nodes["head"]["gated"] is False
    said = Plan(nodes={"head": {"way": SERIAL, "gated": True}})
    assert asked(said, subject, serial=4, gated=False).nodes["head"]["gated"] is True
    again = asked(Plan(nodes={"head": {"way": SERIAL, "kept": True, "bits": 2}}), subject, serial=3)
    assert again.nodes["head"] == {"way": SERIAL, "kept": True, "bits": 3}
    assert Plan.from_toml(again.to_toml()) == again


def test_estimates_know_the_forms():
    subject, family = summed(2), families.get("xilinx")
    plan = formed(subject, parallel=True, bits=0, lut_size=6)
    ip = Ip(as_built(subject, plan), plan)
    found = estimate(subject, plan, family, None)
    assert 0 < found.luts["encoder"] - ip.encoder.luts < 10  # beside the comparators
    assert (found.latency, found.interval) == (ip.latency, 1)
    wide = ir.Network((subject.entries[0], ir.Entry("head", ir.GroupSum(
        subject.modulate.out_width, 1), ("modulate",))), answer=ir.Answer(
            np.zeros(1, np.float32), np.ones(1, np.float32)))
    intervals = [estimate(wide, plan, family, None).interval for plan in (
        Plan(lut_size=6), formed(wide, parallel=False, bits=1, lut_size=6))]
    assert intervals[0] < intervals[1]


@pytest.mark.parametrize("chosen", [
    Form(), Form(parallel=True, serial_head=10), Form(fold=784, large=True),
    Form(fold=8, streamed=True)])
def test_a_form_is_the_options_of_a_build(chosen):
    parser = argparse.ArgumentParser()
    add_ways(parser)
    args = parser.parse_args(chosen.options)
    assert set(vars(args)) == {field.name for field in dataclasses.fields(Form)}
    assert form(args) == chosen == Form(**chosen.given)


def test_a_form_in_words():
    assert str(Form(parallel=True, serial_head=10)) == "parallel, serial_head = 10"
    assert str(Form()) == ""


@pytest.mark.parametrize("values", [{"fold": 0}, {"serial_head": 0}, {"fold": -3}])
def test_a_form_without_cycles_or_bits(values):
    (name, value), = values.items()
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, not {value}$"):
        Form(**values)


def test_refusals():
    several = summed(1, frames=2)
    with pytest.raises(PlanError, match=r"^Plan key 'nodes.modulate.way': 'parallel' needs a "
                       r"single frame, and there are 2$"):
        Ip(several, formed(several, parallel=True, bits=0))
    with pytest.raises(PlanError, match=r"^Plan key 'nodes.head.bits' must be at least 1, not 0$"):
        asked(Plan(), several, serial=0)
    subject = summed(1)
    plan = Plan(nodes={"modulate": {"way": "folded"}})
    with pytest.raises(PlanError, match=r"^Plan key 'nodes.modulate.way' must be one of "
                       r"\('parallel', 'unrolled'\) for a 'modulate' node, not 'folded'; the "
                       r"nearest is 'unrolled'$"):
        Ip(subject, plan)
    plan = dataclasses.replace(formed(subject, parallel=True, bits=0), early_exit=True)
    with pytest.raises(PlanError, match=r"^Plan key 'nodes.modulate.way' must be 'unrolled' where "
                       r"pictures come pixel by pixel, not 'parallel'$"):
        AxiIp(subject, plan)
