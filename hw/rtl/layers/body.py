"""The body of a convolution: dense nodes in a row."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright.hw.rtl.realisation import fold, foldable, lower

__all__ = ["Body"]


class Body(wiring.Component):
    """Dense nodes in a row, each with registers behind it.

    Parameters
    ----------
    nodes : tuple of ir.BitNode
    plan : Plan
    cycles : int
        That each may take for a vector. From 2 up, those that can be folded are.

    Members
    -------
    i : ``In(stream.Signature(nodes[0].in_width))``
        Input vectors.
    o : ``Out(stream.Signature(nodes[-1].out_width))``
        Output vectors, in input order.

    Attributes
    ----------
    latency : int
        Cycles from a vector to its output, when nothing stalls.
    interval : int
        Cycles from a vector to the next.
    """

    def __init__(self, nodes, plan, cycles=1):
        self._parts = [fold(node, plan, cycles) if cycles > 1 and foldable(node)
                       else lower(node, plan) for node in nodes]
        self.latency = sum(part.latency for part in self._parts)
        self.interval = max(part.interval for part in self._parts)
        super().__init__({
            "i": In(stream.Signature(nodes[0].in_width)),
            "o": Out(stream.Signature(nodes[-1].out_width)),
        })

    def elaborate(self, platform):
        m = Module()
        before = flipped(self.i)
        for index, part in enumerate(self._parts):
            m.submodules[f"body{index}"] = part
            connect(m, before, part.i)
            before = part.o
        connect(m, before, flipped(self.o))
        return m
