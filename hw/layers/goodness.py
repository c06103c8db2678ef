"""The head of forward-forward networks: one popcount over everything that it reads."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

import ir
from hw.popcount import popcount
from hw.stages import Rehearsal, Stages

from .group_sum import score_shape
from .lower import lower

__all__ = ["GoodnessHead"]


class GoodnessHead(wiring.Component):
    """Popcount of the input bits, one score.

    A vector every cycle; registers every ``plan.levels_per_register`` levels.

    Parameters
    ----------
    node : ir.Goodness
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(ArrayLayout(score_shape(node.score_range), 1)))``
        Scores, in input order.
    """

    interval = 1

    def __init__(self, node, plan):
        self._plan = plan
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(data.ArrayLayout(score_shape(node.score_range), 1))),
        })
        self.latency = self._build(Rehearsal()).latency

    def _build(self, m):
        stages = Stages(m, self.i, self._plan.levels_per_register)
        count = stages.flush(popcount(stages, list(self.i.payload), self._plan.lut_size))
        width = self.o.payload.shape().elem_shape.width
        stages.drive(self.o, Cat(*count, Const(0, width - len(count))))
        return stages

    def elaborate(self, platform):
        m = Module()
        self._build(m)
        return m


@lower.register
def _(node: ir.Goodness, plan, registered=True):
    return GoodnessHead(node, plan)
