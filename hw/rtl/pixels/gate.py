"""Whole pictures, whatever arrives."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.checks import expect

__all__ = ["Gate", "beat_layout", "picture_layout", "pixel_layout"]


def beat_layout(width):
    """Layout of a beat as it arrives: ``data`` of so many bits, ``last`` and ``start``."""
    return data.StructLayout({"data": width, "last": 1, "start": 1})


def picture_layout(width):
    """Layout of a beat of a whole picture: ``data``, whether it is the ``final`` one, and with that
    one whether to ``drop`` the picture."""
    return data.StructLayout({"data": width, "final": 1, "drop": 1})


def pixel_layout(width):
    """Layout of a beat with a pixel of so many bits, and where it stands.

    Members
    -------
    data : bits of the pixel
    final : whether it is the last of its picture
    last : whether its picture is the last one of its sample, the same for all pixels of a picture
        from ``final`` on back; only looked at with ``final``
    drop : whether the sample is malformed; only looked at with ``final``
    """
    return data.StructLayout({"data": width, "final": 1, "last": 1, "drop": 1})


class Gate(wiring.Component):
    """Lets exactly the beats of whole pictures through.

    What is behind holds no picture, and so has begun to work on one before its end is known. A
    torn picture is filled up with anything, as fast as that is taken, and marked to be dropped;
    meanwhile the input waits. So nothing behind ever has to begin in the middle.

    Samples are one picture or several; ``last`` comes with the last beat of the last one. A sample
    that is too short ends with its ``last``, and so does one that is too long, of which nothing
    goes through that is behind the last picture.

    Video is one picture after the other: ``start`` comes with the first beat of each, ``last`` with
    the last one of each line. A picture is torn if a line is too short or too long, or ``start``
    comes before it is whole. What is left of it is skipped, as is what comes behind a whole picture
    without ``start``; the next picture begins with ``start``.

    Parameters
    ----------
    width : int
        Bits of a beat.
    line : int
        Beats of a line of video, or of a picture of a sample.
    lines : int
        Lines of a picture of video, or pictures of a sample.
    video : bool

    Members
    -------
    i : ``In(stream.Signature(beat_layout(width)))``
    o : ``Out(stream.Signature(picture_layout(width)))``
        A beat in the cycle in which it arrives.
    error : ``Out(1)``
        Something was torn or skipped; 1 for one cycle, once from one picture to the next. What
        comes after a reset before the first ``start`` counts as nothing.
    """

    def __init__(self, width, line, lines, *, video):
        for noun, value in (("Width", width), ("Line", line), ("Lines", lines)):
            expect(noun, value, int)
        self._line, self._lines, self._video = line, lines, video
        super().__init__({"i": In(stream.Signature(beat_layout(width))),
                          "o": Out(stream.Signature(picture_layout(width))), "error": Out(1)})

    def elaborate(self, platform):
        m = Module()
        place, line = Signal(range(self._line)), Signal(range(self._lines))
        end, bottom, again, wrong = Signal(), Signal(), Signal(), Signal()
        final = self.o.payload.final
        m.d.comb += [
            end.eq(place == self._line - 1),
            bottom.eq(line == self._lines - 1),
            self.o.payload.data.eq(self.i.payload.data),
            # Of video a picture is all lines, of a sample every line is a picture.
            final.eq(end & bottom if self._video else end),
            wrong.eq(self.i.payload.last != (end if self._video else end & bottom)),
            again.eq(bottom if self._video else bottom | self.o.payload.drop),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += place.eq(Mux(end, 0, place + 1))
            with m.If(end):
                m.d.sync += line.eq(Mux(again, 0, line + 1))
        m.d.sync += self.error.eq(0)
        with m.FSM():
            if self._video:
                self._pass_video(m, (place == 0) & (line == 0), wrong)
            else:
                self._pass_samples(m, wrong)
            with m.State("FILL"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.drop.eq(1)]
                with m.If(self.o.ready & final):
                    m.next = "PASS"
        return m

    def _let(self, m, wrong):
        """Let a beat through."""
        m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready),
                     self.o.payload.drop.eq(wrong)]
        with m.If(self.i.valid & self.o.ready & wrong & ~self.o.payload.final):
            m.next = "FILL"

    def _pass_samples(self, m, wrong):
        with m.State("PASS"):
            self._let(m, wrong)
            with m.If(self.i.valid & self.o.ready & wrong):
                m.d.sync += self.error.eq(1)
                with m.If(~self.i.payload.last):
                    m.next = "SKIP"
        with m.State("SKIP"):
            m.d.comb += self.i.ready.eq(1)
            with m.If(self.i.valid & self.i.payload.last):
                m.next = "PASS"

    def _pass_video(self, m, between, wrong):
        start, known = self.i.payload.start, Signal(init=1)  # known: has been told of
        with m.State("PASS"):
            with m.If(between & ~start):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += [self.error.eq(~known), known.eq(1)]
            with m.Elif(~between & start & self.i.valid):
                m.d.sync += self.error.eq(1)
                m.next = "FILL"
            with m.Else():
                self._let(m, wrong)
                with m.If(self.i.valid & self.o.ready):
                    m.d.sync += [self.error.eq(wrong), known.eq(wrong)]
