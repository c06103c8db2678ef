"""A network that reads whole pictures, behind a stream of pixels."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.plan import UNROLLED, Plan
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.core import Core
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.parts.queue import Queue
from bitwright.hw.rtl.scoring import Scoring
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
        self._collector = Collector.of(beat)
        self._scoring = Scoring(self.core, network.entries[-1], plan)
        self.head = self._scoring.head
        self._first = Work(network.entries[0].name, UNROLLED, beat.beats * gap, beat.beats)
        self.interval = max(beat.beats, self._scoring.pace)
        self._places, through = self._scoring.buffered(self.interval)
        self.latency = ((beat.beats - 1) * gap + Collector.latency + self._scoring.latency
                        + through)
        super().__init__({"i": In(stream.Signature(beat.bits)),
                          "o": Out(stream.Signature(self.head.o.payload.shape()))})

    @property
    def estimates(self):
        """What each node takes, that of the head too."""
        return {**self.core.estimates, self._scoring.work.node: self._scoring.estimate}

    @property
    def sites(self):
        """As of :class:`Core`."""
        return self.core.sites

    @property
    def memories(self):
        """Those of the buffer behind the head."""
        return Queue.memories(len(Value.cast(self.o.payload)), self._places)

    @property
    def works(self):
        return (self._first, *self.core.works, self._scoring.work)

    @property
    def outputs(self):
        return self.core.outputs

    @property
    def writes(self):
        return self._scoring.writes

    def elaborate(self, platform):
        m = Module()
        m.submodules.collector = collector = self._collector
        m.submodules.core = core = self.core
        m.submodules.head = self.head
        claim = Signal()
        m.submodules.scores, enter = self._scoring.drive(m, self.o, self._places, claim)
        m.d.comb += [
            collector.i.payload.as_value().eq(self.i.payload),
            collector.i.valid.eq(self.i.valid), self.i.ready.eq(collector.i.ready),
            collector.o.ready.eq(enter),
            claim.eq(collector.o.valid & enter),
            core.i.payload.eq(collector.o.payload.as_value()), core.i.valid.eq(claim),
        ]
        return m
