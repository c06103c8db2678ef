"""A network that shows what its nodes hand on, for benches that look for a fault."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.parts.gather import Collector

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
        self._beats = axi.ip.core.beats
        taps, start = [], 0
        for name, stream in self._streams.items():
            beat = self._beats.get(name)
            width = len(Value.cast(stream.payload)) if beat is None else beat.width
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
        streams = [self._whole(m, *item) for item in self._streams.items()]
        m.d.comb += [
            self.tap_fire.eq(Cat(stream.valid & stream.ready for stream in streams)),
            self.tap_payload.eq(Cat(Value.cast(stream.payload)[: tap.width]
                                    for stream, tap in zip(streams, self.taps, strict=True))),
        ]
        return m

    def _whole(self, m, name, stream):
        """The stream of a node, its beats collected to whole vectors."""
        beat = self._beats.get(name)
        if beat is None or beat.beats == 1:
            return stream
        m.submodules[f"tap_{name}"] = collector = Collector.of(beat)
        m.d.comb += [collector.i.payload.as_value().eq(stream.payload),
                     collector.i.valid.eq(stream.valid & stream.ready), collector.o.ready.eq(1)]
        return collector.o
