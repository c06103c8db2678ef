"""A network that reads whole pictures, behind a stream of pixels."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.plan import UNROLLED, Plan
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.core import Core
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.parts.queue import Queue
from bitwright.hw.rtl.realisation import Site
from bitwright.hw.schedule import Work

__all__ = ["WholeCore"]


class WholeCore(wiring.Component):
    """The bits of a picture are collected, a register each, and then enter :class:`Core`.

    Nothing waits inside the core: a picture enters when the buffer behind the head has room for its
    scores.

    Parameters
    ----------
    network : ir.Network
    plan : Plan
    beat : Beat
        How pixels come.
    gap : int
        Cycles from a pixel to the next, at least.

    Members
    -------
    i : ``In(stream.Signature(beat.bits))``
        Pixels of whole pictures.
    o : ``Out(stream.Signature(...))``
        Scores, a vector a picture, as the node of the head hands them on.

    Attributes
    ----------
    latency : int
        Cycles from the first pixel of a picture to its scores, when nothing stalls.
    interval : int
        Cycles from a picture to the next, at least.
    beats, nodes, outputs, works
        As of :class:`Core`.
    head : Component
        The score node.
    writes : mapping
        As of :class:`Core`, and those of the score node.
    """

    def __init__(self, network, plan, beat, gap):
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        expect("Beat", beat, Beat)
        self.core = Core(network, plan)
        self.beats = {**self.core.beats, network.entries[0].name: beat}
        self.nodes = self.core.nodes
        self._head = network.entries[-1].name
        self._collector = Collector.of(beat)
        entry, site = network.entries[-1], Site(beat=self.core.beat)
        choice = choose(entry, plan)
        estimate, self.head = choice.estimate(site), choice.build(site)
        self._pace = max(self.core.interval, estimate.interval)
        self._first = Work(network.entries[0].name, UNROLLED, beat.beats * gap, beat.beats)
        self._last = Work(entry.name, plan.way(entry.name), estimate.interval, estimate.interval)
        self.interval = max(beat.beats, self._pace)
        behind = self.core.latency + estimate.latency
        # A place is taken from the entry of a picture until the cycle after its scores leave.
        self._places = 1 + -(-(behind + 3) // self.interval)
        self.latency = ((beat.beats - 1) * gap + Collector.latency + behind
                        + min(self._places, 2))
        super().__init__({"i": In(stream.Signature(beat.bits)),
                          "o": Out(stream.Signature(self.head.o.payload.shape()))})

    @property
    def works(self):
        return (self._first, *self.core.works, self._last)

    @property
    def outputs(self):
        return self.core.outputs

    @property
    def writes(self):
        return {**self.core.writes, self._head: self.head.writes}

    def elaborate(self, platform):
        m = Module()
        m.submodules.collector = collector = self._collector
        m.submodules.core = core = self.core
        m.submodules.head = head = self.head
        m.submodules.scores = scores = Queue(self.o.payload.shape(), self._places)
        free = Signal(range(self._places + 1), init=self._places)
        wait, enter, claim = Signal(range(self.interval)), Signal(), Signal()
        m.d.comb += [
            collector.i.payload.as_value().eq(self.i.payload),
            collector.i.valid.eq(self.i.valid), self.i.ready.eq(collector.i.ready),
            enter.eq((free != 0) & (wait == 0)),
            collector.o.ready.eq(enter),
            claim.eq(collector.o.valid & enter),
            core.i.payload.eq(collector.o.payload.as_value()), core.i.valid.eq(claim),
            head.i.payload.eq(core.o.payload), head.i.valid.eq(core.o.valid),
            head.o.ready.eq(1),
            Value.cast(scores.i.payload).eq(Value.cast(head.o.payload)),
            scores.i.valid.eq(head.o.valid),
            Value.cast(self.o.payload).eq(Value.cast(scores.o.payload)),
            self.o.valid.eq(scores.o.valid), scores.o.ready.eq(self.o.ready),
        ]
        m.d.sync += free.eq(free - claim + (self.o.valid & self.o.ready))
        with m.If(claim):
            m.d.sync += wait.eq(self._pace - 1)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        return m
