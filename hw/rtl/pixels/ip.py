"""A network that reads pictures, behind a stream of pixels."""

from amaranth.hdl import Module, Value
from amaranth.lib.wiring import connect, flipped

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.pictures import video
from bitwright.hw.plan import UNROLLED, VIDEO, Plan, PlanError
from bitwright.hw.rtl.block import Block
from bitwright.hw.rtl.parts.fifo import Fifo
from bitwright.hw.rtl.pixels.back import Back
from bitwright.hw.rtl.pixels.front import Front, frame_layout
from bitwright.hw.rtl.pixels.gate import beat_layout
from bitwright.hw.rtl.pixels.whole import WholeCore
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


class PixelIp(Block):
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
        self._read(network, plan)
        first = network.entries[0].name
        if plan.way(first) != UNROLLED:
            raise PlanError(f"Plan key 'nodes.{first}.way' must be {UNROLLED!r} where pictures "
                            f"come pixel by pixel, not {plan.way(first)!r}")
        self.encoder = Front(network, plan)
        self.video = video(network, plan)
        gap = self.encoder.gap
        self.core = (StreamCore(network, plan, gap) if streams(network, plan)
                     else WholeCore(network, plan, self.encoder.beat, gap))
        self.head = Back(network, plan)
        self._measure(network.frames, self.encoder.beat.beats, gap)
        super().__init__(network, beat_layout(8 * self.layout.beat_bytes))

    @property
    def estimates(self):
        """As of :class:`hw.rtl.ip.Ip`."""
        return self.core.estimates

    @property
    def memories(self):
        """As of :class:`hw.rtl.ip.Ip`."""
        nodes = sum((found.resources.memories for found in self.core.estimates.values()), ())
        frames = Fifo.measure(frame_layout.size, FRAMES).memories
        return {"encoder": self.encoder.memories, "core": nodes + self.core.memories,
                "other": frames}

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
        self._take(m, front)
        m.d.comb += [
            front.i.payload.start.eq(self.i.payload.start),
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
        self._fill(m, core.writes)
        return m
