"""From arriving features to the bits of a sample, frame after frame."""

from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.folding import Table
from bitwright.hw.limits import WIDEST, WidthError
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.parts.features import features
from bitwright.hw.rtl.parts.store import Store, read_later
from bitwright.hw.rtl.realisation import Memory

__all__ = ["Encoder"]


class Encoder(wiring.Component):
    """Comparison of features with thresholds, while the sample arrives.

    A sample is ``beats`` beats of ``plan.lanes`` features; spare lanes of the last beat are
    ignored. Each lane has ``depth`` comparators, whose thresholds come from a memory that is read
    a beat ahead, so there are as many comparators as a beat needs and not as many as a sample
    has bits. Behind each comparator is a shift register that moves only on beats whose bit some
    node reads: after a whole sample every bit is in its place, nothing else was stored, and no
    bit needed a write enable of its own. A bit that no node reads, or that no sample can change,
    is a constant.

    Frame 0 is compared while the sample arrives. With several frames the sample is also kept, and
    replayed against the other sets of thresholds while the input waits.

    A sample whose ``last`` comes early or not with its last beat is dropped whole: no vector
    leaves, ``error`` is 1 for one cycle, and the beat after the next ``last`` starts a new sample.

    Parameters
    ----------
    modulate : ir.Modulate
    read_mask : array of bool, shape (modulate.out_width,)
        Output bits that some node reads.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"data": lanes * bits, "last": 1})))``
        Features, lane 0 in the least significant bits, each in the form of the modulator.
    o : ``Out(stream.Signature(modulate.out_width))``
        Bits of frame 0 of a sample, then of frame 1, and so on.
    error : ``Out(1)``
        A sample was malformed and is dropped.

    Attributes
    ----------
    beats : int
        Beats of a sample.
    latency : int
        Cycles from the first beat of a sample to the vector of its last frame.
    interval : int
        Cycles from the first beat of a sample to the first beat of the next.
    stored : int
        Bits that are kept in registers.
    memories : tuple of Memory
        Of the thresholds, and of a sample that is compared again.
    """

    def __init__(self, modulate, read_mask, plan):
        expect("Modulate", modulate, ir.Modulate)
        expect("Plan", plan, Plan)
        self._modulate = modulate
        self._lanes = plan.lanes
        self.beats = -(-modulate.features // plan.lanes)
        self.interval = self.latency = self.beats * modulate.frames
        thresholds, (low, high) = modulate.thresholds, modulate.domain
        always, never = (thresholds <= low).all(axis=0), (thresholds > high).all(axis=0)
        shape = (modulate.features, modulate.depth)
        self._read = np.asarray(read_mask, bool).reshape(shape)
        self._ones = always & self._read
        self._kept = self._read & ~always & ~never
        self.stored = int(self._kept.sum())
        beat = data.StructLayout({"data": plan.lanes * modulate.bits, "last": 1})
        super().__init__({
            "i": In(stream.Signature(beat)),
            "o": Out(stream.Signature(modulate.out_width)),
            "error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        beats, frames = self.beats, self._modulate.frames

        beat, frame = Signal(range(beats)), Signal(range(frames))
        next_beat, next_frame = Signal.like(beat), Signal.like(frame)
        m.d.comb += [next_beat.eq(beat), next_frame.eq(frame)]
        m.d.sync += [beat.eq(next_beat), frame.eq(next_frame)]
        # Where the thresholds of the frame begin: kept, as a product would cost a multiplier.
        start = Signal(range(frames * beats))
        next_start = Signal.like(start)
        m.d.comb += next_start.eq(start)
        m.d.sync += start.eq(next_start)

        columns, primed = self._thresholds(m, next_start + next_beat)
        sample = self._replay(m, beat, next_beat, frame)

        first, final = frame == 0, beat == beats - 1
        skip, step, good = Signal(), Signal(), Signal()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += [
            self.i.ready.eq(primed & first & (skip | advance)),
            step.eq(Mux(first, self.i.valid & self.i.ready & ~skip, advance)),
            good.eq(~first | (self.i.payload.last == final)),
        ]
        m.d.sync += self.error.eq(step & ~good)
        with m.If(self.i.valid & self.i.ready):
            # A sample that is too long is over when its `last` comes.
            m.d.sync += skip.eq(~self.i.payload.last & (skip | final))
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(step):
            m.d.comb += next_beat.eq(Mux(final | ~good, 0, beat + 1))
            with m.If(final & good):
                last = frame == frames - 1
                m.d.comb += [next_frame.eq(Mux(last, 0, frame + 1)),
                             next_start.eq(Mux(last, 0, start + beats))]
                m.d.sync += self.o.valid.eq(1)

        self._chains(m, step, sample, columns)
        return m

    def _feature(self, lane):
        """Features of a lane, beat by beat."""
        return range(lane, self._modulate.features, self._lanes)

    @property
    def memories(self):
        words = self.beats * self._modulate.frames
        width = sum(isinstance(source, np.ndarray)
                    for sources in self._columns.values() for source in sources)
        found = (Memory(width, words),) if width else ()
        if self._modulate.frames > 1 and self.beats > 1:
            found += (Memory(self._lanes * self._modulate.bits, self.beats, True),)
        return found

    @cached_property
    def _columns(self):
        """Bits of the threshold of each lane and depth, lowest first, and whether the bit is kept.

        Each is a constant, or different from word to word: an array of bool, shape (words,). Absent
        where nothing is kept.
        """
        modulate, beats = self._modulate, self.beats
        low, high = modulate.domain
        found = {}
        for lane in range(min(self._lanes, modulate.features)):
            features = self._feature(lane)
            for d in range(modulate.depth):
                kept = np.zeros(beats, bool)
                kept[: len(features)] = self._kept[features, d]
                if not kept.any():
                    continue
                values = np.zeros((modulate.frames, beats), np.int64)
                values[:, : len(features)] = modulate.thresholds[:, features, d] - low
                cares = np.tile(kept, modulate.frames)
                bits = [(values.reshape(-1) >> place & 1, cares)
                        for place in range((high + 1 - low).bit_length())]
                bits.append((cares.astype(int), np.ones_like(cares)))
                sources = found[lane, d] = []
                for column, care in bits:
                    seen = set(column[care].tolist())
                    sources.append(seen.pop() if len(seen) == 1 else (column != 0) & care)
        return found

    def _thresholds(self, m, next_word):
        """Look up, for each lane and depth, the threshold and whether the bit is kept.

        Returns
        -------
        columns : dict from (lane, d) to (threshold, kept)
            As unsigned distance from the smallest feature value. Absent where nothing is kept.
        primed : Value
            Whether the values belong to the current beat, which after reset takes a cycle.
        """
        words = [source for sources in self._columns.values() for source in sources
                 if isinstance(source, np.ndarray)]
        if len(words) > WIDEST:
            raise WidthError(f"Thresholds of a beat must have at most {WIDEST:,} bits, not "
                             f"{len(words):,} ({self._lanes:,} lanes of depth "
                             f"{self._modulate.depth})")
        primed, looked_up = Const(1), iter(())
        if words:
            table = Table(len(words), tuple(ir.pack(np.stack(words, axis=1))))
            m.submodules.thresholds = store = Store(table)
            m.d.comb += store.address.eq(next_word)
            primed, looked_up = Signal(), iter(store.word)
            m.d.sync += primed.eq(1)
        resolved = {key: [next(looked_up) if isinstance(source, np.ndarray) else Const(source, 1)
                          for source in sources] for key, sources in self._columns.items()}
        return {key: (Cat(sources[:-1]), sources[-1])
                for key, sources in resolved.items()}, primed

    def _replay(self, m, beat, next_beat, frame):
        """The features to compare: those that arrive, in later frames those that were kept."""
        arriving = self.i.payload.data
        if self._modulate.frames == 1:
            return arriving
        write = (frame == 0) & self.i.valid & self.i.ready
        if self.beats == 1:
            kept = Signal.like(arriving, name="sample", reset_less=True)
            with m.If(write):
                m.d.sync += kept.eq(arriving)
        else:
            m.submodules.sample = ram = memory.Memory(shape=len(arriving), depth=self.beats,
                                                      init=[], attrs={"no_rw_check": 1})
            writer = ram.write_port()
            m.d.comb += [writer.addr.eq(beat), writer.data.eq(arriving), writer.en.eq(write)]
            # Beat 0 is read when the last beat of the sample is written, at the earliest.
            kept = read_later(m, ram, next_beat, "kept")
        return Mux(frame == 0, arriving, kept)

    def _chains(self, m, step, sample, columns):
        """Compare, and shift what is kept."""
        modulate = self._modulate
        bits = [Const(int(one), 1) for one in self._ones.reshape(-1)]
        lanes = features(sample, modulate)
        for lane, feature in enumerate(lanes[: modulate.features]):
            for d in range(modulate.depth):
                if (lane, d) not in columns:
                    continue
                threshold, kept = columns[lane, d]
                places = [i for i in self._feature(lane) if self._kept[i, d]]
                chain = Signal(len(places), name=f"chain{lane}_{d}", reset_less=True)
                with m.If(step & kept):
                    m.d.sync += chain.eq(Cat(chain[1:], feature >= threshold))
                for place, i in enumerate(places):
                    bits[i * modulate.depth + d] = chain[place]
        m.d.comb += self.o.payload.eq(Cat(bits))
