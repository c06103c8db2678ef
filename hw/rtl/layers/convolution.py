"""Dense nodes that slide over an image, unrolled."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers.body import Body
from bitwright.hw.rtl.realisation import Estimate, Realisation, realises

__all__ = ["ConvolutionLayer"]


@realises(ir.Convolution, UNROLLED)
class ConvolutionLayer(wiring.Component, Realisation):
    """A copy of the body for every position of the window. A vector every cycle.

    Parameters
    ----------
    node : ir.Convolution
    settings : NoSettings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Images.
    o : ``Out(stream.Signature(node.out_width))``
        Output images, in input order.
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        resources, latency, interval = Body.measure(node, plan)
        return Estimate(resources * node.window.positions, latency, interval,
                        Beat.whole(node.out_width))

    def __init__(self, node, settings, plan, site):
        self._node = node
        self._copies = [Body(node, plan) for _ in range(node.window.positions)]
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(node.out_width)),
        })

    def elaborate(self, platform):
        m = Module()
        bits = [*self.i.payload, Const(0, 1), Const(1, 1)]  # what the index calls in_width, + 1
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
