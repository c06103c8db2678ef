"""A dense layer of XNOR-popcount neurons, unrolled."""

from amaranth.hdl import Cat, Const

from bitwright import ir
from bitwright.hw.rtl.parts.popcount import at_least, comparison_levels, popcount
from bitwright.hw.rtl.parts.stages import Pipeline
from bitwright.hw.rtl.realisation import lower

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


class XnorLayer(Pipeline):
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

    def __init__(self, node, plan):
        self._node = node
        super().__init__(node.in_width, node.out_width, plan)

    def _payload(self, stages):
        return self._outputs(stages, self._node)

    def _rehearse(self, stages):
        # The number of registers follows from the in-width alone: one neuron shows it.
        self._outputs(stages, ir.Xnor(self._node.weights[:1], self._node.thresholds[:1]))

    def _outputs(self, stages, node):
        count = popcount(stages, agreements(self.i.payload, node.weights), self._plan.lut_size)
        count = stages.before(count, comparison_levels(count))
        reached = [at_least(stages, count, thresholds) for thresholds in node.thresholds.T.tolist()]
        (outputs,) = stages.register([Cat(Cat(slice_[j] for slice_ in reached)
                                          for j in range(node.neurons))])
        return outputs


@lower.register
def _(node: ir.Xnor, plan, registered=True):
    return XnorLayer(node, plan)
