"""From the bits that the head reads to a decision."""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.parts.gather import Accumulator, Collector
from bitwright.hw.rtl.parts.stages import Depth, Pipeline
from bitwright.hw.rtl.realisation import Site
from bitwright.hw.rtl.result import decision_shape, result_layout

__all__ = ["Argmax", "Head"]

_GROUPED = 6
"""Inputs of a LUT from which on scores are compared in groups of bits, and not by a carry chain."""

_COMPARISON_LEVELS = 2
"""LUT levels that a comparison of two scores and the choice behind it are worth."""


class Argmax(Pipeline):
    """Index of the greatest score, the lowest one on a tie, beside the scores.

    Of a single score it is 0. A vector every cycle; registers every ``plan.levels_per_register``
    levels.

    Parameters
    ----------
    layout : ArrayLayout
        Of the scores.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(layout))``
        Scores.
    o : ``Out(stream.Signature(StructLayout({"decision": …, "scores": layout})))``
        Scores and decision, which is a :func:`decision_shape` of the classes.
    """

    def __init__(self, layout, plan):
        expect("Layout", layout, data.ArrayLayout)
        expect("Plan", plan, Plan)
        shape = data.StructLayout({"decision": decision_shape(layout.length), "scores": layout})
        depth = Depth(plan.levels_per_register)
        for _ in range((layout.length - 1).bit_length()):
            depth.before(0, _COMPARISON_LEVELS)
        depth.flush(0)
        self._lut_size = plan.lut_size
        super().__init__(layout, shape, plan.levels_per_register, depth.latency)

    def _payload(self, stages):
        scores = Value.cast(self.i.payload)
        race = list(self.i.payload)  # those still in it, in the order of their indices
        indices = [Const(0, 0)] * len(race)  # of the winner of each part, within that part
        while len(race) > 1:
            scores, *flat = stages.before([scores, *race, *indices], _COMPARISON_LEVELS)
            race = [score.as_signed() for score in flat[: len(race)]]
            race, indices = self._round(stages, race, flat[len(race) :])
            race = [stages.wire(score) for score in race]
            indices = [stages.wire(index) for index in indices]
        decision, scores = stages.flush([indices[0], scores])
        return Cat(decision if len(decision) else Const(0, 1), scores)


    def _round(self, stages, race, indices):
        """Let neighbours compete. An odd one out goes on, at the lower end of its part."""
        winners, places = [], []
        for left in range(0, len(race) - 1, 2):
            low, high = race[left], race[left + 1]
            higher = stages.wire(high > low if self._lut_size < _GROUPED else
                                 _above(high, low, self._lut_size // 2))
            winners.append(Mux(higher, high, low))
            places.append(Cat(Mux(higher, indices[left + 1], indices[left]), higher))
        if len(race) % 2:
            winners.append(race[-1])
            places.append(Cat(indices[-1], Const(0, 1)))
        return winners, places


def _above(high, low, size):
    """Whether a signed number is greater than another, in groups of so many bits of both.

    Each group is two LUTs, greater and equal. What makes one of them goes into the LUTs that choose
    by it, where a carry chain takes a LUT a bit and ends in front of them.
    """
    sign = 1 << len(high) - 1
    high, low = high.as_unsigned() ^ sign, low.as_unsigned() ^ sign
    above = Const(0, 1)
    for start in range(0, len(high), size):
        mine, other = high[start : start + size], low[start : start + size]
        group = Const(0, 1)
        for one, another in zip(mine, other, strict=True):
            group = one & ~another | ~(one ^ another) & group
        above = group | ~(mine ^ other).any() & above
    return above


class Head(wiring.Component):
    """Score node, sum over the frames or a class a frame, decision.

    Parameters
    ----------
    network : ir.Network
    plan : Plan
    beat : Beat, optional
        How its input comes, a whole vector if left out.
    stays : bool
        Whether its input stays until it is taken, see :class:`Site`.

    Members
    -------
    i : ``In(stream.Signature(network.head.in_width))``
        Bits of a frame, or the ``beat.bits`` of a beat.
    o : ``Out(stream.Signature(result_layout(network)))``
        Results, one a sample.

    Attributes
    ----------
    latency : int
        Cycles from the last frame of a sample to its result, when nothing stalls.
    interval : int
        Cycles from a frame to the next.
    waits : int or None
        Cycles for which a frame must be offered before it is taken, see :class:`Estimate`.
    settles : bool
        Whether it takes nothing for an interval after a reset.
    estimate : Estimate
        Of the score node.
    """

    def __init__(self, network, plan, beat=None, stays=False):
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        layout = result_layout(network)
        choice = choose(network.entries[-1], plan)
        site = Site(beat=beat, stays=stays)
        self.estimate, node = choice.estimate(site), choice.build(site)
        # No node's name begins with an underscore.
        self._parts = {network.entries[-1].name: node}
        self.latency, self.interval = self.estimate.latency, self.estimate.interval
        self.waits, self.settles = self.estimate.waits, choice.cls.settles
        self._decided = self.estimate.decides and network.frames == 1
        if network.frames > 1:
            gather = Collector if network.head.per_frame else Accumulator
            self._parts["_frames"] = gather(network.frames, node.o.payload.shape(),
                                            layout["scores"].shape)
            self.latency += gather.latency
        if not self._decided:
            self._parts["_argmax"] = argmax = Argmax(layout["scores"].shape, plan)
            self.latency += argmax.latency
        super().__init__({
            "i": In(stream.Signature(len(node.i.payload))),
            "o": Out(stream.Signature(layout)),
        })

    @property
    def scores(self):
        """Output stream of the score node, a vector a frame, for a bench that looks inside."""
        return next(iter(self._parts.values())).o

    @property
    def writes(self):
        """Load ports of the score node, see :attr:`Realisation.writes`."""
        return next(iter(self._parts.values())).writes

    def elaborate(self, platform):
        m = Module()
        before = flipped(self.i)
        for name, part in self._parts.items():
            m.submodules[name] = part
            connect(m, before, part.i)
            before = part.o
        if not self._decided:
            connect(m, before, flipped(self.o))
            return m
        m.d.comb += [self.o.payload.scores.eq(before.payload),
                     self.o.payload.decision.eq(part.decision),
                     self.o.valid.eq(before.valid), before.ready.eq(self.o.ready)]
        return m
