"""The head of LUT networks, folded: a popcount a class, a few bits at a time."""

from amaranth.hdl import Cat, Module, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.folding import Folded
from bitwright.hw.plan import FOLDED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.gather import Accumulator, Collector
from bitwright.hw.rtl.parts.popcount import Count, popcount
from bitwright.hw.rtl.parts.race import race
from bitwright.hw.rtl.parts.serialiser import Serialiser
from bitwright.hw.rtl.parts.stages import Depth, Stages
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises
from bitwright.hw.rtl.result import decision_shape, score_shape

__all__ = ["FoldedGroupSum"]


@realises(ir.GroupSum, FOLDED)
class FoldedGroupSum(wiring.Component, Realisation):
    """Popcounts of equal, contiguous groups of bits, one group after the other.

    Where there are fewer cycles than groups, several are counted at the same time, whole. Of the
    settings only the cycles matter: nothing lies in a memory.

    Parameters
    ----------
    node : ir.GroupSum
    settings : Folded
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors, or of the bits of ``site.beat``.
    o : ``Out(stream.Signature(ArrayLayout(score_shape(node.score_range), node.out_width)))``
        Scores, in input order.
    decision : ``Out(decision_shape(node.out_width))``
        Only if classes are counted one after the other. Beside the scores: the place of the
        greatest one, the lowest on a tie.
    """

    Settings = Folded

    @classmethod
    def takes(cls, node, settings, beat):
        return beat.beats == 1 or node.group % beat.bits == 0

    @classmethod
    def estimate(cls, node, settings, plan, site):
        beat = _beat(node, settings, site)
        at_once, bits, words = _cut(node, beat)
        depth = Depth(plan.levels_per_register)
        count = Count.through(depth, bits, plan.lut_size, counters=at_once)
        depth.flush(at_once * count.width)
        width = score_shape(node.score_range).width
        total = at_once * node.group.bit_length()
        resources = Resources(at_once * count.luts, depth.flip_flops) + Resources(
            0, Collector.flip_flops(beat.beats // words, at_once * width))
        latency = depth.latency + Collector.latency
        if words > 1:
            resources += Resources(2 * total, total + words.bit_length())
            latency += Accumulator.latency
        if site.beat is None and beat.beats > 1:
            resources += Resources(beat.width, beat.width + beat.beats.bit_length())
            latency += beat.beats
        if at_once == 1:
            resources += Resources(3 * total, total + 2 * node.classes.bit_length())
        return Estimate(resources, latency, beat.beats, Beat.whole(node.out_width * width),
                        decides=at_once == 1)

    def __init__(self, node, settings, plan, site):
        self._node, self._plan = node, plan
        self._beat = beat = _beat(node, settings, site)
        self._split = Serialiser(
            Beat(node.in_width, beat.bits)) if site.beat is None and beat.beats > 1 else None
        at_once, bits, self._words = _cut(node, beat)
        self._parts = data.ArrayLayout(unsigned(bits.bit_length()), at_once)
        self._counts = data.ArrayLayout(unsigned(node.group.bit_length()), at_once)
        self._element = score_shape(node.score_range)
        scores = data.ArrayLayout(self._element, at_once)
        self._collector = Collector(beat.beats // self._words, scores, data.ArrayLayout(
            self._element, at_once * beat.beats // self._words))
        super().__init__({
            "i": In(stream.Signature(node.in_width if site.beat is None else beat.bits)),
            "o": Out(stream.Signature(data.ArrayLayout(self._element, node.out_width))),
            **({"decision": Out(decision_shape(node.out_width))} if at_once == 1 else {}),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.scores = scores = self._collector
        last = parts = stream.Signature(self._parts).create(path=("parts",))
        self._count(m, self._split_up(m), parts)
        if self._words > 1:
            m.submodules.total = total = Accumulator(self._words, self._parts, self._counts)
            connect(m, parts, total.i)
            last = total.o
        m.d.comb += [
            *(score.eq(count) for score, count in zip(scores.i.payload, last.payload,
                                                      strict=True)),
            scores.i.valid.eq(last.valid), last.ready.eq(scores.i.ready),
            # What lies past the last class is left out.
            Value.cast(self.o.payload).eq(scores.o.payload.as_value()),
            self.o.valid.eq(scores.o.valid), scores.o.ready.eq(self.o.ready),
        ]
        if self._parts.length == 1:
            found = race(m, last.payload[0], last.valid & last.ready, self._node.classes)
            m.d.comb += self.decision.eq(found.decision)
        return m

    def _split_up(self, m):
        """The stream of beats."""
        if self._split is None:
            return flipped(self.i)
        m.submodules.split = split = self._split
        connect(m, flipped(self.i), split.i)
        return split.o

    def _count(self, m, beats, parts):
        """Count the ones of each beat, class by class."""
        at_once = self._parts.length
        size = self._beat.bits // at_once
        stages = Stages(m, beats, self._plan.levels_per_register)
        slices = [Cat(beats.payload[place + one * size] for one in range(at_once))
                  for place in range(size)]
        count = stages.flush(popcount(stages, slices, self._plan.lut_size))
        stages.drive(parts, Cat(slice_[one] for one in range(at_once) for slice_ in count))


def _beat(node, settings, site):
    """How the bits are counted."""
    if site.beat is not None:
        return site.beat
    if settings.cycles < node.classes:
        at_once = -(-node.classes // settings.cycles)
        beats = -(-node.classes // at_once)
        return Beat(beats * at_once * node.group, at_once * node.group)
    bits = next(bits for bits in range(1, node.group + 1) if node.group % bits == 0
                and node.in_width // bits <= settings.cycles)
    return Beat(node.in_width, bits)


def _cut(node, beat):
    """Classes that are counted at the same time, bits of each in a beat, and beats of a class."""
    if beat.bits > node.group:
        return beat.bits // node.group, node.group, 1
    return 1, beat.bits, node.group // beat.bits
