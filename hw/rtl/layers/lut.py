"""A layer of look-up tables, unrolled."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.stages import Stages
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, logic, realises

__all__ = ["LutLayer"]


@realises(ir.Lut, UNROLLED)
class LutLayer(wiring.Component, Realisation):
    """Layer of truth tables: constants indexed by the bits that they read.

    Latency 1 where it is registered, else 0; a vector every cycle.

    Parameters
    ----------
    node : ir.Lut
    settings : NoSettings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(node.out_width))``
        Output vectors, in input order.
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        luts = node.out_width * logic(node.fan_in, plan.lut_size)
        flip_flops = node.out_width if site.registered else 0
        return Estimate(Resources(luts, flip_flops), int(site.registered), 1,
                        Beat.whole(node.out_width))

    @classmethod
    def levels(cls, node, plan):
        return plan.levels(node.fan_in)

    def __init__(self, node, settings, plan, site):
        self._node = node
        self._registered = site.registered
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(node.out_width)),
        })

    def elaborate(self, platform):
        m = Module()
        node = self._node

        # Slices are made once and shared, and the layer is one assignment: at tens of thousands
        # of tables the time to generate goes into objects of the hardware language.
        bits = [*self.i.payload, Const(0, 1)]  # so that source -1 reads the constant
        size = 1 << node.fan_in
        contents = [Const(word, size) for word in ir.pack(node.tables)]
        outputs = Cat(content.bit_select(Cat(bits[source] for source in row), 1)
                      for content, row in zip(contents, node.sources.tolist(), strict=True))
        stages = Stages(m, self.i, limit=1)
        if self._registered:
            (outputs,) = stages.register([outputs])
        stages.drive(self.o, outputs)

        return m
