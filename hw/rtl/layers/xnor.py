"""A dense layer of XNOR-popcount neurons, unrolled."""

from amaranth.hdl import Cat, Const

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.popcount import Count, at_least, comparison_levels, popcount
from bitwright.hw.rtl.parts.stages import Depth, Pipeline
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises

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


@realises(ir.Xnor, UNROLLED)
class XnorLayer(Pipeline, Realisation):
    """Dense layer of binary neurons: exclusive-nor with constants, popcount, comparison.

    A vector every cycle; registers every ``plan.levels_per_register`` levels.

    Parameters
    ----------
    node : ir.Xnor
    settings : NoSettings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(node.out_width))``
        Output vectors, in input order.
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        depth = Depth(plan.levels_per_register)
        count = Count.through(depth, node.in_width, plan.lut_size, counters=node.neurons)
        levels = comparison_levels(count.width)
        depth.before(node.neurons * count.width, levels)
        depth.register(node.out_width)
        resources = Resources(count.shared(node.neurons) + node.out_width * levels,
                              depth.flip_flops)
        return Estimate(resources, depth.latency, 1, Beat.whole(node.out_width))

    def __init__(self, node, settings, plan, site):
        self._node, self._plan = node, plan
        super().__init__(node.in_width, node.out_width, plan.levels_per_register,
                         self.estimate(node, settings, plan, site).latency)

    def _payload(self, stages):
        node = self._node
        count = popcount(stages, agreements(self.i.payload, node.weights), self._plan.lut_size)
        count = stages.before(count, comparison_levels(len(count)))
        reached = [at_least(stages, count, thresholds) for thresholds in node.thresholds.T.tolist()]
        (outputs,) = stages.register([Cat(Cat(slice_[j] for slice_ in reached)
                                          for j in range(node.neurons))])
        return outputs
