"""From pixels in raster order to what a window sees, one position after the other."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.raster import Raster
from bitwright.hw.rtl.parts.store import read_later
from bitwright.hw.rtl.parts.tables import among, chosen, looked_up
from bitwright.hw.rtl.realisation import Memory, Resources, logic

__all__ = ["Lines"]


class Lines(wiring.Component):
    """The last rows of an image in a memory, and the window in registers.

    A word of the memory is a column: the pixels of the rows above, as many as the window reaches.
    With each pixel that comes its column is read, moved down by that pixel, and written back, and
    goes into the registers, which move along the row. Where a place of the window is not that
    pixel of them which lies there, at a border, a multiplexer or a constant says what it is.

    Parameters
    ----------
    window : ir.Window

    Members
    -------
    i : ``In(stream.Signature(window.channels))``
        Pixels.
    o : ``Out(stream.Signature(window.bits))``
        What the window sees, position by position.

    Attributes
    ----------
    latency : int
        Cycles from the step with which a position is complete to its window: 1.
    """

    latency = 1

    def __init__(self, window):
        expect("Window", window, ir.Window)
        self._window, self._raster = window, Raster(window)
        super().__init__({"i": In(stream.Signature(window.channels)),
                          "o": Out(stream.Signature(window.bits))})

    @staticmethod
    def measure(window, lut_size):
        """Resources of such a component."""
        raster = Raster(window)
        rows, columns, channels = raster.rows, raster.columns, window.channels
        above = rows.reach * channels
        counters = (raster.pitch - 1).bit_length() + (raster.steps // raster.pitch).bit_length()
        choices = sum(len(rows.kinds(place)) - 1 for place in range(rows.kernel)) * channels
        choices += rows.kernel * channels * sum(
            len(columns.kinds(place)) - 1 for place in range(columns.kernel))
        flip_flops = (columns.reach + 1) * rows.kernel * channels + counters + 2
        return Resources(choices + 2 * counters + 4 * logic(counters // 2 + 1, lut_size),
                         flip_flops,
                         (Memory(above, raster.pitch, True),) if above and raster.pitch > 1 else ())

    def elaborate(self, platform):
        m = Module()
        raster, window = self._raster, self._window
        rows, columns = raster.rows, raster.columns
        column = Signal(range(raster.pitch))
        row = Signal(range(-(-raster.steps // raster.pitch)))
        step, end, final = Signal(), Signal(), Signal()
        next_column = Signal.like(column)
        takes, complete = Signal(), Signal()
        free = ~self.o.valid | self.o.ready
        m.d.comb += [
            takes.eq(among(column, [at < columns.size for at in range(raster.pitch)])
                     & (row < rows.size)),
            self.i.ready.eq(free & takes),
            step.eq(free & (self.i.valid | ~takes)),
            end.eq(column == raster.pitch - 1),
            final.eq((row == (raster.steps - 1) // raster.pitch)
                     & (column == (raster.steps - 1) % raster.pitch)),
            next_column.eq(Mux(step, Mux(end | final, 0, column + 1), column)),
        ]
        m.d.sync += column.eq(next_column)
        with m.If(step & (end | final)):
            m.d.sync += row.eq(Mux(final, 0, row + 1))
        m.d.comb += complete.eq(self._complete(m, row, column, step & end, step & final))
        with m.If(free):
            m.d.sync += self.o.valid.eq(step & complete)

        above = self._above(m, column, next_column, step)
        pixels = [self.i.payload, *(above[at * window.channels :][: window.channels]
                                    for at in range(rows.reach))]
        held = self._hold(m, step, row, pixels)
        m.d.comb += self.o.payload.eq(self._shown(m, step, column, held))
        return m

    def _complete(self, m, row, column, end, final):
        """Whether a position is complete with the pixel of this step."""
        raster = self._raster
        rows, columns = raster.rows, raster.columns
        last = -(-raster.steps // raster.pitch)
        wanted = [False] * last
        for position in range(rows.positions):
            if rows.complete(position) < last:
                wanted[rows.complete(position)] = True
        places = [columns.complete(position) for position in range(columns.positions)]
        now, late = ([place - start in places for place in range(raster.pitch)]
                     for start in (0, -raster.pitch))
        found = among(row, wanted) & among(column, now)
        if not any(late):
            return found
        # What the row before still lacks beyond its last pixel.
        before = Signal()
        with m.If(final):
            m.d.sync += before.eq(0)
        with m.Elif(end):
            m.d.sync += before.eq(among(row, wanted))
        return found | before & among(column, late)

    def _above(self, m, column, next_column, step):
        """The pixels above the one that comes, nearest first."""
        raster, channels = self._raster, self._window.channels
        width = raster.rows.reach * channels
        if not width:
            return Const(0, 0)
        if raster.pitch == 1:
            above = Signal(width, reset_less=True)
            with m.If(step):
                m.d.sync += above.eq(Cat(self.i.payload, above)[:width])
            return above
        m.submodules.lines = lines = memory.Memory(shape=width, depth=raster.pitch, init=[],
                                                   attrs={"no_rw_check": 1})
        # The column of the next step is never the one that is written.
        above, port = read_later(m, lines, next_column, "above"), lines.write_port()
        m.d.comb += [port.addr.eq(column), port.en.eq(step),
                     port.data.eq(Cat(self.i.payload, above)[:width])]
        return above

    def _hold(self, m, step, row, pixels):
        """Registers of the window: by row of the window, columns from the newest on."""
        rows, channels = self._raster.rows, self._window.channels
        at = {rows.complete(position): position for position in range(rows.positions)}
        held = []
        for place in range(rows.kernel):
            kinds = rows.kinds(place)
            seen = [kinds.index(rows.back(at[number], place)) if number in at else 0
                    for number in range(-(-self._raster.steps // self._raster.pitch))]
            pixel = chosen(row, seen, [self._pixel(kind, pixels) for kind in kinds])
            line = Signal((self._raster.columns.reach + 1) * channels, name=f"row{place}",
                          reset_less=True)
            with m.If(step):
                m.d.sync += line.eq(Cat(pixel, line)[: len(line)])
            held.append([line[start : start + channels]
                         for start in range(0, len(line), channels)])
        return held

    def _shown(self, m, step, column, held):
        """The window, from the registers."""
        columns, pitch = self._raster.columns, self._raster.pitch
        choices = []
        for place in range(columns.kernel):
            kinds = columns.kinds(place)
            seen = [0] * pitch
            for position in range(columns.positions):
                seen[columns.complete(position) % pitch] = kinds.index(
                    columns.back(position, place))
            select = Signal(range(len(kinds)), name=f"select{place}")
            with m.If(step):
                m.d.sync += select.eq(looked_up(column, seen))
            choices.append((select, kinds))
        return Cat(chosen(select, range(len(kinds)), [self._pixel(kind, line) for kind in kinds])
                   for line in held for select, kinds in choices)

    def _pixel(self, kind, pixels):
        """One of the pixels, or the constant of the border."""
        if kind is None:
            return Const(int(self._window.border == "one"), 1).replicate(self._window.channels)
        return pixels[kind]
