"""Contents that are written over the link."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import crc, data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.link.payload import byte_layout
from bitwright.hw.link.protocol import DIGEST_BYTES, OFFSET_BYTES, ErrorCode

__all__ = ["Loader", "outcome_layout"]

CRC32 = crc.catalog.CRC32_ISO_HDLC

outcome_layout = data.StructLayout({"commit": 1, "error": 4, "offset": 8 * OFFSET_BYTES})
"""What became of a LOAD or a COMMIT: an error code or 0, and the bytes written since offset 0."""


class Loader(wiring.Component):
    """Follows LOAD and COMMIT requests, whose packets were right.

    From the first byte that is written until a COMMIT that fits, the contents are not complete.
    What tells so outlives a reset, as the bytes in the stores do: a reset in the middle of a load
    leaves them incomplete. The length that was written does not, so that a load begins anew.

    Parameters
    ----------
    size : int
        Bytes of the contents.
    complete : bool
        Whether the bitstream brings some along: if not, there are none until some are written.
    sealed : bool
        Whether there are COMMITs with a seal behind their digest, which someone else looks at.

    Members
    -------
    commit : ``In(1)``
        The payload is that of a COMMIT, not of a LOAD.
    i : ``In(stream.Signature(byte_layout))``
        A payload: of a LOAD an offset and at least one byte, of a COMMIT as long as it must be.
    seal : ``In(1)``
        The byte is one of a seal. Only where there are such, as the next.
    right : ``In(1)``
        With the last byte of a COMMIT: the seal fits, or there is none.
    o : ``Out(stream.Signature(byte_layout))``
        Bytes for the stores; ``last`` goes with the last one of the contents.
    begin : ``Out(1)``
        The next byte is the first of the contents, whatever came before; 1 for one cycle.
    outcome : ``Out(stream.Signature(outcome_layout))``
        One for each payload, after its last byte.
    complete : ``Out(1)``
        The contents are whole and checked.
    digest : ``Out(1)``
        The byte that is taken is one of the digest of the contents.
    place : ``Out(range(DIGEST_BYTES))``
        Which one.
    """

    def __init__(self, size, complete=True, sealed=False):
        self._size, self._complete, self._sealed = size, complete, sealed
        super().__init__({
            "commit": In(1),
            "i": In(stream.Signature(byte_layout)),
            "o": Out(stream.Signature(byte_layout)),
            "begin": Out(1),
            "outcome": Out(stream.Signature(outcome_layout)),
            "complete": Out(1),
            "digest": Out(1),
            "place": Out(range(DIGEST_BYTES)),
            **({"seal": In(1), "right": In(1)} if sealed else {}),
        })

    def elaborate(self, platform):
        m = Module()
        byte, outcome, error = self.i.payload.data, self.outcome.payload, Signal(4)
        offset = Signal(range(self._size + 1))
        whole = offset == self._size
        place = Signal(range(2 * OFFSET_BYTES))  # of a byte of the numbers, then of the digest
        incomplete = Signal(init=not self._complete, reset_less=True)
        m.submodules.crc = check = CRC32(data_width=8).create()
        m.d.comb += [
            self.complete.eq(~incomplete),
            self.place.eq(place),
            outcome.commit.eq(self.commit),
            outcome.error.eq(error),
            outcome.offset.eq(offset),
            self.o.payload.data.eq(byte),
            self.o.payload.last.eq(offset == self._size - 1),
            check.data.eq(byte),
            check.valid.eq(self.o.valid & self.o.ready),
        ]
        with m.FSM():
            with m.State("NUMBER"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    self._number(m, place, offset, whole, check, error, incomplete)
            with m.State("WRITE"):
                m.d.comb += [self.o.valid.eq(self.i.valid & ~whole),
                             self.i.ready.eq(self.o.ready | whole)]
                with m.If(self.i.valid & self.i.ready):
                    with m.If(whole):
                        m.d.sync += error.eq(ErrorCode.OFFSET)
                    with m.Else():
                        m.d.sync += offset.eq(offset + 1)
                    with m.If(self.i.payload.last):
                        m.next = "REPORT"
            with m.State("DIGEST"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.comb += self.digest.eq(~self.seal if self._sealed else 1)
                    with m.If(self.digest):
                        m.d.sync += place.eq(place + 1)
                    with m.If(self.i.payload.last):
                        m.d.sync += incomplete.eq(~self.right if self._sealed else 0)
                        m.next = "REPORT"
            with m.State("SKIP"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid & self.i.payload.last):
                    m.next = "REPORT"
            with m.State("REPORT"):
                m.d.comb += self.outcome.valid.eq(1)
                with m.If(self.outcome.ready):
                    m.d.sync += error.eq(0)
                    m.next = "NUMBER"
        return m

    def _number(self, m, place, offset, whole, check, error, incomplete):
        """Take a byte of the numbers that a payload begins with.

        The first is an offset or a length, and is compared with the bytes that were written; the
        second, of a COMMIT alone, is a CRC-32, and is compared with theirs.
        """
        byte = self.i.payload.data
        differs, nonzero = Signal(), Signal()  # bytes of the number before this one
        padding = Const(0, 8 * OFFSET_BYTES - len(offset))
        own = Cat(offset, padding, check.crc).word_select(place, 8)
        same, zero = ~differs & (byte == own), ~nonzero & (byte == 0)
        final = place[:2] == OFFSET_BYTES - 1
        m.d.sync += [place.eq(place + 1), differs.eq(~same & ~final), nonzero.eq(~zero & ~final)]
        with m.If(final & self.commit):
            with m.If(~same | ~whole):
                m.d.sync += [error.eq(ErrorCode.CHECK), place.eq(0)]
                m.next = "SKIP"
            with m.Elif(place[2]):
                m.d.sync += incomplete.eq(1)  # until the whole digest is there
                m.next = "DIGEST"
        with m.Elif(final):
            m.d.sync += place.eq(0)
            m.next = "WRITE"
            with m.If(zero):
                m.d.comb += [check.start.eq(1), self.begin.eq(1)]
                m.d.sync += [offset.eq(0), incomplete.eq(1)]
            with m.Elif(~same):
                m.d.sync += error.eq(ErrorCode.OFFSET)
                m.next = "SKIP"
