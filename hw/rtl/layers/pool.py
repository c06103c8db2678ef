"""Neighbouring pixels made one, unrolled."""

from functools import reduce
from operator import and_, or_

from amaranth.hdl import Cat, Const

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.popcount import Count, at_least, comparison_levels, popcount
from bitwright.hw.rtl.parts.stages import Depth, Pipeline
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises

__all__ = ["PoolLayer"]


@realises(ir.Pool, UNROLLED)
class PoolLayer(Pipeline, Realisation):
    """The function of every position and channel at once.

    A vector every cycle; registers every ``plan.levels_per_register`` levels.

    Parameters
    ----------
    node : ir.Pool
    settings : NoSettings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Images.
    o : ``Out(stream.Signature(node.out_width))``
        Output images, in input order.
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        depth, bits, luts = Depth(plan.levels_per_register), node.out_width, 0
        if node.function == "majority":
            count = Count.through(depth, node.window.pixels, plan.lut_size, counters=bits)
            levels = comparison_levels(count.width)
            depth.before(bits * count.width, levels)
            luts = bits * (count.luts + levels)
        else:
            left = node.window.pixels
            while left > 1:
                depth.before(bits * left)
                left = -(-left // plan.lut_size)
                luts += bits * left
        depth.register(bits)
        return Estimate(Resources(luts, depth.flip_flops), depth.latency, 1, Beat.whole(bits))

    def __init__(self, node, settings, plan, site):
        self._node, self._plan = node, plan
        super().__init__(node.in_width, node.out_width, plan.levels_per_register,
                         self.estimate(node, settings, plan, site).latency)

    def _payload(self, stages):
        bits = [*self.i.payload, Const(0, 1), Const(1, 1)]
        node, size = self._node, self._plan.lut_size
        index = node.window.index.reshape(node.window.positions, -1, node.channels)
        # A slice for each pixel of the window, of all positions and channels.
        slices = [Cat(bits[source] for source in index[:, place].reshape(-1).tolist())
                  for place in range(index.shape[1])]
        if node.function == "majority":
            count = popcount(stages, slices, size)
            count = stages.before(count, comparison_levels(len(count)))
            slices = [at_least(stages, count, [node.least] * node.out_width)]
        function = or_ if node.function == "or" else and_
        while len(slices) > 1:
            slices = stages.before(slices)
            slices = [stages.wire(reduce(function, slices[start : start + size]))
                      for start in range(0, len(slices), size)]
        (outputs,) = stages.register(slices)
        return outputs
