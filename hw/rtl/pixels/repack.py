"""Pixels out of beats of several, or of a part of one."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.checks import expect
from bitwright.hw.rtl.pixels.gate import picture_layout

__all__ = ["Repack"]


class Repack(wiring.Component):
    """A pixel a beat, the lowest bits of what arrives first.

    Parameters
    ----------
    bits : int
        Of a beat.
    width : int
        Bits of a pixel: a divisor or a multiple of ``bits``.

    Members
    -------
    i : ``In(stream.Signature(picture_layout(bits)))``
    o : ``Out(stream.Signature(picture_layout(width)))``
        A pixel in the cycle in which the last bits of it arrive.
    """

    def __init__(self, bits, width):
        expect("Bits", bits, int)
        expect("Width", width, int)
        self._bits, self._width = bits, width
        super().__init__({"i": In(stream.Signature(picture_layout(bits))),
                          "o": Out(stream.Signature(picture_layout(width)))})

    def elaborate(self, platform):
        m = Module()
        count = max(self._bits, self._width) // min(self._bits, self._width)
        place, end = Signal(range(count)), Signal()
        m.d.comb += [end.eq(place == count - 1), self.o.payload.drop.eq(self.i.payload.drop)]
        if self._bits >= self._width:
            m.d.comb += [
                self.o.payload.data.eq(self.i.payload.data.word_select(place, self._width)),
                self.o.payload.final.eq(self.i.payload.final & end),
                self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready & end)]
            step = self.o.valid & self.o.ready
        else:
            before = Signal(self._width - self._bits, reset_less=True)
            word = Cat(before, self.i.payload.data)
            m.d.comb += [
                self.o.payload.data.eq(word), self.o.payload.final.eq(self.i.payload.final),
                self.o.valid.eq(self.i.valid & end), self.i.ready.eq(self.o.ready | ~end)]
            step = self.i.valid & self.i.ready
            with m.If(step):
                m.d.sync += before.eq(word[self._bits:])
        with m.If(step):
            m.d.sync += place.eq(Mux(end, 0, place + 1))
        return m
