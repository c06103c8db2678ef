"""A dense layer of XNOR-popcount neurons, unrolled."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

import ir
from hw.popcount import at_least, comparison_levels, popcount
from hw.stages import Rehearsal, Stages

from .lower import lower

__all__ = ["XnorLayer", "agreements"]


def agreements(x, weights):
    """Slices of ``~(x ^ w)``, one an input bit and as wide as there are neurons.

    Parameters
    ----------
    x : Value
        Input bits.
    weights : array of bool, shape (neurons, in_width)
    """
    neurons = len(weights)
    differing = ir.pack(~weights.T)
    return [bit.replicate(neurons) ^ Const(word, neurons)
            for bit, word in zip(x, differing, strict=True)]


class XnorLayer(wiring.Component):
    """Dense layer of binary neurons: exclusive-nor with constants, popcount, comparison.

    A vector every cycle; registers every ``plan.levels_per_register`` levels.

    Parameters
    ----------
    node : ir.Xnor
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(node.out_width))``
        Output vectors, in input order.
    """

    interval = 1

    def __init__(self, node, plan):
        self._node = node
        self._plan = plan
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(node.out_width)),
        })
        # The number of registers follows from the in-width alone: one neuron shows it.
        first = ir.Xnor(node.weights[:1], node.thresholds[:1])
        self.latency = self._build(Rehearsal(), first).latency

    def _build(self, m, node):
        stages = Stages(m, self.i, self._plan.levels_per_register)
        count = popcount(stages, agreements(self.i.payload, node.weights), self._plan.lut_size)
        count = stages.before(count, comparison_levels(count))
        reached = [at_least(stages, count, thresholds) for thresholds in node.thresholds.T.tolist()]
        (outputs,) = stages.register([Cat(Cat(slice_[j] for slice_ in reached)
                                          for j in range(node.neurons))])
        if node is self._node:
            stages.drive(self.o, outputs)
        return stages

    def elaborate(self, platform):
        m = Module()
        self._build(m, self._node)
        return m


@lower.register
def _(node: ir.Xnor, plan, registered=True):
    return XnorLayer(node, plan)
