"""The head of XNOR networks: an affine function of an agreement count a class."""

from amaranth.hdl import Cat
from amaranth.lib import data

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers.xnor import agreements
from bitwright.hw.rtl.parts.popcount import Count, popcount
from bitwright.hw.rtl.parts.stages import Depth, Pipeline
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises
from bitwright.hw.rtl.result import score_shape

__all__ = ["ScoresHead", "scaling"]


def scaling(node):
    """LUTs that multiply a count by the scale of a head and add a bias, about: an adder for each
    bit of the scale but the first, and one for the bias.
    """
    return node.scale.bit_count() * score_shape(node.score_range).width


@realises(ir.Scores, UNROLLED)
class ScoresHead(Pipeline, Realisation):
    """Exclusive-nor with constants, popcount, multiplication by a constant, bias.

    A vector every cycle; registers every ``plan.levels_per_register`` levels, and around the
    multiplication.

    Parameters
    ----------
    node : ir.Scores
    settings : NoSettings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(ArrayLayout(score_shape(node.score_range), node.out_width)))``
        Scores, in input order.
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        depth, classes = Depth(plan.levels_per_register), node.out_width
        count = Count.through(depth, node.in_width, plan.lut_size, counters=classes)
        depth.flush(classes * count.width)
        width = classes * score_shape(node.score_range).width
        depth.register(width)
        resources = Resources(count.shared(classes) + classes * scaling(node), depth.flip_flops)
        return Estimate(resources, depth.latency, 1, Beat.whole(width))

    def __init__(self, node, settings, plan, site):
        self._node, self._plan = node, plan
        layout = data.ArrayLayout(score_shape(node.score_range), node.out_width)
        super().__init__(node.in_width, layout, plan.levels_per_register,
                         self.estimate(node, settings, plan, site).latency)

    def _payload(self, stages):
        node = self._node
        count = popcount(stages, agreements(self.i.payload, node.weights), self._plan.lut_size)
        count = stages.flush(count)
        shape = self.o.payload.shape().elem_shape
        scores = [stages.wire(Cat(slice_[c] for slice_ in count) * node.scale + int(bias), shape)
                  for c, bias in enumerate(node.biases)]
        return Cat(*stages.register(scores))
