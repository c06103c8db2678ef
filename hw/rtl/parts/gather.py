"""Several vectors, one after the other, made into one."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Accumulator", "Collector"]


class _Gather(wiring.Component):
    """What comes of a number of vectors in a row.

    A vector every cycle.

    Parameters
    ----------
    count : int
        Vectors that make a result.
    i_layout, o_layout : ArrayLayout
        Of a vector and of the result.

    Members
    -------
    i : ``In(stream.Signature(i_layout))``
        Vectors, ``count`` of them a result.
    o : ``Out(stream.Signature(o_layout))``
        Results.

    Attributes
    ----------
    latency : int
        Cycles from the last vector to the result: 1.
    """

    latency = 1
    interval = 1

    def __init__(self, count, i_layout, o_layout):
        self._count = count
        super().__init__({
            "i": In(stream.Signature(i_layout)),
            "o": Out(stream.Signature(o_layout)),
        })

    def elaborate(self, platform):
        m = Module()
        place = Signal(range(self._count))
        result = Signal(self.o.payload.shape(), reset_less=True)
        with m.If(~self.o.valid | self.o.ready):
            m.d.comb += self.i.ready.eq(1)
            m.d.sync += self.o.valid.eq(0)
            with m.If(self.i.valid):
                final = place == self._count - 1
                m.d.sync += [place.eq(Mux(final, 0, place + 1)), self.o.valid.eq(final)]
                m.d.sync += self._take(result, place)
        m.d.comb += self.o.payload.eq(result)
        return m

    def _take(self, result, place):
        """Statements that work a vector into ``result``, which holds anything at place 0."""
        raise NotImplementedError


class Accumulator(_Gather):
    """Sum of the vectors, element by element. As :class:`_Gather`."""

    def _take(self, result, place):
        return [total.eq(Mux(place == 0, 0, total) + part)
                for total, part in zip(result, self.i.payload, strict=True)]


class Collector(_Gather):
    """The vectors side by side, the first lowest. As :class:`_Gather`."""

    @classmethod
    def of(cls, beat):
        """One that makes whole vectors of such beats; what is past their end stays in there."""
        return cls(beat.beats, data.ArrayLayout(beat.bits, 1),
                   data.ArrayLayout(beat.bits, beat.beats))

    @staticmethod
    def flip_flops(count, width):
        """Of one that collects so many vectors of that width."""
        return count * width + (count - 1).bit_length() + 1

    def _take(self, result, place):
        # Each passes all places above its own, so no place needs an enable.
        vectors = Cat(result.as_value(), self.i.payload.as_value())
        return result.as_value().eq(vectors[len(self.i.payload.as_value()) :])
