"""Dense nodes that slide over an image, unrolled."""

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.rtl.layers.body import Body
from bitwright.hw.rtl.realisation import lower

__all__ = ["ConvolutionLayer"]


class ConvolutionLayer(wiring.Component):
    """A copy of the body for every position of the window. A vector every cycle.

    Parameters
    ----------
    node : ir.Convolution
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Images.
    o : ``Out(stream.Signature(node.out_width))``
        Output images, in input order.

    Attributes
    ----------
    latency : int
        That of the body.
    """

    interval = 1

    def __init__(self, node, plan):
        self._node = node
        self._copies = [Body(node.body, plan) for _ in range(node.window.positions)]
        self.latency = self._copies[0].latency
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(node.out_width)),
        })

    def elaborate(self, platform):
        m = Module()
        bits = list(self.i.payload)
        for position, (copy, seen) in enumerate(zip(self._copies, self._node.window.index.tolist(),
                                                    strict=True)):
            m.submodules[f"position{position}"] = copy
            m.d.comb += [copy.i.payload.eq(Cat(bits[index] for index in seen)),
                         copy.i.valid.eq(self.i.valid), copy.o.ready.eq(self.o.ready)]
        # The copies move in step, so that one of them speaks for all.
        first = self._copies[0]
        m.d.comb += [self.i.ready.eq(first.i.ready), self.o.valid.eq(first.o.valid),
                     self.o.payload.eq(Cat(copy.o.payload for copy in self._copies))]
        return m


@lower.register
def _(node: ir.Convolution, plan, registered=True):
    return ConvolutionLayer(node, plan)
