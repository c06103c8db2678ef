"""Images side by side: wires."""

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.stages import Stages
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises

__all__ = ["JoinLayer"]


@realises(ir.Join, UNROLLED)
class JoinLayer(wiring.Component, Realisation):
    """The bits of several images, in another order.

    Latency 1 where it is registered, else 0; a vector every cycle.

    Parameters
    ----------
    node : ir.Join
    settings : NoSettings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Images, one after the other.
    o : ``Out(stream.Signature(node.out_width))``
        The image of all, in input order.
    """

    @classmethod
    def estimate(cls, node, settings, plan, site):
        return Estimate(Resources(0, node.out_width if site.registered else 0),
                        int(site.registered), 1, Beat.whole(node.out_width))

    @classmethod
    def levels(cls, node, plan):
        return 0

    def __init__(self, node, settings, plan, site):
        self._node = node
        self._registered = site.registered
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(node.out_width)),
        })

    def elaborate(self, platform):
        m = Module()
        bits = list(self.i.payload)
        outputs = Cat(bits[index] for index in self._node.index.tolist())
        stages = Stages(m, self.i, limit=1)
        if self._registered:
            (outputs,) = stages.register([outputs])
        stages.drive(self.o, outputs)
        return m
