"""A vector, a few bits at a time."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.checks import expect
from bitwright.hw.rtl.beat import Beat

__all__ = ["Serialiser"]


class Serialiser(wiring.Component):
    """Whole vectors in, beats out, one every cycle. It holds the vector that is on its way.

    Parameters
    ----------
    beat : Beat
        What the last beat has beyond the vector is 0.

    Members
    -------
    i : ``In(stream.Signature(beat.width))``
        Vectors.
    o : ``Out(stream.Signature(beat.bits))``
        Their beats, a cycle later.
    """

    latency = 1

    def __init__(self, beat):
        expect("Beat", beat, Beat)
        self._beat = beat
        super().__init__({"i": In(stream.Signature(beat.width)),
                          "o": Out(stream.Signature(beat.bits))})

    def elaborate(self, platform):
        m = Module()
        vector = Signal(self._beat.width, reset_less=True)
        left = Signal(range(self._beat.beats + 1))
        step = self.o.valid & self.o.ready
        m.d.comb += [self.o.payload.eq(vector[: self._beat.bits]), self.o.valid.eq(left != 0),
                     self.i.ready.eq((left == 0) | (step & (left == 1)))]
        with m.If(step):
            m.d.sync += [vector.eq(vector >> self._beat.bits), left.eq(left - 1)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [vector.eq(self.i.payload), left.eq(self._beat.beats)]
        return m
