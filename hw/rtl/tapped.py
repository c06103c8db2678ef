"""A network that shows what its nodes hand on, for benches that look for a fault."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.rtl.axi import AxiIp

__all__ = ["Tap", "Tapped"]


@dataclass(frozen=True)
class Tap:
    """Place of a node's output in the word that a tapped design shows.

    Parameters
    ----------
    name : str
        Of the node.
    start, width : int
        Its bits.
    """

    name: str
    start: int
    width: int


class Tapped(wiring.Component):
    """:class:`hw.rtl.axi.AxiIp` that also shows what its nodes hand on.

    Members
    -------
    The ports of AxiIp, and

    tap_fire : ``Out(nodes)``
        Which nodes hand on a vector in this cycle.
    tap_payload : ``Out(sum of the widths of their outputs)``
        Those outputs.

    Attributes
    ----------
    taps : tuple of Tap
        The nodes, in topological order, which is also that of ``tap_fire``.
    latency, interval : int
        As of AxiIp.
    """

    def __init__(self, network, plan):
        self._axi = axi = AxiIp(network, plan)
        self._streams = {network.entries[0].name: axi.ip.encoder.o, **axi.ip.core.outputs,
                         network.entries[-1].name: axi.ip.head.scores}
        taps, start = [], 0
        for name, stream in self._streams.items():
            width = len(Value.cast(stream.payload))
            taps.append(Tap(name, start, width))
            start += width
        self.taps = tuple(taps)
        self.latency, self.interval = axi.latency, axi.interval
        super().__init__({**axi.signature.members,
                          "tap_fire": Out(len(taps)), "tap_payload": Out(start)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.axi = axi = self._axi
        for name, member in axi.signature.members.items():
            inside, outside = getattr(axi, name), getattr(self, name)
            m.d.comb += inside.eq(outside) if member.flow is In else outside.eq(inside)
        streams = self._streams.values()
        m.d.comb += [
            self.tap_fire.eq(Cat(stream.valid & stream.ready for stream in streams)),
            self.tap_payload.eq(Cat(Value.cast(stream.payload) for stream in streams)),
        ]
        return m
