"""Components of single nodes, chosen as a plan would, and benches that speak their beats."""

import dataclasses

import numpy as np
from amaranth.hdl import ResetInserter, Signal, Value

from bitwright import ir
from bitwright.hw.plan import FOLDED, UNROLLED, Plan
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.realisation import Site
from tests.hw.streams import simulate, sink, source

__all__ = ["PLAN", "ask", "choice", "folded_node", "sites", "unrolled_node"]

PLAN = Plan()
WHOLE = Site()


def choice(node, plan, way, **settings):
    plan = dataclasses.replace(plan, nodes={"node": {"way": way, **settings}})
    return choose(ir.Entry("node", node, ("input",)), plan)


def unrolled_node(node, plan=PLAN):
    return choice(node, plan, UNROLLED)


def folded_node(node, cycles, plan=PLAN, **settings):
    return choice(node, plan, FOLDED, cycles=cycles, **settings)


def sites(chosen):
    """Sites that a choice can have: those of whole vectors, and the narrowest and widest beats."""
    width = chosen.node.in_width
    beats = [beat for beat in (Beat(width, bits) for bits in range(1, width))
             if chosen.takes(beat)]
    whole = [Site()] if chosen.takes(Beat.whole(width)) else []
    if chosen.levels is not None:
        whole.insert(0, Site(registered=False))
    if whole and chosen.estimate(Site(stays=True)).waits is not None:
        whole.append(Site(stays=True))
    return whole + [Site(beat=beat) for beat in {*beats[:1], *beats[-1:]}]


def ask(chosen, payloads, count, *, site=WHOLE, stalls=(0.0, 0.0), pace=None, taken=None,
        given=None, reset=0):
    """What a component answers: integers, or lists of scores.

    With ``pace``, vectors are that many cycles apart, at least. ``taken`` and ``given`` collect the
    cycles in which the last beats of vectors were handed over. With ``reset``, anything is offered
    for so many cycles and forgotten by a reset.
    """
    node, dut = chosen.node, chosen.build(site)
    leaves = chosen.estimate(site).beat
    rng = np.random.default_rng(1)
    size = 1 if site.beat is None else site.beat.beats
    if size > 1 and isinstance(node, ir.Join):  # pixels of all images side by side
        payloads = ir.pack(ir.unpack(payloads, node.in_width)[:, node.index])
    beats = payloads if size == 1 else [
        beat for vector in payloads for beat in _cut(vector, site.beat, rng)]
    started, ended, received = [], [], []
    send = (source(dut.i, beats, stalls[0], seed=1, log=started) if pace is None
            else _paced(dut.i, beats, size, pace, chosen.estimate(site).waits or 0, started))
    take = sink(dut.o, count * leaves.beats, received, stalls[1], seed=2, log=ended)
    if reset:
        clear = Signal()
        simulate(ResetInserter(clear)(dut), _after(dut, clear, reset, send),
                 _after(dut, None, reset, take))
    else:
        simulate(dut, send, take)
    if taken is not None:
        taken += started[size - 1 :: size]
    if given is not None:
        given += ended[leaves.beats - 1 :: leaves.beats]
    if isinstance(node, ir.HeadNode):
        shape = dut.o.payload.shape()
        return [[int(shape.from_bits(word)[c]) for c in range(shape.length)] for word in received]
    return [_join(received[start : start + leaves.beats], leaves)
            for start in range(0, len(received), leaves.beats)]


def _after(dut, clear, cycles, bench):
    """Disturb for so many cycles, or wait as long, reset, and go on."""
    async def run(ctx):
        rng = np.random.default_rng(cycles)
        for _ in range(cycles):
            if clear is not None:
                ctx.set(dut.i.valid, int(rng.integers(2)))
                ctx.set(Value.cast(dut.i.payload),
                        int(rng.integers(1 << min(62, len(Value.cast(dut.i.payload))))))
                ctx.set(dut.o.ready, int(rng.integers(2)))
            await ctx.tick()
        if clear is not None:
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.o.ready, 0)
            ctx.set(clear, 1)
        await ctx.tick()
        if clear is not None:
            ctx.set(clear, 0)
            assert not ctx.get(dut.o.valid)
        await bench(ctx)
    return run


def _cut(vector, beat, rng):
    """Beats of a vector, with anything past its end."""
    spare = beat.beats * beat.bits - beat.width
    vector |= int(rng.integers(1 << min(spare, 62))) << beat.width
    return [vector >> place * beat.bits & (1 << beat.bits) - 1 for place in range(beat.beats)]


def _join(words, beat):
    vector = sum(word << place * beat.bits for place, word in enumerate(words))
    return vector & (1 << beat.width) - 1


def _paced(stream, beats, size, pace, waits, log):
    """Offer vectors that many cycles apart, from the cycle on in which the first begins to be
    read."""
    async def bench(ctx):
        cycle = 0
        for start in range(0, len(beats), size):
            while log and cycle < log[0] - waits + start // size * pace:
                await ctx.tick()
                cycle += 1
            for beat in beats[start : start + size]:
                ctx.set(stream.payload, beat)
                ctx.set(stream.valid, 1)
                taken = False
                while not taken:
                    _, _, taken = await ctx.tick().sample(stream.ready)
                    cycle += 1
                log.append(cycle - 1)
            ctx.set(stream.valid, 0)
    return bench
