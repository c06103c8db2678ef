"""Thresholds of the pixel at hand: constants, words of memories, or what a generator makes."""

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.folding import Table
from bitwright.hw.limits import WIDEST, WidthError
from bitwright.hw.rtl.parts.store import Store
from bitwright.hw.rtl.realisation import Memory
from bitwright.ir.noise import STATE_BITS, TAPS

__all__ = ["Thresholds"]


class Thresholds(wiring.Component):
    """Thresholds of a modulator, pixel by pixel and frame after frame.

    A bit of a threshold that is the same everywhere is a constant and takes nothing. One that
    changes from frame to frame only is in a table with a word a frame, any other in a table with a
    word a pixel and frame; but where there would be such a table and the thresholds are those of
    an :class:`ir.Noise`, its register makes them all.

    Parameters
    ----------
    modulate : ir.Modulate
    colours : int
        Features of a pixel.
    kept : array of bool, shape (colours * modulate.depth,)
        Of which thresholds matter. The others are 0.

    Members
    -------
    step : ``In(1)``
        The pixel at hand is done, and the next one comes with the next cycle.
    final, last : ``In(1)``
        It is the last of its picture; and its picture is the last of its sample: then the next one
        is the first of frame 0.
    primed : ``Out(1)``
        Whether there are thresholds, which after a reset takes a cycle.
    o : ``Out(ArrayLayout(modulate.bits + 1, colours * modulate.depth))``
        As distance from the smallest feature, 0 to ``2**bits``.

    Raises
    ------
    WidthError
        If the thresholds of a pixel are wider than Amaranth's signals can be.
    """

    def __init__(self, modulate, colours, kept):
        expect("Modulate", modulate, ir.Modulate)
        expect("Colours", colours, int)
        frames, pixels = modulate.frames, modulate.features // colours
        width, count = modulate.bits + 1, colours * modulate.depth
        if width * count > WIDEST:
            raise WidthError(f"Thresholds of a pixel must have at most {WIDEST:,} bits, not "
                             f"{width * count:,}")
        values = (modulate.thresholds.astype(np.int64) - modulate.domain[0]).reshape(
            frames, pixels, count, 1)
        bits = (values >> np.arange(width) & 1).astype(bool) & np.asarray(kept, bool)[:, None]
        bits = bits.reshape(frames, pixels, count * width)
        by_pixel = (bits != bits[:, :1]).any(axis=(0, 1))
        by_frame = (bits != bits[:1, :1]).any(axis=(0, 1)) & ~by_pixel
        self._noise = modulate.noise if by_pixel.any() else None
        self._colours, self._constant = colours, bits[0, 0]
        if self._noise is not None:
            self._offsets = (modulate.offsets - modulate.domain[0]).tolist()
            by_frame[:] = by_pixel[:] = False
        self._places = {"frame": np.flatnonzero(by_frame), "pixel": np.flatnonzero(by_pixel)}
        self._words = {"frame": bits[:, 0, by_frame],
                       "pixel": bits[:, :, by_pixel].reshape(
                           frames * pixels, by_pixel.sum())}
        super().__init__({
            "step": In(1), "final": In(1), "last": In(1), "primed": Out(1),
            "o": Out(data.ArrayLayout(width, count))})

    @property
    def memories(self):
        """Those of both tables."""
        return tuple(Memory(words.shape[1], len(words)) for words in self._words.values()
                     if words.size)

    def elaborate(self, platform):
        m = Module()
        if self._noise is not None:
            numbers = self._numbers(m)
            m.d.comb += [self.primed.eq(1), *(
                self.o[colour * len(self._offsets) + d].eq(number + offset)
                for colour, number in enumerate(numbers)
                for d, offset in enumerate(self._offsets))]
            return m
        bits = [Const(int(bit), 1) for bit in self._constant]
        if not self.memories:
            m.d.comb += self.primed.eq(1)
        else:
            m.d.sync += self.primed.eq(1)
        ends = {"frame": (self.step & self.final, self.last),
                "pixel": (self.step, self.final & self.last)}
        for name, words in self._words.items():
            if words.size:
                word = self._table(m, name, words, *ends[name])
                for place, bit in zip(self._places[name].tolist(), word, strict=True):
                    bits[place] = bit
        m.d.comb += self.o.as_value().eq(Cat(bits))
        return m

    def _numbers(self, m):
        """Numbers of the noise, a colour each."""
        noise, register = self._noise, Signal(STATE_BITS, init=self._noise.start)
        count = self._colours * noise.summands * noise.bits
        sequence = list(register)
        while len(sequence) < STATE_BITS + count:
            # So many at once depend on no other new one.
            first = len(sequence) - STATE_BITS
            new = Signal(min(STATE_BITS - TAPS[-1], count - first), name=f"new{first}")
            m.d.comb += new.eq(Cat(Cat(sequence[first + place + tap] for tap in TAPS).xor()
                                   for place in range(len(new))))
            sequence += list(new)
        with m.If(self.step):
            m.d.sync += register.eq(Cat(sequence[count:]))
            with m.If(self.final & self.last):
                m.d.sync += register.eq(noise.start)
        words = [Cat(sequence[start : start + noise.bits]) for start in range(0, count, noise.bits)]
        return [sum(words[start : start + noise.summands], Const(0, 1))
                for start in range(0, len(words), noise.summands)]

    def _table(self, m, name, words, step, back):
        """A table that goes on by a word with ``step``, or back to the first."""
        m.submodules[name] = store = Store(Table(words.shape[1], tuple(ir.pack(words))))
        address = Signal(range(len(words)), name=f"{name}_address")
        m.d.comb += store.address.eq(Mux(step, Mux(back, 0, address + 1), address))
        m.d.sync += address.eq(store.address)
        return store.word
