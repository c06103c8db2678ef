"""Contents that come from the flash beside a device."""

import math

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import crc, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.link.payload import byte_layout
from bitwright.hw.link.protocol import COMMIT_BYTES, OFFSET_BYTES
from bitwright.hw.link.record import OFFSET, POLYNOMIAL, TAIL_BYTES, WAKE_S, half, seal

__all__ = ["FlashReader", "flash_signature"]

WAKE, READ = 0xAB, 0x03
"""Commands: leave the deep sleep that an iCE40 sends its flash into; read from an address on."""


def flash_signature():
    """Wires to a flash, as seen from the device. ``cs`` is 1 where the flash is spoken to."""
    return wiring.Signature({"cs": Out(1), "clk": Out(1), "copi": Out(1), "cipo": In(1)})


class FlashReader(wiring.Component):
    """Reads a record (:mod:`hw.link.record`) once after a reset, and feeds the loader with it.

    The loader gets the same two payloads as from a host: a LOAD from offset 0 on, then a COMMIT,
    behind which the seal follows. Where the contents are complete already, for a reset leaves them,
    nothing is read.

    SPI mode 0; the clock stands still, and the flash is left alone, when all is over.

    Parameters
    ----------
    structure : bytes
        Eight bytes that the seal begins with.
    clock_hz : float
        Of the ``sync`` domain.

    Members
    -------
    pins : ``Out(flash_signature())``
    busy : ``Out(1)``
        The loader is this one's, until the contents are complete or are found wrong.
    complete : ``In(1)``
        The contents are complete.
    o : ``Out(stream.Signature(byte_layout))``
        Payloads. A byte in 16 cycles at most, and it does not wait: the loader always takes it.
    final : ``In(1)``
        The next byte of a LOAD is the last one of the contents.
    commit : ``Out(1)``
        The payload is that of a COMMIT.
    seal : ``Out(1)``
        The byte is one of the seal.
    right : ``Out(1)``
        With the last byte of the seal: it fits.
    over : ``In(1)``
        The loader is done with a payload.
    """

    def __init__(self, structure, clock_hz):
        self._half = half(clock_hz)
        self._rest = math.ceil(WAKE_S * clock_hz / (16 * self._half))  # in bytes
        self._crc = crc.Algorithm(crc_width=32, polynomial=POLYNOMIAL, initial_crc=seal(structure),
                                  reflect_input=False, reflect_output=False, xor_output=0)
        super().__init__({
            "pins": Out(flash_signature()),
            "busy": Out(1),
            "complete": In(1),
            "o": Out(stream.Signature(byte_layout)),
            "final": In(1),
            "commit": Out(1),
            "seal": Out(1),
            "right": Out(1),
            "over": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = check = self._crc(data_width=1).create()
        bits, sample, on = Signal(8), Signal(), Signal()
        rise, end = self._shift(m, bits, sample, on)
        byte = Cat(sample, bits[:7])
        count = Signal(range(max(self._rest, TAIL_BYTES)))
        address = Array(Const(byte, 8) for byte in OFFSET.to_bytes(OFFSET_BYTES - 1, "big") + b"\0")
        m.d.comb += [self.o.payload.data.eq(byte), self.busy.eq(1), on.eq(1),
                     check.data.eq(self.pins.cipo), self.right.eq(check.crc == 0)]
        with m.FSM():
            with m.State("START"):
                m.d.comb += on.eq(0)
                m.d.sync += [bits.eq(WAKE), self.pins.cs.eq(~self.complete)]
                m.next = "WAKE"
                with m.If(self.complete):
                    m.next = "DONE"
            with m.State("WAKE"), m.If(end):
                m.d.sync += [self.pins.cs.eq(0), count.eq(self._rest - 1)]
                m.next = "REST"
            with m.State("REST"), m.If(end):
                m.d.sync += count.eq(count - 1)
                with m.If(count == 0):
                    m.d.sync += [self.pins.cs.eq(1), bits.eq(READ), count.eq(0)]
                    m.next = "READ"
            with m.State("READ"):  # as many bytes as the offset of a LOAD, which is 0
                m.d.comb += [check.start.eq(1), self.o.valid.eq(end), self.o.payload.data.eq(0)]
                with m.If(end):
                    m.d.sync += [count.eq(count + 1), bits.eq(address[count[:2]])]
                    with m.If(count == OFFSET_BYTES - 1):
                        m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += [check.valid.eq(rise), self.o.valid.eq(end),
                             self.o.payload.last.eq(self.final)]
                with m.If(end & self.final):
                    m.d.sync += count.eq(0)
                    m.next = "COMMIT"
            with m.State("COMMIT"):
                m.d.comb += [check.valid.eq(rise), self.o.valid.eq(end), self.commit.eq(1),
                             self.seal.eq(count >= COMMIT_BYTES),
                             self.o.payload.last.eq(count == TAIL_BYTES - 1)]
                with m.If(end):
                    m.d.sync += count.eq(count + 1)
                    with m.If(self.o.payload.last):
                        m.d.sync += self.pins.cs.eq(0)
                        m.next = "END"
            with m.State("END"):
                m.d.comb += on.eq(0)
                with m.If(self.over):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += [on.eq(0), self.busy.eq(0)]
        return m

    def _shift(self, m, bits, sample, on):
        """Send and receive. Returns whether the clock rises now, and whether a byte ends."""
        clk, number, edge = self.pins.clk, Signal(range(8)), Signal()
        rise, fall = edge & ~clk, edge & clk
        m.d.comb += [edge.eq(on), self.pins.copi.eq(bits[7])]
        if self._half > 1:
            timer = Signal(range(self._half))
            m.d.comb += edge.eq(on & (timer == self._half - 1))
            with m.If(on):
                m.d.sync += timer.eq(timer + 1)
            with m.If(edge):
                m.d.sync += timer.eq(0)
        with m.If(edge):
            m.d.sync += clk.eq(~clk)
        with m.If(rise):
            m.d.sync += sample.eq(self.pins.cipo)
        with m.If(fall):  # a state that sends another byte says so behind this
            m.d.sync += [bits.eq(Cat(sample, bits)), number.eq(number + 1)]
        return rise, fall & (number == 7)
