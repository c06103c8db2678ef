"""A network that reads pictures, behind a stream of pixels."""

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.layout import Layout
from bitwright.hw.limits import check_widths
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.pixels.back import Back
from bitwright.hw.rtl.pixels.front import Front, frame_layout
from bitwright.hw.rtl.pixels.gate import beat_layout
from bitwright.hw.rtl.pixels.whole import WholeCore
from bitwright.hw.rtl.result import result_layout

__all__ = ["PixelIp"]

FRAMES = 8
"""Frames that are on their way at most: those that have left the front whole, and not yet reached
the back. Fewer than the samples that :data:`hw.rtl.pixels.front.SAMPLES` tells apart."""


class PixelIp(wiring.Component):
    """Front, core and back in a row, with backpressure all through.

    Parameters
    ----------
    network : ir.Network
        As :func:`hw.contents.as_built` makes it.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(beat_layout(8 * layout.beat_bytes)))``
        Beats of pictures.
    o : ``Out(stream.Signature(result_layout(network)))``
        Decision and scores, one a sample, in order.
    error : ``Out(1)``
        See :class:`Gate`.

    Attributes
    ----------
    layout : Layout
    front, core, back : Component
    """

    def __init__(self, network, plan):
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        check_widths(network, plan)
        self.layout = Layout.of(network, plan.lanes, plan.result_beat_bytes)
        self.front = Front(network, plan)
        self.core = WholeCore(network, plan, len(self.front.o.payload))
        self.back = Back(network, plan)
        super().__init__({
            "i": In(stream.Signature(beat_layout(8 * self.layout.beat_bytes))),
            "o": Out(stream.Signature(result_layout(network))),
            "error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.front = front = self.front
        m.submodules.core = core = self.core
        m.submodules.back = back = self.back
        m.submodules.frames = frames = fifo.SyncFIFOBuffered(width=frame_layout.size, depth=FRAMES)
        size, bits = 8 * self.layout.feature_bytes, self.layout.bits
        m.d.comb += [
            front.i.payload.data.eq(Cat(self.i.payload.data[lane * size :][:bits]
                                        for lane in range(self.layout.lanes))),
            front.i.payload.last.eq(self.i.payload.last),
            front.i.payload.start.eq(self.i.payload.start),
            front.i.valid.eq(self.i.valid), self.i.ready.eq(front.i.ready),
            self.error.eq(front.error),
            Value.cast(back.i.payload).eq(Value.cast(core.o.payload)),
            back.i.valid.eq(core.o.valid), core.o.ready.eq(back.i.ready),
            frames.w_data.eq(front.frames.payload), frames.w_en.eq(front.frames.valid),
            front.frames.ready.eq(frames.w_rdy),
            back.frames.payload.eq(frames.r_data), back.frames.valid.eq(frames.r_rdy),
            frames.r_en.eq(back.frames.ready & frames.r_rdy),
        ]
        connect(m, front.o, core.i)
        connect(m, back.o, flipped(self.o))
        if hasattr(front, "decided"):
            m.d.comb += front.decided.eq(back.decided)
        return m
