"""From arriving features to the bits of a sample, a few at a time."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.plan import FOLDED, Plan
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.features import features
from bitwright.hw.rtl.parts.store import read_later
from bitwright.hw.rtl.pixels.thresholds import Thresholds
from bitwright.hw.rtl.realisation import Memory

__all__ = ["BeatEncoder"]


class BeatEncoder(wiring.Component):
    """Comparison of features with thresholds, while the sample arrives; the bits wait in a memory.

    As :class:`hw.rtl.encoder.Encoder` of a single frame, but that the bits of a sample, which may
    be thousands, are in no register: they leave as beats, once the sample is there whole, for who
    takes them like that.

    Parameters
    ----------
    modulate : ir.Modulate
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"data": lanes * bits, "last": 1})))``
        Features, lane 0 in the least significant bits, each in the form of the modulator.
    o : ``Out(stream.Signature(beat.bits))``
        Bits of a sample.
    error : ``Out(1)``
        A sample was malformed and is dropped.

    Attributes
    ----------
    beat : Beat
        How they leave.
    beats : int
        Beats of a sample.
    latency : int
        Cycles from the first beat of a sample to the last beat of its bits.
    interval : int
        Cycles from the first beat of a sample to the first beat of the next.
    memories : tuple of Memory
        Of the thresholds, and of the bits that wait.
    """

    def __init__(self, modulate, plan):
        expect("Modulate", modulate, ir.Modulate)
        expect("Plan", plan, Plan)
        self._modulate, self._lanes = modulate, plan.lanes
        word = plan.lanes * modulate.depth
        # The largest power of two that goes into it.
        self.beat = Beat(modulate.out_width, word & -word)
        self.beats = modulate.features // plan.lanes
        self.latency = self.beats + self.beat.beats
        self.interval = self.latency + 1
        self._thresholds = Thresholds(modulate, plan.lanes, [True] * word)
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({"data": plan.lanes * modulate.bits,
                                                        "last": 1}))),
            "o": Out(stream.Signature(self.beat.bits)),
            "error": Out(1),
        })

    @property
    def memories(self):
        bits = Memory(self._lanes * self._modulate.depth, self.beats, True)
        return (*self._thresholds.memories, bits)

    @staticmethod
    def serves(network, plan):
        """Whether it does for a network: only folded tables read a single frame of whole beats."""
        modulate, first = network.modulate, network.entries[0].name
        readers = [entry for entry in network.entries[1:] if first in entry.inputs]
        return (modulate.frames == 1 and modulate.features % plan.lanes == 0 and all(
            isinstance(entry.node, ir.Lut) and len(entry.inputs) == 1
            and plan.way(entry.name) == FOLDED for entry in readers))

    def elaborate(self, platform):
        m = Module()
        m.submodules.thresholds = thresholds = self._thresholds
        beat, final, bad = Signal(range(self.beats)), Signal(), Signal()
        skip, step, whole = Signal(), Signal(), Signal()
        m.d.comb += [
            final.eq(beat == self.beats - 1),
            self.i.ready.eq(thresholds.primed & ~whole),
            step.eq(self.i.valid & self.i.ready & ~skip),
            bad.eq(self.i.payload.last != final),
            thresholds.step.eq(step),
            thresholds.final.eq(final | bad), thresholds.last.eq(1),
        ]
        m.d.sync += self.error.eq(step & bad)
        with m.If(self.i.valid & self.i.ready):
            # A sample that is too long is over when its `last` comes.
            m.d.sync += skip.eq(~self.i.payload.last & (skip | final))
        with m.If(step):
            m.d.sync += [beat.eq(Mux(final | bad, 0, beat + 1)), whole.eq(final & ~bad)]
        self._hand_on(m, step, beat, whole)
        return m

    def _hand_on(self, m, step, beat, whole):
        """Keep the bits, and offer those of a sample that is whole."""
        word = self._lanes * self._modulate.depth
        parts = word // self.beat.bits
        m.submodules.bits = store = memory.Memory(shape=word, depth=self.beats, init=[],
                                                  attrs={"no_rw_check": 1})
        port = store.write_port()
        m.d.comb += [port.addr.eq(beat), port.en.eq(step), port.data.eq(Cat(self._bits()))]
        at, part = Signal.like(beat), Signal(range(parts))
        next_at = Signal.like(at)
        taken, end, last = Signal(), Signal(), Signal()
        kept = read_later(m, store, next_at, "kept")
        m.d.comb += [
            taken.eq(self.o.valid & self.o.ready),
            end.eq(taken & (part == parts - 1)),
            last.eq(end & (at == self.beats - 1)),
            next_at.eq(Mux(end, Mux(last, 0, at + 1), at)),
            self.o.payload.eq(kept.word_select(part, self.beat.bits)),
        ]
        # The memory answers a cycle later, and the last word may just have been written.
        m.d.sync += [at.eq(next_at), self.o.valid.eq(whole & ~last)]
        with m.If(taken):
            m.d.sync += part.eq(Mux(end, 0, part + 1))
        with m.If(last):
            m.d.sync += whole.eq(0)

    def _bits(self):
        """The comparisons of a beat."""
        lanes = features(self.i.payload.data, self._modulate)
        for place, threshold in enumerate(self._thresholds.o):
            yield lanes[place // self._modulate.depth] >= threshold
