"""The head of XNOR networks: an affine function of an agreement count a class."""

from amaranth.hdl import Cat
from amaranth.lib import data

from bitwright import ir
from bitwright.hw.rtl.layers.xnor import agreements
from bitwright.hw.rtl.parts.popcount import popcount
from bitwright.hw.rtl.parts.stages import Pipeline
from bitwright.hw.rtl.realisation import lower
from bitwright.hw.rtl.result import score_shape

__all__ = ["ScoresHead"]


class ScoresHead(Pipeline):
    """Exclusive-nor with constants, popcount, multiplication by a constant, bias.

    A vector every cycle; registers every ``plan.levels_per_register`` levels, and around the
    multiplication.

    Parameters
    ----------
    node : ir.Scores
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(ArrayLayout(score_shape(node.score_range), node.out_width)))``
        Scores, in input order.
    """

    def __init__(self, node, plan):
        self._node = node
        layout = data.ArrayLayout(score_shape(node.score_range), node.out_width)
        super().__init__(node.in_width, layout, plan)

    def _payload(self, stages):
        node = self._node
        count = popcount(stages, agreements(self.i.payload, node.weights), self._plan.lut_size)
        count = stages.flush(count)
        shape = self.o.payload.shape().elem_shape
        scores = [stages.wire(Cat(slice_[c] for slice_ in count) * node.scale + int(bias), shape)
                  for c, bias in enumerate(node.biases)]
        return Cat(*stages.register(scores))


@lower.register
def _(node: ir.Scores, plan, registered=True):
    return ScoresHead(node, plan)
