"""From replies that are owed to bytes."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.link import protocol as frames
from bitwright.hw.link.receiver import CRC, IDENTIFY, RESULT, job_layout

__all__ = ["ReplySender"]


class ReplySender(wiring.Component):
    """Replies, one after the other. A result is awaited where one is owed.

    Parameters
    ----------
    layout : Layout
    identity : bytes
        Answer to the question who this is.

    Members
    -------
    jobs : ``In(stream.Signature(job_layout))``
        Replies owed.
    results : ``In(stream.Signature(8 * layout.result_bytes))``
        Results, in the order of their jobs, as bytes from the lowest.
    o : ``Out(stream.Signature(8))``
        Bytes.
    """

    def __init__(self, layout, identity):
        self._layout = layout
        self._identity = identity
        super().__init__({
            "jobs": In(stream.Signature(job_layout)),
            "results": In(stream.Signature(8 * layout.result_bytes)),
            "o": Out(stream.Signature(8)),
        })

    def elaborate(self, platform):
        m = Module()
        kind = self.jobs.payload.kind
        is_result, is_identity = kind == RESULT, kind == IDENTIFY
        type_ = Mux(is_result, frames.ReplyType.RESULT,
                    Mux(is_identity, frames.ReplyType.IDENTITY, frames.ReplyType.ERROR))
        sizes = self._layout.result_bytes, len(self._identity)
        length = Mux(is_result, sizes[0], Mux(is_identity, sizes[1], 1))
        index = Signal(range(max(sizes)))
        header = Array([*frames.SYNC_REPLY, type_, self.jobs.payload.sequence,
                        length[:8], Cat(length, Const(0, 16))[8:16]])
        at = Signal(range(len(header)))
        identity = Const(int.from_bytes(self._identity, "little"), 8 * len(self._identity))
        payload = Mux(is_result, self.results.payload.word_select(index, 8),
                      Mux(is_identity, identity.word_select(index, 8), kind))

        m.submodules.crc = check = CRC(data_width=8).create()
        m.d.comb += check.data.eq(self.o.payload)
        taken = self.o.valid & self.o.ready
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [at.eq(0), index.eq(0)]
                m.d.comb += check.start.eq(1)
                with m.If(self.jobs.valid & (self.results.valid | ~is_result)):
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(header[at]),
                             check.valid.eq(taken & (at >= len(frames.SYNC_REPLY)))]
                with m.If(self.o.ready):
                    m.d.sync += at.eq(at + 1)
                    with m.If(at == len(header) - 1):
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(payload),
                             check.valid.eq(taken)]
                with m.If(self.o.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == length - 1):
                        m.next = "CRC0"
            with m.State("CRC0"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(check.crc[8:])]
                with m.If(self.o.ready):
                    m.next = "CRC1"
            with m.State("CRC1"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(check.crc[:8])]
                with m.If(self.o.ready):
                    m.d.comb += [self.jobs.ready.eq(1), self.results.ready.eq(is_result)]
                    m.next = "IDLE"
        return m
