"""From received bytes to samples for the network and to replies that are owed."""

import contextlib

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import crc, data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.link import protocol as frames

__all__ = ["CRC", "IDENTIFY", "RESULT", "RequestReceiver", "job_layout"]

CRC = crc.catalog.CRC16_IBM_3740

RESULT, IDENTIFY = 0, 7
"""Values of ``kind`` of a job beside the error codes."""

job_layout = data.StructLayout({"kind": 3, "sequence": 8})
"""A reply that is owed: its ``kind`` (an error code, RESULT or IDENTIFY) and sequence number."""


class RequestReceiver(wiring.Component):
    """Requests, checked. A sample reaches the network only when its whole frame was right.

    The payload waits in a memory until the CRC was seen. See docs/link.md for what each kind of
    damage leads to.

    Parameters
    ----------
    layout : Layout
    timeout : int
        Cycles of silence that end an unfinished frame.

    Members
    -------
    i : ``In(stream.Signature(8, always_ready=True))``
        Bytes.
    error : ``In(1)``
        A byte was damaged; comes in its place.
    beats : ``Out(stream.Signature(StructLayout({"data": 8 * layout.beat_bytes, "last": 1})))``
        Samples.
    jobs : ``Out(stream.Signature(job_layout))``
        Replies owed, in the order of the requests. A request that is complete while the reader
        of this stream does not listen goes unanswered.
    """

    def __init__(self, layout, timeout):
        self._layout = layout
        self._timeout = timeout
        beat = data.StructLayout({"data": 8 * layout.beat_bytes, "last": 1})
        super().__init__({
            "i": In(stream.Signature(8, always_ready=True)),
            "error": In(1),
            "beats": Out(stream.Signature(beat)),
            "jobs": Out(stream.Signature(job_layout)),
        })

    def elaborate(self, platform):
        m = Module()
        sample_bytes = self._layout.sample_bytes
        byte, received = self.i.payload, self.i.valid

        m.submodules.crc = check = CRC(data_width=8).create()
        m.d.comb += [check.data.eq(byte), check.valid.eq(received)]

        depth = self._layout.beats * self._layout.beat_bytes
        m.submodules.sample = ram = memory.Memory(shape=8, depth=depth, init=[])
        writer = ram.write_port()
        feed, feeding = Signal(), Signal()
        self._feed(m, ram.read_port(), depth, feed, feeding)

        kind, sequence = Signal(3), Signal(8)
        type_, length, index = Signal(8), Signal(16), Signal(16)
        code, overrun = Signal(3), Signal()
        silence = Signal(range(self._timeout + 1))
        silent = silence == self._timeout
        with m.If(received | self.error):
            m.d.sync += silence.eq(0)
        with m.Elif(~silent):
            m.d.sync += silence.eq(silence + 1)

        infer, identify = type_ == frames.Request.INFER, type_ == frames.Request.IDENTIFY
        fitting = (infer & (length == sample_bytes)) | (identify & (length == 0))
        m.d.comb += [
            self.jobs.payload.kind.eq(kind),
            self.jobs.payload.sequence.eq(sequence),
            writer.addr.eq(index),
            writer.data.eq(byte),
        ]

        @contextlib.contextmanager
        def receiving(state):
            """A state inside a frame, which ends by the next byte, by damage or by silence."""
            with m.State(state):
                with m.If(self.error):
                    m.d.sync += code.eq(frames.ErrorCode.FRAMING)
                    m.next = "DRAIN"
                with m.Elif(silent):
                    m.d.comb += [self.jobs.valid.eq(1), kind.eq(frames.ErrorCode.TIMEOUT)]
                    m.next = "HUNT"
                with m.Elif(received):
                    yield

        with m.FSM():
            with m.State("HUNT"):
                m.d.sync += [index.eq(0), overrun.eq(0), sequence.eq(0)]
                with m.If(received & (byte == frames.SYNC_REQUEST[0])):
                    m.next = "SYNC"
            with m.State("SYNC"):
                with m.If(self.error | silent):
                    m.next = "HUNT"
                with m.Elif(received & (byte == frames.SYNC_REQUEST[1])):
                    m.next = "TYPE"
                with m.Elif(received & (byte != frames.SYNC_REQUEST[0])):
                    m.next = "HUNT"
            with receiving("TYPE"):
                m.d.comb += check.start.eq(1)
                m.d.sync += type_.eq(byte)
                m.next = "SEQUENCE"
            with receiving("SEQUENCE"):
                m.d.sync += sequence.eq(byte)
                m.next = "LENGTH0"
            with receiving("LENGTH0"):
                m.d.sync += length[:8].eq(byte)
                m.next = "LENGTH1"
            with receiving("LENGTH1"):
                m.d.sync += length[8:].eq(byte)
                m.next = "PAYLOAD"
                with m.If(Cat(length[:8], byte) == 0):
                    m.next = "CRC0"
            with receiving("PAYLOAD"):
                # The sample before may still be on its way out of the memory.
                m.d.comb += writer.en.eq(~feeding & (index < sample_bytes))
                m.d.sync += [index.eq(index + 1), overrun.eq(overrun | feeding)]
                with m.If(index + 1 == length):
                    m.next = "CRC0"
            with receiving("CRC0"):
                m.next = "CRC1"
            with receiving("CRC1"):
                m.next = "JUDGE"
            with m.State("JUDGE"):
                with m.If(fitting):
                    m.d.comb += self.jobs.valid.eq(1)
                    m.next = "HUNT"
                    with m.If(~check.match_detected):
                        m.d.comb += kind.eq(frames.ErrorCode.CRC)
                    with m.Elif(identify):
                        m.d.comb += kind.eq(IDENTIFY)
                    with m.Elif(overrun):
                        m.d.comb += kind.eq(frames.ErrorCode.BUSY)
                    with m.Else():
                        m.d.comb += [kind.eq(RESULT), feed.eq(self.jobs.ready)]
                with m.Else():
                    # Where the frame ends is in doubt.
                    m.next = "DRAIN"
                    with m.If(~check.match_detected):
                        m.d.sync += code.eq(frames.ErrorCode.CRC)
                    with m.Elif(infer | identify):
                        m.d.sync += code.eq(frames.ErrorCode.LENGTH)
                    with m.Else():
                        m.d.sync += code.eq(frames.ErrorCode.TYPE)
            with m.State("DRAIN"), m.If(silent):
                m.d.comb += [self.jobs.valid.eq(1), kind.eq(code)]
                m.next = "HUNT"
        return m

    def _feed(self, m, reader, depth, feed, feeding):
        """Hand the memory's bytes to the network, from the cycle after ``feed``."""
        beat_bytes = self._layout.beat_bytes
        address = Signal(range(depth + 1))
        place = Signal(range(beat_bytes))
        m.d.comb += [reader.addr.eq(address), self.beats.payload.last.eq(address == depth)]
        with m.FSM(name="feed") as fsm:
            with m.State("IDLE"):
                m.d.sync += address.eq(0)
                with m.If(feed):
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.d.sync += address.eq(address + 1)
                m.next = "TAKE"
            with m.State("TAKE"):
                beat = self.beats.payload.data
                m.d.sync += [beat.eq(Cat(beat, reader.data)[8:]), place.eq(place + 1)]
                m.next = "LOOK"
                with m.If(place == beat_bytes - 1):
                    m.d.sync += place.eq(0)
                    m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.beats.valid.eq(1)
                with m.If(self.beats.ready):
                    m.next = "LOOK"
                    with m.If(self.beats.payload.last):
                        m.next = "IDLE"
        m.d.comb += feeding.eq(~fsm.ongoing("IDLE"))
