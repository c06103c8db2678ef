"""Dense nodes that slide over an image, folded: the window stays, and the image moves past it."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.folding import Block, Folded
from bitwright.hw.limits import WIDEST, WidthError
from bitwright.hw.plan import FOLDED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers.body import Body
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises

__all__ = ["FoldedConvolution"]


@realises(ir.Convolution, FOLDED)
class FoldedConvolution(wiring.Component, Realisation):
    """A few copies of the body, often one, and the image that moves past them.

    It lies in a register, with its padding.

    The outputs are collected until an image is whole. Where there are cycles enough for every
    position, the body is folded too.

    Parameters
    ----------
    node : ir.Convolution
    settings : Folded
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Images.
    o : ``Out(stream.Signature(node.out_width))``
        Output images, in input order.

    Raises
    ------
    WidthError
        If the image or the collected outputs are wider than Amaranth's signals can be.
    """

    Settings = Folded

    @classmethod
    def estimate(cls, node, settings, plan, site):
        block, body = _cut(node, settings)
        resources, latency, pace = Body.measure(node, plan, body)
        copies = block.rows * block.columns
        collector = Collector.flip_flops(block.count, copies * node.channels)
        bits = block.window.in_width
        moving = Resources(2 * bits, bits + collector)  # loads, or moves one way
        return Estimate(resources * copies + moving,
                        1 + (block.count - 1) * pace + latency + Collector.latency,
                        block.count * pace, Beat.whole(node.out_width))

    def __init__(self, node, settings, plan, site):
        self._node = node
        block, body = _cut(node, settings)
        self._block = block
        self._copies = [Body(node, plan, body) for _ in block.seen()]
        self._pace = self._copies[0].interval
        bits, width = block.window.in_width, len(self._copies) * node.channels
        if bits > WIDEST:
            raise WidthError(f"Image of a folded convolution must have at most {WIDEST:,} bits "
                             f"with its padding, not {bits:,}")
        if width * block.count > WIDEST:
            raise WidthError(f"Outputs of a folded convolution must have at most {WIDEST:,} bits, "
                             f"not {width * block.count:,} ({block.count:,} times {width:,})")
        self._outputs = Collector(block.count, data.ArrayLayout(width, 1),
                                  data.ArrayLayout(width, block.count))
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(node.out_width)),
        })

    @property
    def writes(self):
        # Each copy has the same contents, which are written at the same time.
        return tuple(sum(ports, ()) for ports in zip(*(copy.writes for copy in self._copies),
                                                     strict=True))

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
        image = Signal(self._block.window.in_width, reset_less=True)
        bits = [*self.i.payload, Const(0, 1), Const(1, 1)]
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
            m.d.sync += [image.eq(Cat(bits[index] for index in self._node.window.padded.tolist())),
                         busy.eq(1)]
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


def _cut(node, settings):
    """Positions that are worked on at the same time, and settings of the nodes of the body."""
    return Block.of(node, settings.cycles), settings.body(node)
