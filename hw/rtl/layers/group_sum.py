"""The head of LUT networks: a popcount a class."""

from amaranth.hdl import Cat, Const
from amaranth.lib import data

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.chains import Chains
from bitwright.hw.rtl.parts.popcount import Count, popcount
from bitwright.hw.rtl.parts.stages import Depth, Pipeline
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises
from bitwright.hw.rtl.result import score_shape

__all__ = ["GroupSumHead"]

CHAINED = 6
"""Inputs of a LUT from which on counts are carry chains, see :mod:`hw.rtl.parts.chains`."""


@realises(ir.GroupSum, UNROLLED)
class GroupSumHead(Pipeline, Realisation):
    """Popcounts of equal, contiguous groups of bits: of carry chains where LUTs have six inputs,
    else of compressors.

    A vector every cycle; registers every ``plan.levels_per_register`` levels.

    Parameters
    ----------
    node : ir.GroupSum
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
        depth, groups = Depth(plan.levels_per_register), node.out_width
        size = node.in_width // groups
        if plan.lut_size < CHAINED:
            luts = Count.through(depth, size, plan.lut_size, counters=groups).luts
        else:
            chains = Chains(size)
            chains.measure(depth, groups)
            luts = chains.luts
        depth.flush(groups * size.bit_length())
        width = groups * score_shape(node.score_range).width
        return Estimate(Resources(groups * luts, depth.flip_flops), depth.latency, 1,
                        Beat.whole(width))

    def __init__(self, node, settings, plan, site):
        self._node, self._plan = node, plan
        layout = data.ArrayLayout(score_shape(node.score_range), node.out_width)
        super().__init__(node.in_width, layout, plan.levels_per_register,
                         self.estimate(node, settings, plan, site).latency)

    def _payload(self, stages):
        groups = self._node.out_width
        size = self._node.in_width // groups
        width = self.o.payload.shape().elem_shape.width
        if self._plan.lut_size >= CHAINED:
            counts = Chains(size).build(stages, [
                list(self.i.payload[c * size : (c + 1) * size]) for c in range(groups)])
            return Cat(Cat(count, Const(0, width - len(count))) for count in stages.flush(counts))
        bits = [Cat(self.i.payload[c * size + place] for c in range(groups))
                for place in range(size)]
        count = stages.flush(popcount(stages, bits, self._plan.lut_size))
        return Cat(Cat(*(slice_[c] for slice_ in count), Const(0, width - len(count)))
                   for c in range(groups))
