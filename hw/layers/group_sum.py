"""The head of LUT networks: a popcount a class."""

from amaranth.hdl import Cat, Const, Module, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

import ir
from hw.layout import score_width
from hw.popcount import popcount
from hw.stages import Rehearsal, Stages

from .lower import lower

__all__ = ["GroupSumHead", "score_shape"]


def score_shape(score_range):
    """Shape of a signed number that holds every score of a range, both ends inclusive."""
    return signed(score_width(score_range))


class GroupSumHead(wiring.Component):
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

    interval = 1

    def __init__(self, node, plan):
        self._node = node
        self._plan = plan
        layout = data.ArrayLayout(score_shape(node.score_range), node.out_width)
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(layout)),
        })
        self.latency = self._build(Rehearsal()).latency

    def _build(self, m):
        groups = self._node.out_width
        size = self._node.in_width // groups
        stages = Stages(m, self.i, self._plan.levels_per_register)
        bits = [Cat(self.i.payload[c * size + place] for c in range(groups))
                for place in range(size)]
        count = stages.flush(popcount(stages, bits, self._plan.lut_size))
        width = self.o.payload.shape().elem_shape.width
        scores = Cat(Cat(*(slice_[c] for slice_ in count), Const(0, width - len(count)))
                     for c in range(groups))
        stages.drive(self.o, scores)
        return stages

    def elaborate(self, platform):
        m = Module()
        self._build(m)
        return m


@lower.register
def _(node: ir.GroupSum, plan, registered=True):
    return GroupSumHead(node, plan)
