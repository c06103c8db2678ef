"""A network that reads pictures, behind a stream of pixels."""

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.folding import Folded, tables
from bitwright.hw.limits import check_widths
from bitwright.hw.pictures import video
from bitwright.hw.plan import VIDEO, Plan
from bitwright.hw.rtl.parts.fifo import Fifo
from bitwright.hw.rtl.parts.store import fill, load_signature
from bitwright.hw.rtl.pixels.back import Back
from bitwright.hw.rtl.pixels.front import Front, frame_layout
from bitwright.hw.rtl.pixels.gate import beat_layout
from bitwright.hw.rtl.pixels.whole import WholeCore
from bitwright.hw.rtl.result import result_layout
from bitwright.hw.rtl.stream_core import StreamCore, streams

__all__ = ["PixelIp", "by_pixels"]

FRAMES = 8
"""Frames on their way at most: those that have left the front whole, and are not yet at the back.
Fewer than the samples that :data:`hw.rtl.pixels.front.SAMPLES` tells apart."""


def by_pixels(network, plan):
    """Whether pictures go into the network pixel by pixel."""
    expect("Network", network, ir.Network)
    expect("Plan", plan, Plan)
    return plan.input == VIDEO or plan.early_exit or streams(network, plan)


class PixelIp(wiring.Component):
    """Front, core and back in a row, with backpressure all through.

    A picture is nowhere whole, but for a replay of frames, and where the core has no streamed node
    and collects it.

    Parameters
    ----------
    network : ir.Network
        As :func:`hw.contents.as_built` makes it.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(beat_layout(8 * layout.beat_bytes)))``
        Beats of pictures, see :class:`Gate`.
    o : ``Out(stream.Signature(result_layout(network)))``
        Decision and scores, one a sample, in order.
    error : ``Out(1)``
        As of :class:`Gate`.
    load : ``In(load_signature())``
        As of :class:`hw.rtl.ip.Ip`.

    Attributes
    ----------
    layout, tables
        As of :class:`hw.rtl.ip.Ip`.
    video : Video or None
        What it takes, if that is video.
    encoder : Front
    core : StreamCore or WholeCore
    head : Back
    latency : int
        Cycles from the first beat of a sample to its result, when the beats follow each other,
        nothing stalls and no other sample is in its way. With several frames at most, as a frame
        may begin early in the buffers of a core.
    frame_interval : int
        Cycles from a frame in the core to the next, at least.
    interval : int
        Cycles from the first beat of a sample to the first beat of the next at full speed, at most.

    Raises
    ------
    PlanError
        If a node cannot be built in the way that the plan says, or as :class:`Front` and
        :class:`Back` do.
    WidthError
        If the network is wider than Amaranth's signals can be.
    """

    def __init__(self, network, plan):
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        check_widths(network, plan)
        self._writable = tuple(entry.name for entry in network.entries
                               if entry.name in plan.writable)
        self.tables = tuple(table for name in self._writable for table in tables(
            network.entry(name).node, plan.settings(name, Folded).cycles))
        self.layout = plan.layout(network)
        self.encoder = Front(network, plan)
        self.video = video(network, plan)
        gap = self.encoder.gap
        self.core = (StreamCore(network, plan, gap) if streams(network, plan)
                     else WholeCore(network, plan, self.encoder.beat, gap))
        self.head = Back(network, plan)
        self._measure(network.frames, self.encoder.beat.beats, gap)
        members = {"i": In(stream.Signature(beat_layout(8 * self.layout.beat_bytes))),
                   "o": Out(stream.Signature(result_layout(network))), "error": Out(1)}
        if self.tables:
            members["load"] = In(load_signature())
        super().__init__(members)

    @property
    def works(self):
        """What each node does for a frame, see :attr:`Core.works`."""
        return self.core.works

    def _measure(self, frames, pixels, gap):
        """Latency and intervals."""
        beats = self.layout.result_beats
        result = self.head.interval - 1 + beats  # cycles that the back has no time for another
        self.frame_interval = max(pixels, self.core.interval, self.head.frame_interval)
        first = max(pixels * gap, self.frame_interval)
        self.interval = first + (frames - 1) * self.frame_interval + (frames > 1)
        self.interval = max(self.interval, result)
        wait = first + 1 + (frames - 2) * self.frame_interval if frames > 1 else 0
        self.latency = self.encoder.latency + wait + self.core.latency + self.head.latency

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder = front = self.encoder
        m.submodules.core = core = self.core
        m.submodules.head = back = self.head
        m.submodules.frames = frames = Fifo(frame_layout.size, FRAMES)
        size, bits = 8 * self.layout.feature_bytes, self.layout.bits
        m.d.comb += [
            front.i.payload.data.eq(Cat(self.i.payload.data[lane * size :][:bits]
                                        for lane in range(self.layout.lanes))),
            front.i.payload.last.eq(self.i.payload.last),
            front.i.payload.start.eq(self.i.payload.start),
            front.i.valid.eq(self.i.valid), self.i.ready.eq(front.i.ready),
            self.error.eq(front.error),
            frames.i.payload.eq(front.frames.payload.as_value()),
            frames.i.valid.eq(front.frames.valid), front.frames.ready.eq(frames.i.ready),
            back.frames.payload.eq(frames.o.payload), back.frames.valid.eq(frames.o.valid),
            frames.o.ready.eq(back.frames.ready),
            Value.cast(back.i.payload).eq(Value.cast(core.o.payload)),
            back.i.valid.eq(core.o.valid), core.o.ready.eq(back.i.ready),
        ]
        connect(m, front.o, core.i)
        connect(m, back.o, flipped(self.o))
        if hasattr(back, "decided"):
            m.d.comb += front.decided.eq(back.decided)
        if self.tables:
            fill(m, flipped(self.load), self.tables,
                 [ports for name in self._writable for ports in core.writes[name]])
        return m
