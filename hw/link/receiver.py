"""From received bytes to samples for the network, payloads for the loader and replies owed."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright.hw.link.depacketiser import Depacketiser
from bitwright.hw.link.payload import BeatPacker, PayloadBuffer, byte_layout
from bitwright.hw.link.protocol import (
    COMMIT_BYTES,
    LOAD_BYTES,
    OFFSET_BYTES,
    ErrorCode,
    Request,
)

__all__ = ["IDENTIFY", "RESULT", "WRITE", "RequestReceiver", "job_layout"]

RESULT, IDENTIFY, WRITE = 0, 15, 14
"""Values of ``kind`` of a job beside the error codes."""

job_layout = data.StructLayout({"kind": 4, "sequence": 8})
"""A reply that is owed: its ``kind`` (an error code, RESULT, IDENTIFY, or WRITE for the outcome of
a LOAD or a COMMIT) and sequence number."""


class RequestReceiver(wiring.Component):
    """Requests, checked. A payload goes on only when its whole packet was right.

    It waits in a memory until the CRC was seen, and until the result of the sample before is there:
    with a single sample in the network, no result can be taken for that of another. See
    docs/link.md for what each kind of damage leads to.

    Parameters
    ----------
    layout : Layout
    timeout : int
        Cycles of silence that end an unfinished packet.
    writable : bool
        Whether there are contents that can be written.
    large : bool
        Whether a payload waits in a large memory of a device that has such.

    Members
    -------
    i : ``In(stream.Signature(8, always_ready=True))``
        Bytes.
    error : ``In(1)``
        A byte was damaged; comes in its place.
    arrived : ``In(1)``
        The result of the sample in the network is there; 1 for one cycle.
    restart : ``In(1)``
        The network is restarted, and forgets the sample that is in it; 1 for one cycle.
    beats : ``Out(stream.Signature(StructLayout({"data": 8 * layout.beat_bytes, "last": 1})))``
        Samples.
    jobs : ``Out(stream.Signature(job_layout))``
        Replies owed, in the order of the requests. A request that is complete while the reader
        of this stream does not listen goes unanswered.
    complete : ``In(1)``
        The contents are complete. Where they are writable, as the next three.
    writes : ``Out(stream.Signature(byte_layout))``
        Payloads of LOAD and COMMIT, one for each job of the kind WRITE.
    commit : ``Out(1)``
        The payload is that of a COMMIT.
    """

    def __init__(self, layout, timeout, writable=False, *, large=False):
        self._layout = layout
        self._writable = writable
        lengths = {Request.INFER: (layout.sample_bytes, layout.sample_bytes),
                   Request.IDENTIFY: (0, 0)}
        beat = data.StructLayout({"data": 8 * layout.beat_bytes, "last": 1})
        members = {
            "i": In(stream.Signature(8, always_ready=True)),
            "error": In(1),
            "arrived": In(1),
            "restart": In(1),
            "beats": Out(stream.Signature(beat)),
            "jobs": Out(stream.Signature(job_layout)),
        }
        if writable:
            lengths |= {Request.LOAD: (OFFSET_BYTES + 1, OFFSET_BYTES + LOAD_BYTES),
                        Request.COMMIT: (COMMIT_BYTES, COMMIT_BYTES)}
            members |= {"complete": In(1), "writes": Out(stream.Signature(byte_layout)),
                        "commit": Out(1)}
        self._packets = Depacketiser(lengths, timeout)
        self._payload = PayloadBuffer(self.depth(layout, writable), layout.copies, large=large)
        self._packer = BeatPacker(layout.beat_bytes)
        super().__init__(members)

    @staticmethod
    def depth(layout, writable):
        """Bytes of the longest payload that is kept."""
        sample = layout.beats // layout.copies * layout.beat_bytes
        return max(sample, OFFSET_BYTES + LOAD_BYTES) if writable else sample

    def elaborate(self, platform):
        m = Module()
        m.submodules.packets = packets = self._packets
        m.submodules.payload = payload = self._payload
        m.submodules.packer = packer = self._packer
        connect(m, flipped(self.i), packets.i)
        connect(m, packets.payload, payload.i)
        connect(m, packer.o, flipped(self.beats))
        m.d.comb += [packets.error.eq(self.error), payload.begin.eq(packets.begin),
                     payload.drop.eq(self.restart), packer.clear.eq(self.restart)]

        inside = Signal()  # a sample, or a part of it, is in the network
        m.d.comb += payload.enter.eq(~inside)
        with m.If(self.arrived | self.restart):
            m.d.sync += inside.eq(0)
        with m.Elif(packer.i.valid):
            m.d.sync += inside.eq(1)

        packet, job = packets.packets.payload, self.jobs.payload
        m.d.comb += [self.jobs.valid.eq(packets.packets.valid), job.sequence.eq(packet.sequence)]
        with m.If(packet.error != 0):
            m.d.comb += job.kind.eq(packet.error)
        with m.Elif(packet.type == Request.IDENTIFY):
            m.d.comb += job.kind.eq(IDENTIFY)
        with m.Elif(~payload.whole):
            m.d.comb += job.kind.eq(ErrorCode.BUSY)
        with m.Else():
            m.d.comb += [job.kind.eq(RESULT),
                         payload.go.eq(self.jobs.valid & self.jobs.ready)]
            if self._writable:
                self._refuse_or_write(m, packet, job)
        self._hand_on(m, packet)
        return m

    def _refuse_or_write(self, m, packet, job):
        """A request that may be about the contents, or that they must be complete for."""
        with m.If(packet.type != Request.INFER):
            m.d.comb += job.kind.eq(WRITE)
        with m.Elif(~self.complete):
            m.d.comb += [job.kind.eq(ErrorCode.EMPTY), self._payload.go.eq(0)]

    def _hand_on(self, m, packet):
        """Connect the memory with those who want its bytes."""
        payload, packer = self._payload, self._packer
        end = self._layout.beats // self._layout.copies * self._layout.beat_bytes - 1
        if not self._writable:
            m.d.comb += payload.last.eq(end)
            connect(m, payload.o, packer.i)
            return
        writing, last = Signal(), Signal.like(payload.last)
        with m.If(payload.go):
            m.d.sync += [writing.eq(packet.type != Request.INFER),
                         self.commit.eq(packet.type == Request.COMMIT),
                         last.eq(Mux(packet.type == Request.INFER, end, payload.count - 1))]
        m.d.comb += [
            payload.last.eq(last), payload.single.eq(writing),
            packer.i.payload.eq(payload.o.payload),
            packer.i.valid.eq(payload.o.valid & ~writing),
            self.writes.payload.eq(payload.o.payload),
            self.writes.valid.eq(payload.o.valid & writing),
            payload.o.ready.eq(Mux(writing, self.writes.ready, packer.i.ready)),
        ]
