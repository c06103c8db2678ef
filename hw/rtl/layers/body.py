"""The body of a convolution: dense nodes in a row."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright.hw.plan import FOLDED, UNROLLED
from bitwright.hw.rtl.realisation import Choice, Resources, ways

__all__ = ["Body"]


class Body(wiring.Component):
    """Dense nodes in a row, each with registers behind it.

    Parameters
    ----------
    nodes : tuple of ir.BitNode
    plan : Plan
    settings : Folded, optional
        By which those that can be folded are.

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
    writes
        As of :class:`Realisation`.
    """

    def __init__(self, nodes, plan, settings=None):
        self._parts = [choice.build() for choice in _choices(nodes, plan, settings)]
        _, self.latency, self.interval = self.measure(nodes, plan, settings)
        super().__init__({
            "i": In(stream.Signature(nodes[0].in_width)),
            "o": Out(stream.Signature(nodes[-1].out_width)),
        })

    @staticmethod
    def measure(nodes, plan, settings=None):
        """Resources, latency and interval of such a component."""
        found = [choice.estimate() for choice in _choices(nodes, plan, settings)]
        return (sum((one.resources for one in found), Resources()),
                sum(one.latency for one in found), max(one.interval for one in found))

    @property
    def writes(self):
        return tuple(write for part in self._parts for write in part.writes)

    def elaborate(self, platform):
        m = Module()
        before = flipped(self.i)
        for index, part in enumerate(self._parts):
            m.submodules[f"body{index}"] = part
            connect(m, before, part.i)
            before = part.o
        connect(m, before, flipped(self.o))
        return m


def _choices(nodes, plan, settings):
    for node in nodes:
        known = ways(type(node))
        if settings is not None and FOLDED in known:
            yield Choice(node, known[FOLDED], settings, plan)
        else:
            yield Choice(node, known[UNROLLED], known[UNROLLED].Settings(), plan)
