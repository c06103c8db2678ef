"""The network as a block for any design."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import connect, flipped

from bitwright.hw.contents import read_mask
from bitwright.hw.plan import PARALLEL
from bitwright.hw.rtl.beat_encoder import BeatEncoder
from bitwright.hw.rtl.block import Block
from bitwright.hw.rtl.core import Core
from bitwright.hw.rtl.encoder import Encoder
from bitwright.hw.rtl.head import Head
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.parallel_encoder import ParallelEncoder
from bitwright.hw.rtl.parts.queue import Queue
from bitwright.hw.schedule import Work

__all__ = ["Ip"]


class Ip(Block):
    """Encoder, core and head in a row.

    Backpressure does not ripple through the network. A sample enters the core only when the
    buffer behind the head has room for its result, and a frame only when every node is done with
    the one before, so the core never has to stop: its ready signals are constants and its
    registers need no enable. Only the encoder waits. Where the head reads a frame where it lies,
    the encoder keeps the frame until it is read, and the core stands still.

    Parameters
    ----------
    network : ir.Network
        As :func:`hw.contents.as_built` makes it.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"data": 8 * layout.beat_bytes, "last": 1})))``
        Beats of samples.
    o : ``Out(stream.Signature(result_layout(network)))``
        Decision and scores, one a sample, in order.
    error : ``Out(1)``
        A sample was malformed and is dropped, see :class:`hw.rtl.encoder.Encoder`.
    load : ``In(stream.Signature(StructLayout({"data": 8, "first": 1})))``
        Only if the plan lets a node be written: bytes of an image of
        :class:`hw.contents.Contents`, ``first`` with the first. Always ready; a word can be read
        two cycles after its last byte was taken. Nothing is checked, and a sample that is inside
        while an image is written gets any scores.

    Attributes
    ----------
    layout : Layout
        Bytes of both sides, in plain Python.
    tables : tuple of Table
        What can be written, in the order of the image.
    video : None
        This takes no video, see :class:`PixelIp`.
    encoder : Encoder, BeatEncoder or ParallelEncoder
    core, head : Component
    latency : int
        Cycles from the first beat of a sample to its result, when the beats follow each other,
        nothing stalls and no frame of another sample is in its way.
    frame_interval : int
        Cycles from a frame in the core to the next, at least.
    interval : int
        Cycles from the first beat of a sample to the first beat of the next, or from a result to
        the next, at full speed. A result is taken to stay for as many cycles as it has beats.
    works : tuple of Work
        What each node does for a frame.
    estimates : dict from str to Estimate
        What each node takes, but the modulator.
    memories : mapping from str to tuple of Memory
        Of each part.

    Raises
    ------
    PlanError
        If a node cannot be built in the way that the plan says. A table for a node that is not
        there is no error here: :func:`hw.contents.as_built` judges names by the frozen network.
    WidthError
        If the network is wider than Amaranth's signals can be.
    """

    video = None

    def __init__(self, network, plan):
        self._read(network, plan)
        self._frames = network.frames
        self._head = network.entries[-1].name
        first, last = network.entries[0].name, self._head
        choose(network.entries[0], plan)  # so that a way that it has not is refused
        sources = None
        if plan.way(first) == PARALLEL:
            self.encoder = ParallelEncoder(network.modulate, read_mask(network, plan), plan)
        elif BeatEncoder.serves(network, plan):
            self.encoder = BeatEncoder(network.modulate, plan)
            sources = {first: self.encoder.beat}
        else:
            self.encoder = Encoder(network.modulate, read_mask(network, plan), plan)
        self._parts = 1 if sources is None else self.encoder.beat.beats
        self.core = Core(network, plan, sources)
        self.head = Head(network, plan, self.core.beat, stays=self.core.steady)
        self.frame_interval = max(self.core.interval, self.head.interval)
        # Cycles from a frame at the core to the cycle in which it may change.
        held = self.core.latency + self.head.waits if self._holds else 0
        pace = self.encoder.interval // network.frames  # of frames in the encoder
        self.works = (Work(first, plan.way(first), pace, pace),
                      *self.core.works,
                      Work(last, plan.way(last), self.head.interval, self.head.interval))
        # The next frame is encoded while the one before is in the core, unless that must stay.
        frame = max(pace + held, self.frame_interval)
        if self._holds:
            self.frame_interval = frame
        beats = self.layout.result_beats
        self.interval = max(network.frames * frame, beats)
        # Places enough that samples at full speed never wait for each other: one is taken from
        # the entry of the first frame until the cycle after the result leaves, beat by beat. A
        # single place is a register; a queue takes a cycle more.
        behind = (held or self.core.latency) + self.head.latency
        taken = (network.frames - 1) * frame + self._parts - 1 + behind + 1 + beats
        self._places = 1 if taken <= self.interval else -(-(taken + 1) // self.interval)
        start = self.encoder.latency - (network.frames - 1) * self.encoder.beats
        self.latency = start + (network.frames - 1) * frame + behind + min(self._places, 2)
        super().__init__(network, data.StructLayout({"data": 8 * self.layout.beat_bytes,
                                                     "last": 1}))

    @property
    def estimates(self):
        return {**self.core.estimates, self._head: self.head.estimate}

    @property
    def memories(self):
        core = sum((found.resources.memories for found in self.core.estimates.values()), ())
        return {"encoder": self.encoder.memories, "core": core,
                "head": self.head.estimate.resources.memories,
                "other": Queue.memories(len(Value.cast(self.head.o.payload)), self._places)}

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder = encoder = self.encoder
        m.submodules.core = core = self.core
        m.submodules.head = head = self.head
        m.submodules.results = results = Queue(head.o.payload.shape(), self._places)
        self._take(m, encoder)

        # Places of the buffer that no sample has claimed. A sample claims one with its first
        # frame, and so none of its other frames waits.
        free = Signal(range(self._places + 1), init=self._places)
        frame = Signal(range(self._frames))
        begin, claim, leave = Signal(), Signal(), Signal()
        room = (frame != 0) | (free != 0)
        m.d.comb += [
            core.i.payload.eq(encoder.o.payload),
            claim.eq(begin & (frame == 0)),
            leave.eq(self.o.valid & self.o.ready),
            head.i.payload.eq(core.o.payload),
            head.o.ready.eq(1),
            results.i.payload.eq(head.o.payload),
            results.i.valid.eq(head.o.valid),
        ]
        m.d.sync += free.eq(free - claim + leave)
        with m.If(begin):
            m.d.sync += frame.eq(Mux(frame == self._frames - 1, 0, frame + 1))
        if self._holds:
            self._hold(m, room, begin)
        else:
            self._pass(m, room, begin)
        connect(m, results.o, flipped(self.o))
        self._fill(m, {**core.writes, self._head: head.writes})
        return m

    @property
    def _holds(self):
        """Whether a frame stays in the encoder until the head has read it, where it lies."""
        return self.head.waits is not None

    def _pass(self, m, room, begin):
        """Let frames into the core as often as it takes them."""
        encoder, core, head = self.encoder, self.core, self.head
        # Cycles until the core can take a frame.
        wait = Signal(range(self.frame_interval + head.settles),
                      init=head.settles * self.frame_interval)
        part = Signal(range(self._parts))  # beat of a frame; once it has begun, it goes on
        enter = Signal()
        m.d.comb += [
            enter.eq((part != 0) | room & (wait == 0)),
            begin.eq(encoder.o.valid & enter & (part == 0)),
            core.i.valid.eq(encoder.o.valid & enter),
            encoder.o.ready.eq(enter),
            head.i.valid.eq(core.o.valid),
        ]
        with m.If(encoder.o.valid & enter):
            m.d.sync += part.eq(Mux(part == self._parts - 1, 0, part + 1))
        with m.If(begin):
            m.d.sync += wait.eq(self.frame_interval - 1)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)

    def _hold(self, m, room, begin):
        """Let a frame pass the core once, and stay until the head takes it."""
        encoder, core, head = self.encoder, self.core, self.head
        entered, there, taken = Signal(), Signal(), Signal()
        m.d.comb += [
            begin.eq(encoder.o.valid & room & ~entered),
            core.i.valid.eq(begin),
            head.i.valid.eq(core.o.valid | there),
            taken.eq(head.i.valid & head.i.ready),
            encoder.o.ready.eq(taken),
        ]
        m.d.sync += [entered.eq((entered | begin) & ~taken),
                     there.eq(head.i.valid & ~taken)]
