"""The host link: a serial line in front of a network."""

from amaranth.hdl import Module
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright.hw.link.receiver import RequestReceiver, job_layout
from bitwright.hw.link.sender import ReplySender
from bitwright.hw.link.uart import UartReceiver, UartTransmitter

__all__ = ["Link"]

_QUEUE = 4
"""Replies that can be owed at a time. docs/link.md tells hosts."""


class Link(wiring.Component):
    """Requests and replies over a serial line, as docs/link.md specifies.

    Parameters
    ----------
    layout : Layout
        Bytes of the network that is served.
    identity : frames.Identity
    cycles : int
        Clock cycles of a bit, at least 4.
    timeout : int
        Cycles of silence that end an unfinished frame, more than a byte takes.

    Members
    -------
    rx : ``In(1)``
    tx : ``Out(1)``
        The line.
    beats : ``Out(stream.Signature(StructLayout({"data": 8 * layout.beat_bytes, "last": 1})))``
        Samples for the network.
    results : ``In(stream.Signature(8 * layout.result_bytes))``
        Its results.
    """

    def __init__(self, layout, identity, cycles, timeout):
        self._receiver = UartReceiver(cycles)
        self._requests = RequestReceiver(layout, timeout)
        self._replies = ReplySender(layout, identity.to_bytes())
        self._transmitter = UartTransmitter(cycles)
        beat = data.StructLayout({"data": 8 * layout.beat_bytes, "last": 1})
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "beats": Out(stream.Signature(beat)),
            "results": In(stream.Signature(8 * layout.result_bytes)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = self._receiver
        m.submodules.requests = requests = self._requests
        m.submodules.replies = replies = self._replies
        m.submodules.transmitter = transmitter = self._transmitter
        m.submodules.jobs = jobs = fifo.SyncFIFOBuffered(width=job_layout.size, depth=_QUEUE)

        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            requests.error.eq(receiver.error),
            jobs.w_data.eq(requests.jobs.payload),
            jobs.w_en.eq(requests.jobs.valid),
            requests.jobs.ready.eq(jobs.w_rdy),
            replies.jobs.payload.eq(jobs.r_data),
            replies.jobs.valid.eq(jobs.r_rdy),
            jobs.r_en.eq(replies.jobs.ready),
        ]
        connect(m, receiver.o, requests.i)
        connect(m, requests.beats, flipped(self.beats))
        connect(m, flipped(self.results), replies.results)
        connect(m, replies.o, transmitter.i)
        return m
