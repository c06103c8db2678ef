"""Frames of a sample: one picture again and again, or a picture for each."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.checks import expect
from bitwright.hw.rtl.parts.store import read_later, rewritten
from bitwright.hw.rtl.pixels.gate import picture_layout, pixel_layout
from bitwright.hw.rtl.realisation import Memory

__all__ = ["Replay", "Sent"]


class _Frames(wiring.Component):
    """Pictures become the frames of samples.

    Parameters
    ----------
    width : int
        Bits of a pixel.
    pixels : int
        Of a picture.
    frames : int
        Of a sample, if it is not stopped.

    Members
    -------
    i : ``In(stream.Signature(picture_layout(width)))``
        Whole pictures.
    stop : ``In(1)``
        The sample needs no frame after the one at hand. Looked at with its final pixel.
    o : ``Out(stream.Signature(pixel_layout(width)))``
        Frame 0 of a sample, then frame 1, and so on.
    """

    def __init__(self, width, pixels, frames):
        for noun, value in (("Width", width), ("Pixels", pixels), ("Frames", frames)):
            expect(noun, value, int)
        self._width, self._pixels, self._frames = width, pixels, frames
        super().__init__({"i": In(stream.Signature(picture_layout(width))), "stop": In(1),
                          "o": Out(stream.Signature(pixel_layout(width)))})

    def elaborate(self, platform):
        m = Module()
        frame, taken, last = Signal(range(self._frames)), Signal(), self.o.payload.last
        m.d.comb += [taken.eq(self.o.valid & self.o.ready),
                     last.eq((frame == self._frames - 1) | self.stop | self.o.payload.drop)]
        self._hand_on(m, taken)
        with m.If(taken & self.o.payload.final):
            m.d.sync += frame.eq(Mux(last, 0, frame + 1))
        return m

    def _hand_on(self, m, taken):
        """Drive what is not driven yet: all of ``o`` but ``last``, and ``ready`` of ``i``."""
        raise NotImplementedError


class Sent(_Frames):
    """A picture for every frame: whoever sends repeats it, or has a new one each time.

    A picture to drop ends its sample; the next one is frame 0 of another. As :class:`_Frames`.
    """

    memories = ()

    def _hand_on(self, m, taken):
        m.d.comb += [*(self.o.payload[name].eq(self.i.payload[name])
                       for name in ("data", "final", "drop")),
                     self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready)]


class Replay(_Frames):
    """Frame 0 passes and is kept in a memory, from which the others come.

    Between frame 0 and frame 1 is a cycle without a pixel, so that a memory with a single port will
    do. A picture to drop has one frame. As :class:`_Frames`.

    Parameters
    ----------
    large : bool
        Whether the memory shall be one of the large ones of a device that has such, with a single
        port and no contents at first.
    """

    def __init__(self, width, pixels, frames, *, large=False):
        super().__init__(width, pixels, frames)
        self._large = large

    @property
    def memories(self):
        style = "huge" if self._large else ""
        return (Memory(self._width, self._pixels, True, style=style),)

    def _hand_on(self, m, taken):
        place, next_place = Signal(range(self._pixels)), Signal(range(self._pixels))
        again, there, end = Signal(), Signal(), Signal()
        m.submodules.picture = picture = memory.Memory(
            shape=self._width, depth=self._pixels, init=[],
            attrs=rewritten(self._large))
        address = Mux(again, next_place, place)
        writer = picture.write_port()
        kept = read_later(m, picture, address, "kept", again)
        done = taken & end & self.o.payload.last
        m.d.comb += [
            end.eq(place == self._pixels - 1),
            next_place.eq(Mux(taken, Mux(end, 0, place + 1), place)),
            writer.addr.eq(address), writer.data.eq(self.i.payload.data),
            writer.en.eq(taken & ~again),
            self.o.valid.eq(Mux(again, there, self.i.valid)),
            self.i.ready.eq(self.o.ready & ~again),
            self.o.payload.data.eq(Mux(again, kept, self.i.payload.data)),
            self.o.payload.final.eq(end),
            self.o.payload.drop.eq(self.i.payload.drop & ~again),
        ]
        m.d.sync += [place.eq(next_place), there.eq(again & ~done)]
        with m.If(taken & end):
            m.d.sync += again.eq(~self.o.payload.last)
