"""From replies that are owed to bytes."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.link.depacketiser import CRC
from bitwright.hw.link.loader import outcome_layout
from bitwright.hw.link.protocol import (
    IDENTITY_BYTES,
    OFFSET_BYTES,
    SYNC_REPLY,
    ErrorCode,
    ReplyType,
)
from bitwright.hw.link.receiver import IDENTIFY, RESULT, WRITE, job_layout

__all__ = ["ReplySender", "results_layout"]


def results_layout(layout):
    """A beat of results: ``data``, bytes from the lowest, and ``last``.

    Parameters
    ----------
    layout : Layout
    """
    return data.StructLayout({"data": 8 * layout.result_beat_bytes, "last": 1})


class ReplySender(wiring.Component):
    """Replies, one after the other. A result is awaited where one is owed, but not for ever.

    When a result does not come in time, or the network says that it dropped a sample, the reply is
    LOST, and the network is restarted, so that a result which comes late is not taken for that of
    the next sample.

    Parameters
    ----------
    layout : Layout
    patience : int
        Cycles that a result may take at least, once all replies before are sent.
    writable : bool
        Whether there are contents that can be written.

    Members
    -------
    jobs : ``In(stream.Signature(job_layout))``
        Replies owed.
    results : ``In(stream.Signature(results_layout(layout)))``
        Beats of results, in the order of their jobs. Once the first of one is there, the others
        follow as they are taken.
    sample_error : ``In(1)``
        The network dropped a sample.
    arrived : ``Out(1)``
        A result that is owed is there; 1 for one cycle.
    restart : ``Out(1)``
        Put the network back to where it was after reset; 1 for one cycle.
    identity : ``In(8 * IDENTITY_BYTES)``
        Answer to the question who this is. Where contents are writable: ``In(8)``, its byte at the
        place that was asked for in the cycle before.
    outcomes : ``In(stream.Signature(outcome_layout))``
        Of LOAD and COMMIT, in the order of their jobs. Where contents are writable, as the next 2.
    place : ``Out(range(IDENTITY_BYTES))``
        Of the next byte of the identity; 0 between replies.
    turn : ``Out(1)``
        All replies before are sent: the next outcome is awaited.
    o : ``Out(stream.Signature(8))``
        Bytes.
    """

    def __init__(self, layout, patience, writable=False):
        self._layout = layout
        self._patience = patience
        self._writable = writable
        members = {
            "jobs": In(stream.Signature(job_layout)),
            "results": In(stream.Signature(results_layout(layout))),
            "sample_error": In(1),
            "arrived": Out(1),
            "restart": Out(1),
            "identity": In(8 * IDENTITY_BYTES),
            "o": Out(stream.Signature(8)),
        }
        if writable:
            members |= {"outcomes": In(stream.Signature(outcome_layout)), "turn": Out(1),
                        "identity": In(8), "place": Out(range(IDENTITY_BYTES))}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        kind, lost = self.jobs.payload.kind, Signal()
        # Of a byte in the payload; of a result, in one of its beats.
        index = Signal(range(max(self._layout.result_beat_bytes, IDENTITY_BYTES)))
        next_index = Signal.like(index)
        m.d.comb += next_index.eq(index)
        m.d.sync += index.eq(next_index)
        if self._writable:
            m.d.comb += self.place.eq(next_index)
        type_, length, payload = self._reply(kind, lost, index)
        result = (kind == RESULT) & ~lost
        beat_end, end = self._ends(result, index, length)
        header = Array([*SYNC_REPLY, type_, self.jobs.payload.sequence,
                        length[:8], Cat(length, Const(0, 16))[8:16]])
        at = Signal(range(len(header)))
        m.submodules.crc = check = CRC(data_width=8).create()
        m.d.comb += check.data.eq(self.o.payload)
        taken, known = self.o.valid & self.o.ready, Signal()
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += at.eq(0)
                m.d.comb += [next_index.eq(0), check.start.eq(1)]
                with m.If(self.jobs.valid & known):
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(header[at]),
                             check.valid.eq(taken & (at >= len(SYNC_REPLY)))]
                with m.If(self.o.ready):
                    m.d.sync += at.eq(at + 1)
                    with m.If(at == len(header) - 1):
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(payload), check.valid.eq(taken)]
                with m.If(self.o.ready):
                    m.d.comb += [next_index.eq(Mux(beat_end, 0, index + 1)),
                                 self.results.ready.eq(result & beat_end)]
                    with m.If(end):
                        m.next = "CRC0"
            with m.State("CRC0"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(check.crc[8:])]
                with m.If(self.o.ready):
                    m.next = "CRC1"
            with m.State("CRC1"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(check.crc[:8])]
                with m.If(self.o.ready):
                    m.d.comb += self.jobs.ready.eq(1)
                    if self._writable:
                        m.d.comb += self.outcomes.ready.eq(kind == WRITE)
                    m.d.sync += lost.eq(0)
                    m.next = "IDLE"
        self._await(m, fsm.ongoing("IDLE") & self.jobs.valid, known, lost)
        return m

    def _ends(self, result, index, length):
        """Whether the byte at a place is the last of a beat, and the last of the payload."""
        layout, end = self._layout, index == length - 1
        if layout.result_beats == 1:
            return end, end
        last = self.results.payload.last
        beat_end = index == Mux(last, layout.last_beat_bytes, layout.result_beat_bytes) - 1
        return Mux(result, beat_end, end), Mux(result, beat_end & last, end)

    def _reply(self, kind, lost, index):
        """Type, length of the payload, and its byte at a place, of the reply that is owed."""
        identity = self.identity if self._writable else self.identity.word_select(index, 8)
        forms = [((kind == RESULT) & ~lost, ReplyType.RESULT, self._layout.result_bytes,
                  self.results.payload.data.word_select(index, 8)),
                 (kind == IDENTIFY, ReplyType.IDENTITY, IDENTITY_BYTES, identity)]
        code = Mux(lost, ErrorCode.LOST, kind)
        if self._writable:
            outcome = self.outcomes.payload
            code = Mux(kind == WRITE, outcome.error, code)
            forms.append(((kind == WRITE) & (outcome.error == 0),
                          Mux(outcome.commit, ReplyType.COMMITTED, ReplyType.LOADED),
                          OFFSET_BYTES, outcome.offset.word_select(index, 8)))
        type_, length, payload = ReplyType.ERROR, Const(1), code
        for chosen, own_type, size, byte in forms:
            type_ = Mux(chosen, own_type, type_)
            length = Mux(chosen, size, length)
            payload = Mux(chosen, byte, payload)
        return type_, length, payload

    def _await(self, m, waiting, known, lost):
        """See whether the reply that is owed is ``known``, and whether its result was ``lost``."""
        # A power of two, so that one bit tells that the time is over.
        timer = Signal((self._patience - 1).bit_length() + 1)
        failed = Signal()
        kind = self.jobs.payload.kind
        m.d.comb += known.eq(1)
        m.d.sync += [timer.eq(0), failed.eq((failed | self.sample_error) & ~self.restart)]
        with m.If(waiting & (kind == RESULT)):
            m.d.sync += [timer.eq(timer + 1), lost.eq(self.restart)]
            m.d.comb += [self.arrived.eq(self.results.valid),
                         self.restart.eq(~self.results.valid & (timer[-1] | failed)),
                         known.eq(self.arrived | self.restart)]
        if self._writable:
            with m.If(waiting & (kind == WRITE)):
                m.d.comb += [self.turn.eq(1), known.eq(self.outcomes.valid)]
