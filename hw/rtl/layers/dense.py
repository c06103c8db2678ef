"""Dense layers of XNOR-popcount neurons, folded."""

from amaranth.hdl import Cat, Module, Shape, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.folding import Folded, bias_width, tables
from bitwright.hw.plan import FOLDED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers.scores import scaling
from bitwright.hw.rtl.parts.agreements import Agreements, GroupConstants
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.parts.store import Store
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises
from bitwright.hw.rtl.result import score_shape

__all__ = ["FoldedScores", "FoldedXnor"]


class _Folded(wiring.Component, Realisation):
    """A dense layer whose neurons get their outputs a group at a time.

    Parameters
    ----------
    node : ir.Xnor or ir.Scores
    settings : Folded
    plan : Plan
    site : Site
    constant : Shape
        Of a number that belongs to a neuron.
    element : Shape
        Of what one neuron gives.
    o_shape : ShapeLike
        Of the output.
    whole : bool
        Whether the outputs leave side by side, and not group by group.

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors, or of the bits of ``site.beat``.
    o : ``Out(stream.Signature(o_shape))``
        Output vectors, in input order.
    """

    Settings = Folded

    @classmethod
    def takes(cls, node, settings, beat):
        return beat.beats == 1 or settings.folding(*node.weights.shape).gathers(
            node.in_width, beat.bits)

    @classmethod
    def _estimate(cls, node, settings, plan, site, element, constants, logic, whole):
        """Of neurons that give so many bits, have so many of constants, and so many LUTs."""
        folding = settings.folding(*node.weights.shape)
        resources, latency = Agreements.measure(node.in_width, folding, plan,
                                                settings.writable, site.beat, settings.large)
        group, width = folding.neurons * element, len(node.weights) * element
        collected = whole or folding.groups == 1
        outputs = Collector.flip_flops(folding.groups, group) if collected else 0
        # Groups are counted where their constants are read, and where they are collected.
        number = (folding.groups - 1).bit_length()
        more = Resources(folding.neurons * logic + 2 * (1 + collected) * number,
                         outputs + number) + Store.measure(
            folding.neurons * constants, folding.groups, settings.writable)
        interval = max(folding.cycles, 1 if site.beat is None else site.beat.beats)
        return Estimate(resources + more, latency + collected * Collector.latency, interval,
                        Beat.whole(width) if collected else Beat(width, group))

    def __init__(self, node, settings, plan, site, constant, element, o_shape, whole):
        self._node = node
        folding = settings.folding(*node.weights.shape)
        weights, constants = tables(node, settings)
        self._writable = settings.writable
        self._agreements = Agreements(node.in_width, folding, weights, plan, settings.writable,
                                      site.beat, settings.large)
        self._constants = GroupConstants(folding, constants, constant, settings.writable)
        # A group that is all of them needs a register behind its logic too.
        self._collector = Collector(
            folding.groups, data.ArrayLayout(element, folding.neurons),
            data.ArrayLayout(element, folding.neurons * folding.groups)
        ) if whole or folding.groups == 1 else None
        super().__init__({
            "i": In(stream.Signature(len(self._agreements.i.payload))),
            "o": Out(stream.Signature(o_shape)),
        })

    @property
    def writes(self):
        if not self._writable:
            return ()
        return (self._agreements.store.write,), (self._constants.store.write,)

    def elaborate(self, platform):
        m = Module()
        m.submodules.agreements = agreements = self._agreements
        m.submodules.constants = constants = self._constants
        connect(m, flipped(self.i), agreements.i)
        found = Cat(self._output(count, own)
                    for count, own in zip(agreements.o.payload, constants.o, strict=True))
        m.d.comb += constants.taken.eq(agreements.o.valid & agreements.o.ready)
        if self._collector is None:
            m.d.comb += [self.o.payload.eq(found), self.o.valid.eq(agreements.o.valid),
                         agreements.o.ready.eq(self.o.ready)]
            return m
        m.submodules.outputs = outputs = self._collector
        m.d.comb += [
            outputs.i.payload.as_value().eq(found),
            outputs.i.valid.eq(agreements.o.valid),
            agreements.o.ready.eq(outputs.i.ready),
            # What lies past the last neuron is left out.
            Value.cast(self.o.payload).eq(outputs.o.payload.as_value()),
            self.o.valid.eq(outputs.o.valid),
            outputs.o.ready.eq(self.o.ready),
        ]
        return m

    def _output(self, count, constants):
        """What a neuron gives, from its count and the numbers that belong to it."""
        raise NotImplementedError


def _threshold(node):
    """Shape of a threshold, which may be one more than all inputs."""
    return unsigned((node.in_width + 1).bit_length())


@realises(ir.Xnor, FOLDED)
class FoldedXnor(_Folded):
    """Dense layer of binary neurons, a memory word of weights a cycle.

    The neurons leave group by group, as their counts are done.

    Parameters
    ----------
    node : ir.Xnor
    settings : Folded
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors, or of the bits of ``site.beat``.
    o : ``Out(stream.Signature(beat.bits))``
        Output vectors, in input order, in beats of the estimate.
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        constants = node.depth * _threshold(node).width
        return cls._estimate(node, settings, plan, site, node.depth, constants, constants,
                             whole=False)

    def __init__(self, node, settings, plan, site):
        beat = self.estimate(node, settings, plan, site).beat
        super().__init__(node, settings, plan, site, _threshold(node), unsigned(node.depth),
                         beat.bits, whole=False)

    def _output(self, count, constants):
        return Cat(count >= threshold for threshold in constants)


@realises(ir.Scores, FOLDED)
class FoldedScores(_Folded):
    """Head of binary weights, a memory word of them a cycle.

    Parameters
    ----------
    node : ir.Scores
    settings : Folded
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors, or of the bits of ``site.beat``.
    o : ``Out(stream.Signature(ArrayLayout(score_shape(node.score_range), node.out_width)))``
        Scores, in input order.
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        return cls._estimate(node, settings, plan, site, score_shape(node.score_range).width,
                             bias_width(node), scaling(node), whole=True)

    def __init__(self, node, settings, plan, site):
        shape = score_shape(node.score_range)
        super().__init__(node, settings, plan, site, signed(bias_width(node)), shape,
                         data.ArrayLayout(shape, node.out_width), whole=True)

    def _output(self, count, constants):
        width = Shape.cast(score_shape(self._node.score_range)).width
        return (count * self._node.scale + constants[0])[:width]
