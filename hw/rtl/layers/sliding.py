"""Dense nodes that slide over an image, folded: the window stays, and the image moves past it."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.limits import WIDEST, WidthError
from bitwright.hw.rtl.layers.body import Body
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.realisation import fold

__all__ = ["FoldedConvolution"]


@dataclass(frozen=True)
class _Block:
    """Neighbouring positions that are worked on at the same time.

    Parameters
    ----------
    window : ir.Window
    rows, columns : int
        Of positions in a block. Blocks stand side by side; the last of a row and those of the last
        row may go beyond the positions that there are.
    """

    window: ir.Window
    rows: int
    columns: int

    @classmethod
    def within(cls, window, cycles):
        """The smallest block of which there are no more than that many."""
        rows, columns = window.shape
        sizes = [(1, wide) for wide in range(1, columns + 1)]
        sizes += [(high, columns) for high in range(2, rows + 1)]
        blocks = (cls(window, *size) for size in sizes)
        return next(block for block in blocks if block.count <= max(1, cycles))

    @property
    def shape(self):
        """Rows and columns of blocks."""
        rows, columns = self.window.shape
        return -(-rows // self.rows), -(-columns // self.columns)

    @property
    def count(self):
        return self.shape[0] * self.shape[1]

    @property
    def across(self):
        """Bits of the image from a block to the next of the same row."""
        return self.columns * self.window.stride[1] * self.window.channels

    @property
    def down(self):
        """Bits of the image from the last block of a row to the first of the next row."""
        row = self.rows * self.window.stride[0] * self.window.width * self.window.channels
        return row - (self.shape[1] - 1) * self.across

    def seen(self):
        """Bits of the image that the window sees, a list for each position of the first block.

        Where the block goes beyond the image they go beyond its bits, or are those of other
        pixels.
        """
        w = self.window
        return [[((row * w.stride[0] + y) * w.width + column * w.stride[1] + x) * w.channels + c
                 for y in range(w.kernel[0]) for x in range(w.kernel[1])
                 for c in range(w.channels)]
                for row in range(self.rows) for column in range(self.columns)]

    def places(self):
        """Place of each position, row by row, among all positions block by block."""
        rows, columns = self.window.shape
        size = self.rows * self.columns
        return [(row // self.rows * self.shape[1] + column // self.columns) * size
                + row % self.rows * self.columns + column % self.columns
                for row in range(rows) for column in range(columns)]


class FoldedConvolution(wiring.Component):
    """A few copies of the body, often one, and the image in a register that moves past them.

    The outputs are collected until an image is whole. Where there are cycles enough for every
    position, the body is folded too.

    Parameters
    ----------
    node : ir.Convolution
    plan : Plan
    cycles : int
        That it may take for an image.

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Images.
    o : ``Out(stream.Signature(node.out_width))``
        Output images, in input order.

    Attributes
    ----------
    latency : int
        Cycles from an image to its output, when nothing stalls.
    interval : int
        Cycles from an image to the next.

    Raises
    ------
    WidthError
        If the collected outputs are wider than Amaranth's signals can be.
    """

    def __init__(self, node, plan, cycles):
        self._node = node
        self._block = block = _Block.within(node.window, cycles)
        budget = max(1, cycles // block.count)
        self._copies = [Body(node.body, plan, budget) for _ in block.seen()]
        self._pace = self._copies[0].interval
        width = len(self._copies) * node.channels
        if width * block.count > WIDEST:
            raise WidthError(f"Outputs of a folded convolution must have at most {WIDEST:,} bits, "
                             f"not {width * block.count:,} ({block.count:,} times {width:,})")
        self._outputs = Collector(block.count, data.ArrayLayout(width, 1),
                                  data.ArrayLayout(width, block.count))
        self.interval = block.count * self._pace
        self.latency = (1 + (block.count - 1) * self._pace + self._copies[0].latency
                        + self._outputs.latency)
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(node.out_width)),
        })

    def elaborate(self, platform):
        m = Module()
        first = self._copies[0]
        step = Signal()
        image = self._move(m, first.i.ready, step)
        shown = [*image, Const(0, 1)]
        for place, (copy, seen) in enumerate(zip(self._copies, self._block.seen(), strict=True)):
            m.submodules[f"copy{place}"] = copy
            m.d.comb += [copy.i.payload.eq(Cat(shown[min(index, len(image))] for index in seen)),
                         copy.i.valid.eq(step)]
        self._collect(m)
        return m

    def _move(self, m, ready, step):
        """Take images and let them move; ``step`` says that the copies take what they see."""
        rows, columns = self._block.shape
        image = Signal(self._node.in_width, reset_less=True)
        busy = Signal()
        row, column, wait = Signal(range(rows)), Signal(range(columns)), Signal(range(self._pace))
        end, bottom, moved = Signal(), Signal(), Signal()
        m.d.comb += [
            end.eq(column == columns - 1),
            bottom.eq(row == rows - 1),
            # Evenly: a copy of several parts would take the first windows faster than the rest.
            step.eq(busy & (wait == 0)),
            moved.eq(step & ready),
            # In the cycle before that of the first step, so that the latency is always the same.
            self.i.ready.eq(~busy & (wait <= 1) if self._pace > 1
                            else ~busy | (moved & end & bottom)),
        ]
        m.d.sync += wait.eq(Mux(moved, self._pace - 1, Mux(wait == 0, 0, wait - 1)))
        with m.If(moved):
            m.d.sync += [
                image.eq(Mux(end, image[self._block.down :], image[self._block.across :])),
                column.eq(Mux(end, 0, column + 1)),
            ]
            with m.If(end):
                m.d.sync += row.eq(Mux(bottom, 0, row + 1))
                with m.If(bottom):
                    m.d.sync += busy.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [image.eq(self.i.payload), busy.eq(1)]
        return image

    def _collect(self, m):
        m.submodules.outputs = outputs = self._outputs
        found = outputs.o.payload.as_value()
        channels = self._node.channels
        m.d.comb += [
            outputs.i.payload.as_value().eq(Cat(copy.o.payload for copy in self._copies)),
            outputs.i.valid.eq(self._copies[0].o.valid),
            self.o.payload.eq(Cat(found[place * channels :][:channels]
                                  for place in self._block.places())),
            self.o.valid.eq(outputs.o.valid),
            outputs.o.ready.eq(self.o.ready),
        ]
        m.d.comb += [copy.o.ready.eq(outputs.i.ready) for copy in self._copies]


@fold.register
def _(node: ir.Convolution, plan, cycles):
    return FoldedConvolution(node, plan, cycles)
