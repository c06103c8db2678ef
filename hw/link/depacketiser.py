"""Packets in a stream of bytes, each with a verdict."""

import contextlib

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import crc, data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.link import protocol
from bitwright.hw.link.protocol import ErrorCode

__all__ = ["CRC", "Depacketiser", "packet_layout"]

CRC = crc.catalog.CRC16_IBM_3740

packet_layout = data.StructLayout({"type": 8, "sequence": 8, "error": 3})
"""A packet that is over. ``error`` is 0 if all of it is right, else one of CRC, LENGTH, TYPE,
FRAMING and TIMEOUT; the rest is as it was received, and ``sequence`` is 0 if none was."""


class Depacketiser(wiring.Component):
    """Finds packets, and judges each when it is over. See docs/link.md for each kind of damage.

    Parameters
    ----------
    lengths : dict from int to (int, int)
        Types that there are, and the fewest and the most bytes of their payloads.
    timeout : int
        Cycles of silence that end an unfinished packet.

    Members
    -------
    i : ``In(stream.Signature(8, always_ready=True))``
        Bytes.
    error : ``In(1)``
        A byte was damaged; comes in its place.
    payload : ``Out(stream.Signature(8, always_ready=True))``
        Bytes of the payload as they come, before anything is known of them.
    begin : ``Out(1)``
        No packet is under way: the next payload is that of another.
    packets : ``Out(stream.Signature(packet_layout, always_ready=True))``
        Packets that are over. The payload has been there.
    """

    def __init__(self, lengths, timeout):
        self._lengths = lengths
        self._timeout = timeout
        super().__init__({
            "i": In(stream.Signature(8, always_ready=True)),
            "error": In(1),
            "payload": Out(stream.Signature(8, always_ready=True)),
            "begin": Out(1),
            "packets": Out(stream.Signature(packet_layout, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        byte, received, packet = self.i.payload, self.i.valid, self.packets.payload
        type_, sequence, left = Signal(8), Signal(8), Signal(16)
        known, fitting = Signal(), Signal()
        m.submodules.crc = check = CRC(data_width=8).create()
        m.d.comb += [check.data.eq(byte), check.valid.eq(received), self.payload.payload.eq(byte),
                     packet.type.eq(type_), packet.sequence.eq(sequence)]
        silent = self._silence(m)
        code = Signal(3)

        @contextlib.contextmanager
        def receiving(state):
            """A state inside a packet, which ends by the next byte, by damage or by silence."""
            with m.State(state):
                with m.If(self.error):
                    m.d.sync += code.eq(ErrorCode.FRAMING)
                    m.next = "DRAIN"
                with m.Elif(silent):
                    m.d.comb += [self.packets.valid.eq(1), packet.error.eq(ErrorCode.TIMEOUT)]
                    m.next = "HUNT"
                with m.Elif(received):
                    yield

        with m.FSM():
            self._hunt(m, silent, [sequence, known, fitting])
            with receiving("TYPE"):
                m.d.comb += check.start.eq(1)
                m.d.sync += type_.eq(byte)
                m.next = "SEQUENCE"
            with receiving("SEQUENCE"):
                m.d.sync += sequence.eq(byte)
                m.next = "LENGTH0"
            with receiving("LENGTH0"):
                m.d.sync += left[:8].eq(byte)
                m.next = "LENGTH1"
            with receiving("LENGTH1"):
                length = Cat(left[:8], byte)
                m.d.sync += left.eq(length)
                self._fit(m, type_, length, known, fitting)
                m.next = "PAYLOAD"
                with m.If(length == 0):
                    m.next = "CRC0"
            with receiving("PAYLOAD"):
                m.d.comb += self.payload.valid.eq(1)
                m.d.sync += left.eq(left - 1)
                with m.If(left == 1):
                    m.next = "CRC0"
            with receiving("CRC0"):
                m.next = "CRC1"
            with receiving("CRC1"):
                m.next = "JUDGE"
            self._judge(m, silent, check.match_detected, known, fitting, code)
        return m

    def _silence(self, m):
        """Whether nothing was heard for as long as the timeout."""
        silence = Signal(range(self._timeout + 1))
        silent = silence == self._timeout
        with m.If(self.i.valid | self.error):
            m.d.sync += silence.eq(0)
        with m.Elif(~silent):
            m.d.sync += silence.eq(silence + 1)
        return silent

    def _hunt(self, m, silent, stale):
        """States until the two synchronisation bytes were seen. Clears what is ``stale`` then."""
        byte, received = self.i.payload, self.i.valid
        with m.State("HUNT"):
            m.d.comb += self.begin.eq(1)
            m.d.sync += [signal.eq(0) for signal in stale]
            with m.If(received & (byte == protocol.SYNC_REQUEST[0])):
                m.next = "SYNC"
        with m.State("SYNC"):
            with m.If(self.error | silent):
                m.next = "HUNT"
            with m.Elif(received & (byte == protocol.SYNC_REQUEST[1])):
                m.next = "TYPE"
            with m.Elif(received & (byte != protocol.SYNC_REQUEST[0])):
                m.next = "HUNT"

    def _fit(self, m, type_, length, known, fitting):
        """Note whether there is such a type, and whether it asks for that length."""
        for one, (fewest, most) in self._lengths.items():
            inside = (length == most if fewest == most
                      else (length >= fewest) & (length <= most))
            with m.If(type_ == one):
                m.d.sync += [known.eq(1), fitting.eq(inside)]

    def _judge(self, m, silent, right, known, fitting, code):
        """States after the CRC."""
        with m.State("JUDGE"):
            m.d.comb += [self.packets.valid.eq(fitting),
                         self.packets.payload.error.eq(Mux(right, 0, ErrorCode.CRC))]
            m.d.sync += code.eq(Mux(~right, ErrorCode.CRC,
                                    Mux(known, ErrorCode.LENGTH, ErrorCode.TYPE)))
            # Where the type asks for another length, the end of the packet is in doubt.
            m.next = "DRAIN"
            with m.If(fitting):
                m.next = "HUNT"
        with m.State("DRAIN"), m.If(silent):
            m.d.comb += [self.packets.valid.eq(1), self.packets.payload.error.eq(code)]
            m.next = "HUNT"
