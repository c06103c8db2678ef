"""From arriving pixels to their bits, a pixel a beat: no picture is held."""

import numpy as np
from amaranth.hdl import Cat, Const, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.pictures import Shape
from bitwright.hw.rtl.parts.features import features
from bitwright.hw.rtl.pixels.gate import pixel_layout
from bitwright.hw.rtl.pixels.thresholds import Thresholds

__all__ = ["PixelEncoder"]


class PixelEncoder(wiring.Component):
    """Comparison of the features of a pixel with their thresholds, a pixel every cycle.

    As many comparators as a pixel has bits that some node reads, and one register behind them. What
    the thresholds take, :class:`Thresholds` says.

    Parameters
    ----------
    modulate : ir.Modulate
    shape : Shape
    read_mask : array of bool, shape (modulate.out_width,)
        Output bits that some node reads. Bit ``c`` of a pixel is 0 where no node reads it of any
        pixel.

    Members
    -------
    i : ``In(stream.Signature(pixel_layout(shape.colours * modulate.bits)))``
        Features of a pixel, colour 0 in the least significant bits. Only whole pictures.
    o : ``Out(stream.Signature(pixel_layout(shape.colours * modulate.depth)))``
        Its bits: bit ``c * depth + d`` is that of threshold ``d`` of colour ``c``.

    Attributes
    ----------
    latency : int
        Cycles from a pixel to its bits: 1.
    """

    latency = 1

    def __init__(self, modulate, shape, read_mask):
        expect("Modulate", modulate, ir.Modulate)
        expect("Shape", shape, Shape)
        self._modulate, self._colours = modulate, shape.colours
        self._kept = np.asarray(read_mask, bool).reshape(shape.pixels, -1).any(axis=0)
        self.thresholds = Thresholds(modulate, shape.colours, self._kept)
        super().__init__({
            "i": In(stream.Signature(pixel_layout(shape.colours * modulate.bits))),
            "o": Out(stream.Signature(pixel_layout(shape.colours * modulate.depth))),
        })

    def elaborate(self, platform):
        m = Module()
        modulate = self._modulate
        m.submodules.thresholds = thresholds = self.thresholds
        free = ~self.o.valid | self.o.ready
        m.d.comb += [
            self.i.ready.eq(free & thresholds.primed),
            thresholds.step.eq(self.i.valid & self.i.ready),
            thresholds.final.eq(self.i.payload.final),
            thresholds.last.eq(self.i.payload.last),
        ]
        with m.If(free):
            m.d.sync += self.o.valid.eq(thresholds.step)
        with m.If(thresholds.step):
            m.d.sync += [self.o.payload.data.eq(Cat(self._bits(modulate))),
                         *(self.o.payload[mark].eq(self.i.payload[mark])
                           for mark in ("final", "last", "drop"))]
        return m

    def _bits(self, modulate):
        """The comparisons of a pixel."""
        colours = features(self.i.payload.data, modulate)
        for place, kept in enumerate(self._kept.tolist()):
            yield (colours[place // modulate.depth] >= self.thresholds.o[place] if kept
                   else Const(0, 1))
