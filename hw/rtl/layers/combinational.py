"""Layers that are logic alone, with a register behind it or none."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.stages import Stages
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources

__all__ = ["Combinational"]


class Combinational(wiring.Component, Realisation):
    """A function of the input bits, whole vectors at a time.

    Latency 1 where it is registered, else 0; a vector every cycle. A subclass gives :meth:`luts`,
    :meth:`levels` and :meth:`_outputs`.

    Parameters
    ----------
    node : ir.BitNode
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
    def luts(cls, node, plan):
        """LUTs that it takes, about."""
        raise NotImplementedError

    @classmethod
    def estimate(cls, node, settings, plan, site):
        flip_flops = node.out_width if site.registered else 0
        return Estimate(Resources(cls.luts(node, plan), flip_flops), int(site.registered), 1,
                        Beat.whole(node.out_width))

    def __init__(self, node, settings, plan, site):
        self._node = node
        self._registered = site.registered
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(node.out_width)),
        })

    def _outputs(self, bits):
        """The output of a list of input bits, as one value."""
        raise NotImplementedError

    def elaborate(self, platform):
        m = Module()
        # Slices are made once and shared, and the layer is one assignment: at tens of thousands
        # of tables the time to generate goes into objects of the hardware language.
        outputs = self._outputs(list(self.i.payload))
        stages = Stages(m, self.i, limit=1)
        if self._registered:
            (outputs,) = stages.register([outputs])
        stages.drive(self.o, outputs)
        return m
