"""From pixels in raster order to what a window sees, pixel by pixel."""

import itertools

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.raster import Raster
from bitwright.hw.rtl.parts.store import read_later
from bitwright.hw.rtl.parts.tables import among, looked_up
from bitwright.hw.rtl.realisation import Memory, Resources

__all__ = ["Taps"]


class Taps(wiring.Component):
    """The last rows of an image in a memory, from which each position is read, pixel by pixel.

    For bodies that take longer for a position than it has pixels: no register holds the window.
    Pixels are written as they come, into the place of a row that no position needs any more.

    Parameters
    ----------
    window : ir.Window
    beat : int
        Bits that are read in a cycle: of a pixel, or an even part of one.

    Members
    -------
    i : ``In(stream.Signature(window.channels))``
        Pixels.
    go : ``In(1)``
        Whether a position may be begun.
    begins : ``Out(1)``
        One is, in this cycle.
    o : ``Out(stream.Signature(beat))``
        What the window sees, position by position, in the order of its bits.

    Attributes
    ----------
    latency : int
        Cycles from the one in which a position is begun to its first beat: 2.
    """

    latency = 2

    def __init__(self, window, beat):
        expect("Window", window, ir.Window)
        expect("Beat", beat, int)
        self._beat, self._parts = beat, window.channels // beat
        self._window, self._raster = window, Raster(window)
        self._steps = [after - before
                       for before, after in itertools.pairwise(self._raster.floors)]
        super().__init__({"i": In(stream.Signature(window.channels)), "go": In(1),
                          "begins": Out(1), "o": Out(stream.Signature(beat))})

    @staticmethod
    def measure(window, beat):
        """Resources of such a component."""
        raster = Raster(window)
        address = (window.width - 1).bit_length() + (raster.slots - 1).bit_length()
        counters = 3 * address + window.pixels.bit_length() + window.positions.bit_length() + 8
        chosen = (window.channels // beat - 1) * beat
        return Resources(2 * counters + chosen, counters + window.channels,
                         (Memory(window.channels, raster.slots << (window.width - 1).bit_length(),
                                 True),))

    def elaborate(self, platform):
        m = Module()
        window, slots = self._window, self._raster.slots
        width = (window.width - 1).bit_length()
        m.submodules.rows = rows = memory.Memory(
            shape=window.channels, depth=slots << width, init=[], attrs={"no_rw_check": 1})
        # Rows between the first that is still needed and the one that is written; and rows of the
        # image that is read which are written whole.
        used = Signal(signed(2 + (slots + window.height).bit_length()),
                      init=self._raster.rows.reach - self._raster.rows.ahead)
        whole = Signal.like(used, init=0)
        freed = Signal(range(max(self._steps) + 1))
        over = Signal()  # the last pixel of an image is asked for
        column, end = self._write(m, rows.write_port(), used < slots, width)
        part = Signal(range(self._parts))  # of the pixel that is asked for
        issue, address, outside, advance = self._walk(m, whole, column, width, freed, over, part)
        m.d.sync += [used.eq(used + end - freed),
                     whole.eq(whole + end - Mux(over, window.height, 0))]

        asked, place, border = Signal(), Signal.like(address, reset_less=True), Signal()
        shown, turn, own = (Signal.like(like, reset_less=True) for like in (border, part, part))
        with m.If(advance):
            m.d.sync += [asked.eq(issue), place.eq(address), border.eq(outside), turn.eq(part),
                         self.o.valid.eq(asked), shown.eq(border), own.eq(turn)]
        constant = Const(int(window.border == "one"), 1).replicate(self._beat)
        pixel = read_later(m, rows, place, "pixel", advance)
        m.d.comb += self.o.payload.eq(Mux(shown, constant, pixel.word_select(own, self._beat)))
        return m

    def _write(self, m, port, room, width):
        """Put pixels into the memory. Returns the column of the next, and whether a row ends."""
        window, slots = self._window, self._raster.slots
        column, slot = Signal(range(window.width)), Signal(range(slots))
        put, final = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(room), put.eq(self.i.valid & room),
            final.eq(put & (column == window.width - 1)),
            port.addr.eq(Cat(column, Const(0, width - len(column)), slot)),
            port.data.eq(self.i.payload), port.en.eq(put),
        ]
        with m.If(put):
            m.d.sync += column.eq(Mux(final, 0, column + 1))
        with m.If(final):
            m.d.sync += slot.eq(Mux(slot == slots - 1, 0, slot + 1))
        return column, final

    def _walk(self, m, whole, column, width, freed, over, part):
        """Go through the places of the window at each position, and the parts of each pixel.

        Returns
        -------
        issue, address, outside : Value
            Whether a part is asked for in this cycle, where its pixel lies, and whether it is a
            constant instead.
        advance : Value
            Whether what is asked for is taken.
        """
        raster, window = self._raster, self._window
        (rows, columns), slots = window.shape, raster.slots
        row, across = Signal(range(rows)), Signal(range(columns))  # of the position
        y, x = Signal(range(window.kernel[0])), Signal(range(window.kernel[1]))
        # Where the row stands with which the position is complete, and its column.
        anchor = Signal(range(slots), init=raster.rows.ahead % slots)
        at = Signal(range(raster.columns.complete(columns - 1) + 1), init=raster.columns.ahead)
        first, last, last_x, last_y, right, bottom = (Signal() for _ in range(6))
        issue, done, advance = Signal(), Signal(), ~self.o.valid | self.o.ready
        needed = [raster.needed(place, 0)[0] for place in range(rows)]
        beyond = [raster.rows.complete(place) >= window.height for place in range(rows)]
        here = looked_up(across, [raster.needed(0, place)[1] for place in range(columns)])
        there = looked_up(row, needed)
        m.d.comb += [
            first.eq((x == 0) & (y == 0) & (part == 0)),
            last.eq(issue & (part == self._parts - 1)),
            last_x.eq(x == window.kernel[1] - 1), last_y.eq(y == window.kernel[0] - 1),
            right.eq(across == columns - 1), bottom.eq(row == rows - 1),
            self.begins.eq(advance & first & self.go & (
                (whole > there) | ((whole == there) & (column > here) & ~among(row, beyond)))),
            issue.eq(Mux(first, self.begins, advance)),
            done.eq(last & last_x & last_y), over.eq(done & right & bottom),
        ]
        with m.If(issue):
            m.d.sync += part.eq(Mux(last, 0, part + 1))
        with m.If(last):
            m.d.sync += x.eq(Mux(last_x, 0, x + 1))
            with m.If(last_x):
                m.d.sync += y.eq(Mux(last_y, 0, y + 1))
        with m.If(done):
            m.d.sync += [across.eq(Mux(right, 0, across + 1)),
                         at.eq(Mux(right, raster.columns.ahead, at + window.stride[1]))]
            with m.If(right):
                step = window.height - (rows - 1) * window.stride[0]
                m.d.sync += [row.eq(Mux(bottom, 0, row + 1)),
                             anchor.eq(_around(m, anchor, Mux(
                                 bottom, step % slots, window.stride[0] % slots), slots))]
        # Rows are free when the last pixel has been read, not when it is asked for.
        free = Signal.like(freed)
        with m.If(advance):
            m.d.sync += free.eq(Mux(done & right, looked_up(row, self._steps), 0))
            m.d.comb += freed.eq(free)

        back, above = self._back(raster.rows, row, y)
        left, beside = self._back(raster.columns, across, x)
        slot = _around(m, anchor, Mux(back == 0, 0, slots - back), slots)
        place = (at - left)[:width]
        return issue, Cat(place, Const(0, width - len(place)), slot), above | beside, advance

    @staticmethod
    def _back(axis, position, place):
        """How far back a pixel of the window is, and whether it is a constant instead."""
        backs, outside = Const(0, 1), Const(0, 1)
        for number in range(axis.kernel):
            found = [axis.back(at, number) for at in range(axis.positions)]
            default = next(kind for kind in [*axis.kinds(number), 0] if kind is not None)
            own = looked_up(position, [default if kind is None else kind for kind in found])
            backs = Mux(place == number, own, backs)
            outside = Mux(place == number, among(position, [kind is None for kind in found]),
                          outside)
        return backs, outside


def _around(m, number, step, size):
    """Their sum, modulo ``size``; both are below it."""
    total = Signal(range(2 * size))
    m.d.comb += total.eq(number + step)
    return Mux(total >= size, total - size, total)[: max(1, (size - 1).bit_length())]
