"""The head of LUT networks: a popcount a class."""

from amaranth.hdl import Cat, Const
from amaranth.lib import data

from bitwright import ir
from bitwright.hw.rtl.parts.popcount import popcount
from bitwright.hw.rtl.parts.stages import Pipeline
from bitwright.hw.rtl.realisation import lower
from bitwright.hw.rtl.result import score_shape

__all__ = ["GroupSumHead"]


class GroupSumHead(Pipeline):
    """Popcounts of equal, contiguous groups of bits.

    A vector every cycle; registers every ``plan.levels_per_register`` levels.

    Parameters
    ----------
    node : ir.GroupSum
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
        groups = self._node.out_width
        size = self._node.in_width // groups
        bits = [Cat(self.i.payload[c * size + place] for c in range(groups))
                for place in range(size)]
        count = stages.flush(popcount(stages, bits, self._plan.lut_size))
        width = self.o.payload.shape().elem_shape.width
        return Cat(Cat(*(slice_[c] for slice_ in count), Const(0, width - len(count)))
                   for c in range(groups))


@lower.register
def _(node: ir.GroupSum, plan, registered=True):
    return GroupSumHead(node, plan)
