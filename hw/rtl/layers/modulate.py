"""Modulation, as a component like every other node's: the encoder that keeps every bit."""

import numpy as np

from bitwright import ir
from bitwright.hw.plan import PARALLEL, UNROLLED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.encoder import Encoder
from bitwright.hw.rtl.parallel_encoder import ParallelEncoder
from bitwright.hw.rtl.parts.store import Store
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises

__all__ = ["ModulateLayer", "ParallelModulateLayer"]


@realises(ir.Modulate, UNROLLED)
class ModulateLayer(Encoder, Realisation):
    """As :class:`Encoder`, whose latency and interval are of a sample of all its frames.

    Parameters
    ----------
    node : ir.Modulate
    settings : NoSettings
    plan : Plan
    site : Site
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        cycles = node.frames * -(-node.features // plan.lanes)
        lanes = min(plan.lanes, node.features)
        comparator = node.bits  # a LUT a bit, with the carry chain
        thresholds = Store.measure(lanes * node.depth * node.bits, cycles)
        counters = 2 * cycles.bit_length()
        resources = Resources(lanes * node.depth * comparator + 2 * counters,
                              node.out_width + counters)
        return Estimate(resources + thresholds, cycles, cycles, Beat.whole(node.out_width))

    def __init__(self, node, settings, plan, site):
        super().__init__(node, np.ones(node.out_width, bool), plan)


@realises(ir.Modulate, PARALLEL)
class ParallelModulateLayer(ParallelEncoder, Realisation):
    """As :class:`ParallelEncoder`.

    Parameters
    ----------
    node : ir.Modulate
    settings : NoSettings
    plan : Plan
    site : Site
    """

    @classmethod
    def refusal(cls, node):
        if node.frames > 1:
            return f"a single frame, and there are {node.frames}"
        return None

    @classmethod
    def estimate(cls, node, settings, plan, site):
        luts, depth = cls.measure(node, np.ones(node.out_width, bool), plan)
        return Estimate(Resources(luts, depth.flip_flops), depth.latency, 1,
                        Beat.whole(node.out_width))

    def __init__(self, node, settings, plan, site):
        super().__init__(node, np.ones(node.out_width, bool), plan)
