"""Dense layers of XNOR-popcount neurons, folded."""

from amaranth.hdl import Cat, Module, Shape, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.layout import score_width
from bitwright.hw.rtl.parts.agreements import Agreements, group_constants
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.realisation import fold
from bitwright.hw.rtl.result import score_shape

__all__ = ["FoldedScores", "FoldedXnor"]


class _Folded(wiring.Component):
    """A dense layer whose neurons get their outputs a group at a time.

    Parameters
    ----------
    node : ir.Node
        With the fields ``weights``.
    element : Shape
        Of what one neuron gives.
    o_shape : ShapeLike
        Of an output vector.
    plan : Plan
    cycles : int
        That it may take for a vector.

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(o_shape))``
        Output vectors, in input order.
    """

    def __init__(self, node, element, o_shape, plan, cycles):
        self._node = node
        self._agreements = Agreements(node.weights, cycles, plan)
        self.folding = folding = self._agreements.folding
        self._collector = Collector(folding.groups, data.ArrayLayout(element, folding.neurons),
                                    data.ArrayLayout(element, folding.neurons * folding.groups))
        self.interval = self._agreements.interval
        self.latency = self._agreements.latency + self._collector.latency
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(o_shape)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.agreements = agreements = self._agreements
        m.submodules.outputs = outputs = self._collector
        connect(m, flipped(self.i), agreements.i)
        taken = agreements.o.valid & agreements.o.ready
        found = self._outputs(m, list(agreements.o.payload), taken)
        m.d.comb += [
            outputs.i.payload.as_value().eq(Cat(found)),
            outputs.i.valid.eq(agreements.o.valid),
            agreements.o.ready.eq(outputs.i.ready),
            # Past the last neuron there is nothing.
            Value.cast(self.o.payload).eq(outputs.o.payload.as_value()),
            self.o.valid.eq(outputs.o.valid),
            outputs.o.ready.eq(self.o.ready),
        ]
        return m

    def _outputs(self, m, counts, taken):
        """What the neurons of the group that is offered give, from their counts."""
        raise NotImplementedError


class FoldedXnor(_Folded):
    """Dense layer of binary neurons, a memory word of weights a cycle.

    Parameters
    ----------
    node : ir.Xnor
    plan : Plan
    cycles : int
        That it may take for a vector.

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(node.out_width))``
        Output vectors, in input order.
    """

    def __init__(self, node, plan, cycles):
        super().__init__(node, unsigned(node.depth), node.out_width, plan, cycles)

    def _outputs(self, m, counts, taken):
        shape = unsigned((self._node.in_width + 1).bit_length())
        thresholds = group_constants(m, self.folding, self._node.thresholds, shape, taken)
        return [Cat(count >= threshold for threshold in row)
                for count, row in zip(counts, thresholds, strict=True)]


class FoldedScores(_Folded):
    """Head of binary weights, a memory word of them a cycle.

    Parameters
    ----------
    node : ir.Scores
    plan : Plan
    cycles : int
        That it may take for a vector.

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(ArrayLayout(score_shape(node.score_range), node.out_width)))``
        Scores, in input order.
    """

    def __init__(self, node, plan, cycles):
        shape = score_shape(node.score_range)
        super().__init__(node, shape, data.ArrayLayout(shape, node.out_width), plan, cycles)

    def _outputs(self, m, counts, taken):
        node, shape = self._node, score_shape(self._node.score_range)
        bias = signed(score_width((int(node.biases.min()), int(node.biases.max()))))
        biases = group_constants(m, self.folding, node.biases[:, None], bias, taken)
        return [(count * node.scale + own)[: Shape.cast(shape).width]
                for count, (own,) in zip(counts, biases, strict=True)]


@fold.register
def _(node: ir.Xnor, plan, cycles):
    return FoldedXnor(node, plan, cycles)


@fold.register
def _(node: ir.Scores, plan, cycles):
    return FoldedScores(node, plan, cycles)
