"""Beats that wait for whoever takes them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.checks import expect
from bitwright.hw.rtl.parts.store import read_later
from bitwright.hw.rtl.realisation import Memory, Resources

__all__ = ["Fifo"]

REGISTERS = 2
"""Places up to which they are registers; more are a memory and a register behind it."""


class Fifo(wiring.Component):
    """First in, first out, with a ready signal that comes from registers.

    A single place takes one every second cycle, more take one every cycle.

    Parameters
    ----------
    width : int
    places : int
        At least 1.

    Members
    -------
    i : ``In(stream.Signature(width))``
        Ready as long as fewer are inside than there are places.
    o : ``Out(stream.Signature(width))``

    Attributes
    ----------
    places : int
    """

    def __init__(self, width, places):
        expect("Width", width, int)
        expect("Places", places, int)
        self.places = places
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(width))})

    @staticmethod
    def latency(places):
        """Cycles from a beat to the same beat offered: 1, or 2 through a memory."""
        return 1 if places <= REGISTERS else 2

    @staticmethod
    def measure(width, places):
        """Resources of such a component."""
        counters = 2 * places.bit_length()
        if places <= REGISTERS:
            return Resources((places - 1) * width + counters, places * width + counters)
        counters += 2 * (places - 2).bit_length()
        return Resources(2 * counters, width + counters, (Memory(width, places - 1, True),))

    def elaborate(self, platform):
        m = Module()
        inside = Signal(range(self.places + 1))
        put, get = Signal(), Signal()
        m.d.comb += [self.i.ready.eq(inside != self.places), put.eq(self.i.valid & self.i.ready),
                     get.eq(self.o.valid & self.o.ready)]
        m.d.sync += inside.eq(inside + put - get)
        if self.places <= REGISTERS:
            self._registers(m, inside, put, get)
        else:
            self._memory(m, inside, put, get)
        return m

    def _registers(self, m, inside, put, get):
        first = Signal.like(self.i.payload, name="first", reset_less=True)
        m.d.comb += [self.o.valid.eq(inside != 0), self.o.payload.eq(first)]
        if self.places == 1:
            with m.If(put):
                m.d.sync += first.eq(self.i.payload)
            return
        second = Signal.like(self.i.payload, name="second", reset_less=True)
        with m.If(put):
            m.d.sync += second.eq(self.i.payload)
        with m.If(get | (inside == 0)):
            m.d.sync += first.eq(Mux(inside == 2, second, self.i.payload))

    def _memory(self, m, inside, put, get):
        depth = self.places - 1
        m.submodules.memory = store = memory.Memory(
            shape=len(self.i.payload), depth=depth, init=[], attrs={"no_rw_check": 1})
        port = store.write_port()
        stored = Signal(range(depth + 1))
        head, tail, read = Signal(range(depth)), Signal(range(depth)), Signal()
        m.d.comb += [
            read.eq((stored != 0) & (~self.o.valid | get)),
            port.addr.eq(head), port.data.eq(self.i.payload), port.en.eq(put),
            self.o.payload.eq(read_later(m, store, tail, "first", read)),
        ]
        m.d.sync += stored.eq(stored + put - read)
        with m.If(put):
            m.d.sync += head.eq(Mux(head == depth - 1, 0, head + 1))
        with m.If(read):
            m.d.sync += [tail.eq(Mux(tail == depth - 1, 0, tail + 1)), self.o.valid.eq(1)]
        with m.Elif(get):
            m.d.sync += self.o.valid.eq(0)
