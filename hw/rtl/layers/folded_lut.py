"""A layer of look-up tables, folded: sources and tables lie in memories."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.descriptors import Descriptors
from bitwright.hw.folding import Folded, tables
from bitwright.hw.plan import FOLDED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.bit_memory import BitMemory
from bitwright.hw.rtl.parts.serialiser import Serialiser
from bitwright.hw.rtl.parts.store import Store
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, logic, realises

__all__ = ["FoldedLut"]

BEAT = 16
"""Bits of the words in which a vector that comes whole goes into the memory of bits."""

BEHIND = 4
"""Cycles from the last word of sources to the last tables' outputs: bits, pattern, contents,
output."""


@realises(ir.Lut, FOLDED)
class FoldedLut(wiring.Component, Realisation):
    """Layer of truth tables, a memory word of sources a cycle.

    The input lies in a memory of bits. Each word of sources says which of them are looked up; when
    all bits of a table are there they are the address of its output among the contents. The tables
    leave a few at a time.

    Parameters
    ----------
    node : ir.Lut
    settings : Folded
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors, or of the bits of ``site.beat``.
    o : ``Out(stream.Signature(beat.bits))``
        Output vectors, in input order, in beats of the estimate.
    """

    Settings = Folded

    @classmethod
    def takes(cls, node, settings, beat):
        return BitMemory.takes(beat)

    @classmethod
    def estimate(cls, node, settings, plan, site):
        form = Descriptors.within(node, settings.cycles)
        beat, _ = _beats(node, site)
        split = cls.split(node, site)
        ports = form.lanes * form.slots
        place = (beat.bits - 1).bit_length()
        counters = 2 * form.cycles.bit_length() + 2 * beat.beats.bit_length() + 8
        luts = (ports * logic(place + (1 << place) if place < 2 else place + 3, 4)
                + form.lanes * logic(form.low + 3, 4) + 2 * counters)
        flip_flops = (form.lanes * (form.slots * form.steps + form.low + 1) + ports * place
                      + counters)
        resources = Resources(luts, flip_flops, (BitMemory.memory(beat, ports),))
        if split:
            resources += Resources(split, beat.beats * beat.bits)
        for width, depth in zip(form.widths, _depths(form), strict=True):
            resources += Store.measure(width, depth, settings.writable, settings.large)
        latency = form.cycles + BEHIND + (beat.beats if split else 0)
        return Estimate(resources, latency, max(form.cycles, beat.beats),
                        Beat(node.out_width, min(form.lanes, node.out_width)))

    @classmethod
    def split(cls, node, site):
        """LUTs that cut an input that comes whole, which are among those of an estimate: a bit is
        taken in, or moved on."""
        return node.in_width if _beats(node, site)[1] else 0

    def __init__(self, node, settings, plan, site):
        self._form = form = Descriptors.within(node, settings.cycles)
        self._writable = settings.writable
        sources, *contents = (Store(table, settings.writable, settings.large)
                              for table in tables(node, settings))
        self._sources, self._contents = sources, contents
        beat, split = _beats(node, site)
        self._split = Serialiser(beat) if split else None
        self._bits = BitMemory(beat, form.lanes * form.slots)
        super().__init__({
            "i": In(stream.Signature(node.in_width if split else beat.bits)),
            "o": Out(stream.Signature(min(form.lanes, node.out_width))),
        })

    @property
    def writes(self):
        if not self._writable:
            return ()
        return tuple((store.write,) for store in (self._sources, *self._contents))

    def elaborate(self, platform):
        m = Module()
        m.submodules.bits = bits = self._bits
        if self._split is None:
            connect(m, flipped(self.i), bits.i)
        else:
            m.submodules.split = split = self._split
            connect(m, flipped(self.i), split.i)
            connect(m, split.o, bits.i)
        run = Signal()  # nothing moves while an output waits
        m.d.comb += run.eq(~self.o.valid | self.o.ready)
        ends = self._read(m, run)
        patterns, complete = self._shift(m, run, ends)
        self._look_up(m, run, patterns, complete)
        return m

    def _read(self, m, run):
        """Go through the sources for each vector. Returns whether a step ends a group."""
        form, bits = self._form, self._bits
        m.submodules.sources = sources = self._sources
        address, step = Signal(range(form.cycles)), Signal(range(form.steps))
        next_address = Signal.like(address)
        final, ends = Signal(), Signal()
        m.d.comb += [
            bits.step.eq(bits.active & run),
            final.eq(address == form.cycles - 1),
            bits.final.eq(final),
            ends.eq(bits.step & (step == form.steps - 1)),
            # The word of the present address, since the memory answers a cycle later.
            sources.address.eq(next_address),
            next_address.eq(Mux(bits.step, Mux(final, 0, address + 1), address)),
            Value.cast(bits.sources).eq(sources.word),
        ]
        m.d.sync += address.eq(next_address)
        with m.If(bits.step):
            m.d.sync += step.eq(Mux(ends, 0, step + 1))
        return ends

    def _shift(self, m, run, ends):
        """Gather the bits of each table. Returns them, and whether they are all there."""
        form, bits = self._form, self._bits.bits
        ended, complete = Signal(), Signal()
        patterns = []
        with m.If(run):
            m.d.sync += [ended.eq(ends), complete.eq(ended)]
        for lane in range(form.lanes):
            pattern = Signal(form.steps * form.slots, name=f"pattern{lane}", reset_less=True)
            own = bits[lane * form.slots :][: form.slots]
            with m.If(run):
                m.d.sync += pattern.eq(Cat(pattern, own)[form.slots :])
            patterns.append(pattern)
        return patterns, complete

    def _look_up(self, m, run, patterns, complete):
        """Find the outputs of a group."""
        form = self._form
        group, there = Signal(range(form.groups)), Signal()
        with m.If(run):
            m.d.sync += [there.eq(complete), self.o.valid.eq(there)]
            with m.If(complete):
                m.d.sync += group.eq(Mux(group == form.groups - 1, 0, group + 1))
        for lane, (pattern, store) in enumerate(zip(patterns, self._contents, strict=True)):
            m.submodules[f"contents{lane}"] = store
            place = Signal(form.low, name=f"place{lane}", reset_less=True)
            high = pattern[form.low : form.node.fan_in]
            m.d.comb += [store.address.eq(Cat(high, group)), store.enable.eq(run)]
            with m.If(run):
                m.d.sync += place.eq(pattern)
                if lane < len(self.o.payload):
                    m.d.sync += self.o.payload[lane].eq(store.word.bit_select(place, 1))


def _beats(node, site):
    """How the input goes into the memory of bits, and whether it is cut for that."""
    if site.beat is not None:
        return site.beat, False
    return Beat(node.in_width, min(node.in_width, BEAT)), node.in_width > BEAT


def _depths(form):
    """Words of the sources, and of the contents of each lane."""
    return form.cycles, *(form.groups * form.parts,) * form.lanes
