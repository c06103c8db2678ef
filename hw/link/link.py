"""The host link: a serial line in front of a network."""

from amaranth.hdl import Const, Module
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright.hw.link.flash import FlashReader, flash_signature
from bitwright.hw.link.identity import IdentityMemory
from bitwright.hw.link.loader import Loader
from bitwright.hw.link.payload import byte_layout
from bitwright.hw.link.receiver import RequestReceiver, job_layout
from bitwright.hw.link.sender import ReplySender, results_layout
from bitwright.hw.link.uart import UartReceiver, UartTransmitter
from bitwright.hw.rtl.realisation import Memory

__all__ = ["QUEUE", "Link"]

QUEUE = 4
"""Replies that can be owed at a time. docs/link.md tells hosts."""


class Link(wiring.Component):
    """Requests and replies over a serial line, as docs/link.md specifies.

    Parameters
    ----------
    layout : Layout
        Bytes of the network that is served.
    identity : Identity
        Of the bitstream. Where it has contents that can be written, the device tells what they are
        at the time.
    cycles : int
        Clock cycles of a bit, at least 4.
    timeout : int
        Cycles of silence that end an unfinished packet, more than a byte takes.
    patience : int
        Cycles that a result may take at least, at least 1; after up to twice as many it is lost.
    flash_hz : float, optional
        Of the clock, where the contents come from a flash first. They must be writable.
    large : bool
        Whether requests wait in a large memory of a device that has such.

    Members
    -------
    rx : ``In(1)``
    tx : ``Out(1)``
        The line.
    beats : ``Out(stream.Signature(StructLayout({"data": 8 * layout.beat_bytes, "last": 1})))``
        Samples for the network.
    results : ``In(stream.Signature(results_layout(layout)))``
        Beats of its results.
    sample_error : ``In(1)``
        It dropped a sample.
    restart : ``Out(1)``
        It is to drop all samples, and what it has of the contents so far: the next byte of theirs
        is the first. 1 for one cycle.
    load : ``Out(stream.Signature(byte_layout))``
        Bytes for its stores, ``last`` with the last one of the contents. Only where
        ``identity.size`` is not 0.
    flash : ``Out(flash_signature())``
        Wires to the flash. Only where there is one.

    Raises
    ------
    TypeError, ValueError
        If a number is no integer or out of its range.
    """

    def __init__(self, layout, identity, *, cycles, timeout, patience, flash_hz=None,
                 large=False):
        self._receiver = UartReceiver(cycles)
        for name, value, least in (("Timeout", timeout, 10 * cycles + 1),
                                   ("Patience", patience, 1)):
            if type(value) is not int:
                raise TypeError(f"{name} must be an integer, not {value!r}")
            if value < least:
                raise ValueError(f"{name} must be at least {least} cycles, not {value}")
        self._identity = identity
        self.writable = identity.size > 0
        self._flash = None if flash_hz is None else FlashReader(identity.structure, flash_hz)
        self._requests = RequestReceiver(layout, timeout, self.writable, large=large)
        self._replies = ReplySender(layout, patience, self.writable)
        self._transmitter = UartTransmitter(cycles)
        beat = data.StructLayout({"data": 8 * layout.beat_bytes, "last": 1})
        members = {
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "beats": Out(stream.Signature(beat)),
            "results": In(stream.Signature(results_layout(layout))),
            "sample_error": In(1),
            "restart": Out(1),
        }
        if self.writable:
            members["load"] = Out(stream.Signature(byte_layout))
        if self._flash is not None:
            members["flash"] = Out(flash_signature())
        super().__init__(members)

    @staticmethod
    def memories(layout, writable, *, large=False, compared=frozenset(range(8))):
        """Memories of such a component, but for the replies owed, which are few.

        Parameters
        ----------
        layout : Layout
        writable : bool
            Whether there are contents that can be written.
        large : bool
        compared : set of int
            Bits of a byte of a sample that anything depends on. The others are not kept, unless
            contents go through the same memory.
        """
        depth = RequestReceiver.depth(layout, writable)
        kept = 8 if writable or large else len(compared)
        found = (Memory(kept, depth, True, style="huge" if large else ""),)
        return found + ((IdentityMemory.memory,) if writable else ())

    @property
    def owing(self):
        """Signal that a reply is owed or being sent, for who simulates it."""
        return self._replies.jobs.valid

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = self._receiver
        m.submodules.requests = requests = self._requests
        m.submodules.replies = replies = self._replies
        m.submodules.transmitter = transmitter = self._transmitter
        m.submodules.jobs = jobs = fifo.SyncFIFOBuffered(width=job_layout.size, depth=QUEUE)

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
            replies.sample_error.eq(self.sample_error),
            requests.arrived.eq(replies.arrived),
            requests.restart.eq(replies.restart),
        ]
        connect(m, receiver.o, requests.i)
        connect(m, requests.beats, flipped(self.beats))
        connect(m, flipped(self.results), replies.results)
        connect(m, replies.o, transmitter.i)
        if self.writable:
            self._load(m, requests, replies)
        else:
            m.d.comb += [self.restart.eq(replies.restart),
                         replies.identity.eq(_value(self._identity.to_bytes()))]
        return m

    def _load(self, m, requests, replies):
        """What writes contents, in its turn among the replies: nothing is under way in the network
        then, nor is an identity being sent."""
        identity = self._identity
        m.submodules.loader = loader = Loader(identity.size, identity.complete,
                                              self._flash is not None)
        m.submodules.identity = told = IdentityMemory(identity)
        m.d.comb += [
            loader.commit.eq(requests.commit),
            loader.i.payload.eq(requests.writes.payload),
            loader.i.valid.eq(requests.writes.valid & replies.turn),
            requests.writes.ready.eq(loader.i.ready & replies.turn),
            requests.complete.eq(loader.complete),
            self.restart.eq(replies.restart | loader.begin),
            told.place.eq(replies.place), replies.identity.eq(told.byte),
            told.complete.eq(loader.complete), told.write.eq(loader.digest),
            told.target.eq(loader.place), told.data.eq(loader.i.payload.data),
        ]
        connect(m, loader.o, flipped(self.load))
        connect(m, loader.outcome, replies.outcomes)
        if self._flash is not None:
            self._read(m, loader, requests, replies)

    def _read(self, m, loader, requests, replies):
        """What comes from the flash, while the writes of a host wait."""
        m.submodules.flash = flash = self._flash
        connect(m, flash.pins, flipped(self.flash))
        m.d.comb += [flash.complete.eq(loader.complete), flash.final.eq(loader.o.payload.last),
                     flash.over.eq(loader.outcome.valid), loader.right.eq(1)]
        with m.If(flash.busy):
            m.d.comb += [
                loader.commit.eq(flash.commit), loader.seal.eq(flash.seal),
                loader.right.eq(flash.right),
                loader.i.payload.eq(flash.o.payload), loader.i.valid.eq(flash.o.valid),
                requests.writes.ready.eq(0),
                replies.outcomes.valid.eq(0), loader.outcome.ready.eq(1),
            ]


def _value(text):
    return Const(int.from_bytes(text, "little"), 8 * len(text))
