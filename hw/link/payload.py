"""Where a payload waits until its packet was found right, and how it goes on from there."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.rtl.parts.store import one_address, read_later, rewritten

__all__ = ["BeatPacker", "PayloadBuffer", "byte_layout"]

byte_layout = data.StructLayout({"data": 8, "last": 1})
"""A byte of a payload; ``last`` goes with the last one."""


class PayloadBuffer(wiring.Component):
    """Memory for one payload. While one is handed on, what arrives is not kept.

    Parameters
    ----------
    depth : int
        Bytes that are kept, from the first of a payload.
    copies : int
        How many times a payload is handed on that is not ``single``.
    large : bool
        Whether the memory shall be one of the large ones of a device that has such, with a single
        port.

    Members
    -------
    i : ``In(stream.Signature(8, always_ready=True))``
        Bytes of a payload.
    begin : ``In(1)``
        The next byte is the first of a payload.
    whole : ``Out(1)``
        All bytes since ``begin`` are in the memory.
    count : ``Out(range(depth + 1))``
        Bytes since ``begin``.
    go : ``In(1)``
        Hand on the bytes from the first to that at place ``last``.
    last : ``In(range(depth))``
        Stays as it is until all are handed on.
    enter : ``In(1)``
        The first byte may be offered; looked at after ``go``, and not any more then.
    single : ``In(1)``
        The payload is handed on once; stays as it is until that is over.
    drop : ``In(1)``
        Offer no more of what has begun.
    o : ``Out(stream.Signature(byte_layout))``
        Bytes that are handed on, one in two cycles at most.
    """

    def __init__(self, depth, copies=1, *, large=False):
        self._depth, self._copies = depth, copies
        self._large = large
        super().__init__({
            "i": In(stream.Signature(8, always_ready=True)),
            "begin": In(1),
            "whole": Out(1),
            "count": Out(range(depth + 1)),
            "go": In(1),
            "last": In(range(depth)),
            "enter": In(1),
            "single": In(1),
            "drop": In(1),
            "o": Out(stream.Signature(byte_layout)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = ram = memory.Memory(
            shape=8, depth=self._depth, init=[], attrs=rewritten(self._large))
        writer = ram.write_port()
        occupied, missed = Signal(), Signal()
        at = Signal(range(self._depth))
        # It is never written while it is read.
        write_at, read_at = self.count, at
        if self._large:
            write_at = read_at = one_address(~occupied, self.count[:len(at)], at)
        kept = read_later(m, ram, read_at, "kept", occupied)
        full = self.count == self._depth
        copy, end, final = Signal(range(self._copies)), Signal(), Signal()
        m.d.comb += [
            writer.addr.eq(write_at),
            writer.data.eq(self.i.payload),
            writer.en.eq(self.i.valid & ~occupied & ~full),
            self.whole.eq(~missed),
            self.o.payload.data.eq(kept),
            end.eq(at == self.last),
            final.eq(self.single | (copy == self._copies - 1)),
            self.o.payload.last.eq(end & final),
        ]
        with m.If(self.begin):
            m.d.sync += [self.count.eq(0), missed.eq(0)]
        with m.Elif(self.i.valid):
            # The payload before may still be on its way out.
            m.d.sync += missed.eq(missed | occupied)
            with m.If(~full):
                m.d.sync += self.count.eq(self.count + 1)
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += [at.eq(0), copy.eq(0)]
                with m.If(self.go):
                    m.next = "WAIT"
            with m.State("WAIT"), m.If(self.enter):
                m.next = "LOOK"
            with m.State("LOOK"):
                m.next = "OFFER"
                with m.If(self.drop):
                    m.next = "IDLE"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += [at.eq(Mux(end, 0, at + 1)), copy.eq(copy + end)]
                    m.next = "LOOK"
                    with m.If(self.o.payload.last):
                        m.next = "IDLE"
                with m.If(self.drop):
                    m.next = "IDLE"
        m.d.comb += occupied.eq(~fsm.ongoing("IDLE"))
        return m


class BeatPacker(wiring.Component):
    """Beats of several bytes.

    Parameters
    ----------
    size : int
        Bytes of a beat.

    Members
    -------
    i : ``In(stream.Signature(byte_layout))``
        Bytes; ``last`` goes with the last byte of a beat.
    clear : ``In(1)``
        Forget the bytes of an unfinished beat.
    o : ``Out(stream.Signature(StructLayout({"data": 8 * size, "last": 1})))``
        Beats, the first byte lowest.
    """

    def __init__(self, size):
        self._size = size
        beat = data.StructLayout({"data": 8 * size, "last": 1})
        super().__init__({
            "i": In(stream.Signature(byte_layout)),
            "clear": In(1),
            "o": Out(stream.Signature(beat)),
        })

    def elaborate(self, platform):
        m = Module()
        size = self._size
        before = Signal(8 * (size - 1))  # the bytes of the beat but for the last
        place = Signal(range(size))
        full = place == size - 1
        m.d.comb += [
            self.o.payload.data.eq(Cat(before, self.i.payload.data)),
            self.o.payload.last.eq(self.i.payload.last),
            self.o.valid.eq(self.i.valid & full),
            self.i.ready.eq(self.o.ready | ~full),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [before.eq(Cat(before, self.i.payload.data)[8:]),
                         place.eq(place + 1)]
            with m.If(full):
                m.d.sync += place.eq(0)
        with m.If(self.clear):
            m.d.sync += place.eq(0)
        return m
