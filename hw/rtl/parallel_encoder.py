"""From a sample that arrives whole to its bits: a comparator for each."""

import numpy as np
from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.parts.comparators import Comparators
from bitwright.hw.rtl.parts.features import features
from bitwright.hw.rtl.parts.stages import Depth, Stages

__all__ = ["ParallelEncoder"]


class ParallelEncoder(wiring.Component):
    """Comparison of all features of a sample at once, each with constants: a sample every cycle.

    Only bits that some node reads and that a sample can change have a comparator. Registers lie
    every ``plan.levels_per_register`` levels, and behind the last.

    A beat without ``last`` is dropped with all beats up to the next ``last``: no vector leaves, and
    ``error`` is 1 for one cycle.

    Parameters
    ----------
    modulate : ir.Modulate
        Of a single frame.
    read_mask : array of bool, shape (modulate.out_width,)
        Output bits that some node reads.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"data": features * bits, "last": 1})))``
        Samples, the first feature in the least significant bits, each in the form of the modulator.
    o : ``Out(stream.Signature(modulate.out_width))``
        Their bits.
    error : ``Out(1)``
        A sample was malformed and is dropped.

    Attributes
    ----------
    beats, interval : int
        1: beats of a sample, and cycles from one to the next.
    latency : int
        Cycles from a sample to its bits.
    stored : int
        Bits that are kept in registers.
    luts : int
        LUTs of its comparators.
    memories : tuple
        None.
    """

    beats = interval = 1
    memories = ()

    def __init__(self, modulate, read_mask, plan):
        expect("Modulate", modulate, ir.Modulate)
        expect("Plan", plan, Plan)
        if modulate.frames > 1:
            raise ValueError(f"Modulate must have 1 frame, not {modulate.frames}")
        self._modulate = modulate
        self._limit = plan.levels_per_register
        self._kept, self._ones, self._comparators = _comparators(modulate, read_mask, plan)
        self.latency = self.measure(modulate, read_mask, plan)[1].latency
        self.stored, self.luts = len(self._kept), self._comparators.luts
        beat = data.StructLayout({"data": modulate.features * modulate.bits, "last": 1})
        super().__init__({
            "i": In(stream.Signature(beat)),
            "o": Out(stream.Signature(modulate.out_width)),
            "error": Out(1),
        })

    @staticmethod
    def measure(modulate, read_mask, plan):
        """LUTs, and the :class:`Depth` of the registers, without building anything."""
        comparators = _comparators(modulate, read_mask, plan)[2]
        depth = Depth(plan.levels_per_register)
        comparators.measure(depth)
        return comparators.luts, depth

    def elaborate(self, platform):
        m = Module()
        modulate = self._modulate
        samples = stream.Signature(modulate.features * modulate.bits).create(path=("samples",))
        skip, last = Signal(), self.i.payload.last
        m.d.comb += [samples.payload.eq(self.i.payload.data),
                     samples.valid.eq(self.i.valid & last & ~skip),
                     self.i.ready.eq(skip | samples.ready)]
        step = self.i.valid & self.i.ready
        m.d.sync += self.error.eq(step & ~skip & ~last)
        with m.If(step):
            m.d.sync += skip.eq(~last)

        stages = Stages(m, samples, self._limit)
        found = self._comparators.build(stages, features(samples.payload, modulate))
        bits = [Const(int(one), 1) for one in self._ones]
        for place, bit in zip(self._kept, found, strict=True):
            bits[place] = bit
        stages.drive(self.o, Cat(bits))
        return m


def _comparators(modulate, read_mask, plan):
    """Places of the bits that are compared, bits that are always 1, and the comparators."""
    low, high = modulate.domain
    thresholds, read = modulate.thresholds[0].reshape(-1), np.asarray(read_mask, bool)
    kept = np.flatnonzero(read & (thresholds > low) & (thresholds <= high))
    wanted = [(place // modulate.depth, int(thresholds[place]) - low) for place in kept.tolist()]
    return kept.tolist(), read & (thresholds <= low), Comparators(wanted, modulate.bits,
                                                                  plan.lut_size)
