"""A memory of bits that come in beats, and are looked up one by one."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.checks import expect
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.store import read_later
from bitwright.hw.rtl.realisation import Memory

__all__ = ["BitMemory"]

PORTS = 6
"""Ports that read one memory. Yosys tries all ways to share its copies among them: ten ports take
it minutes, and twelve break it. No device shares a copy among more than three."""


class BitMemory(wiring.Component):
    """Two vectors: while bits of one are looked up, the next one arrives.

    A word is a beat. Each port is a copy of the memory, unless the device has more ports; beyond
    :data:`PORTS` of them there are several memories, written alike.

    Parameters
    ----------
    beat : Beat
        How a vector comes: whole, or in beats of a power of two.
    ports : int
        Bits that are looked up in a cycle.

    Members
    -------
    i : ``In(stream.Signature(beat.bits))``
        Vectors.
    active : ``Out(1)``
        A vector is whole, and not done with.
    sources : ``In(ArrayLayout(unsigned(source_bits), ports))``
        Places of bits.
    step : ``In(1)``
        Look them up.
    final : ``In(1)``
        The vector is done with after this step.
    bits : ``Out(ports)``
        Those that were looked up in the last step.

    Attributes
    ----------
    source_bits : int
        Bits of a place.
    """

    def __init__(self, beat, ports):
        expect("Beat", beat, Beat)
        expect("Ports", ports, int)
        assert self.takes(beat), f"beats of {beat.bits} bits have no address within a source"
        self._beat, self._ports = beat, ports
        self.source_bits = max(1, (beat.width - 1).bit_length())
        super().__init__({
            "i": In(stream.Signature(beat.bits)),
            "active": Out(1),
            "sources": In(data.ArrayLayout(unsigned(self.source_bits), ports)),
            "step": In(1), "final": In(1),
            "bits": Out(ports),
        })

    @staticmethod
    def takes(beat):
        """Whether vectors can come like that: a bit's place in its beat is a part of its number."""
        return beat.beats == 1 or beat.bits & beat.bits - 1 == 0

    @staticmethod
    def memory(beat, ports):
        """The memory of such a component."""
        above = (beat.beats - 1).bit_length()
        return Memory(beat.bits, (1 << above) + beat.beats, True, ports)

    def elaborate(self, platform):
        m = Module()
        words = self._beat.beats
        inside = (self._beat.bits - 1).bit_length()  # bits of a place within a word
        above = (words - 1).bit_length()
        number, write_half, half = Signal(range(words)), Signal(), Signal()
        put, whole, done = Signal(), Signal(), Signal()
        held = Signal(range(3))  # vectors that are whole, the one that is worked on included
        m.d.comb += [
            self.i.ready.eq(held != 2),
            put.eq(self.i.valid & self.i.ready),
            whole.eq(put & (number == words - 1)),
            done.eq(self.step & self.final),
            self.active.eq(held != 0),
        ]
        m.d.sync += [held.eq(held + whole - done), half.eq(half ^ done),
                     write_half.eq(write_half ^ whole)]
        with m.If(put):
            m.d.sync += number.eq(Mux(whole, 0, number + 1))
        form = self.memory(self._beat, self._ports)
        for index, source in enumerate(self.sources):
            if index % PORTS == 0:
                store = memory.Memory(shape=form.width, depth=form.depth, init=[],
                                      attrs={"no_rw_check": 1})
                m.submodules[f"memory{index // PORTS}" if index else "memory"] = store
                port = store.write_port()
                m.d.comb += [port.addr.eq(Cat(number[:above], write_half)),
                             port.data.eq(self.i.payload), port.en.eq(put)]
            word = read_later(m, store, Cat(source[inside:][:above], half), f"word{index}",
                              self.step)
            place = Signal(range(self._beat.bits), name=f"place{index}", reset_less=True)
            with m.If(self.step):
                m.d.sync += place.eq(source)
            m.d.comb += self.bits[index].eq(word.bit_select(place, 1))
        return m
