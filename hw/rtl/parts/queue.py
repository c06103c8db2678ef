"""Results that wait to be taken."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.checks import expect
from bitwright.hw.rtl.parts.store import read_later
from bitwright.hw.rtl.realisation import Memory

__all__ = ["Queue"]


class Queue(wiring.Component):
    """First in, first out.

    A single place is a register, with latency 1, which takes one every second cycle. More are a
    memory and a register behind it, with latency 2, and take one every cycle. The caller sees to it
    that there are never more inside than places.

    Parameters
    ----------
    shape : ShapeLike
    places : int
        At least 1.

    Members
    -------
    i : ``In(stream.Signature(shape, always_ready=True))``
    o : ``Out(stream.Signature(shape))``
    """

    def __init__(self, shape, places):
        expect("Places", places, int)
        self._places = places
        super().__init__({"i": In(stream.Signature(shape, always_ready=True)),
                          "o": Out(stream.Signature(shape))})

    @staticmethod
    def memories(width, places):
        """Memories of such a component, whose shape has so many bits."""
        return (Memory(width, places - 1, True),) if places > 1 else ()

    def elaborate(self, platform):
        m = Module()
        if self._places == 1:
            with m.If(self.o.ready):
                m.d.sync += self.o.valid.eq(0)
            with m.If(self.i.valid):
                m.d.sync += [self.o.payload.eq(self.i.payload), self.o.valid.eq(1)]
            return m
        # One place is the register behind the memory; what is written can be read a cycle later.
        depth = self._places - 1
        m.submodules.memory = store = memory.Memory(
            shape=len(self.i.payload.as_value()), depth=depth, init=[], attrs={"no_rw_check": 1})
        port = store.write_port()
        level = Signal(range(depth + 1))
        put, get = Signal(range(depth)), Signal(range(depth))
        read = Signal()
        m.d.comb += [
            read.eq((level != 0) & (~self.o.valid | self.o.ready)),
            port.addr.eq(put), port.data.eq(self.i.payload.as_value()), port.en.eq(self.i.valid),
            self.o.payload.as_value().eq(read_later(m, store, get, "result", read)),
        ]
        m.d.sync += level.eq(level + self.i.valid - read)
        with m.If(self.i.valid):
            m.d.sync += put.eq(Mux(put == depth - 1, 0, put + 1))
        with m.If(read):
            m.d.sync += [get.eq(Mux(get == depth - 1, 0, get + 1)), self.o.valid.eq(1)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
