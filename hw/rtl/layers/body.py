"""The body of a convolution: dense nodes in a row."""

from amaranth.hdl import Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, flipped

from bitwright.hw.plan import FOLDED, UNROLLED
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.realisation import Choice, Realisation, Resources, Site, ways

__all__ = ["Body"]


class Body(wiring.Component):
    """Dense nodes in a row, each with registers behind it.

    Where a node does not take its input as the one before hands it on, and at the end, beats are
    collected to whole vectors.

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
        self._parts = []
        for choice, site, beat in _chain(nodes, plan, settings):
            self._parts.append(choice.build(site))
            if beat is not None:
                self._parts.append(Collector.of(beat))
        _, self.latency, self.interval = self.measure(nodes, plan, settings)
        super().__init__({
            "i": In(stream.Signature(nodes[0].in_width)),
            "o": Out(stream.Signature(nodes[-1].out_width)),
        })

    @staticmethod
    def measure(nodes, plan, settings=None):
        """Resources, latency and interval of such a component."""
        resources, latency, interval = Resources(), 0, 1
        for choice, site, beat in _chain(nodes, plan, settings):
            found = choice.estimate(site)
            resources += found.resources
            latency += found.latency
            interval = max(interval, found.interval)
            if beat is not None:
                resources += Resources(0, Collector.flip_flops(beat.beats, beat.bits))
                latency += Collector.latency
        return resources, latency, interval

    @property
    def writes(self):
        return tuple(write for part in self._parts if isinstance(part, Realisation)
                     for write in part.writes)

    def elaborate(self, platform):
        m = Module()
        before = flipped(self.i)
        for index, part in enumerate([*self._parts, None]):
            target = flipped(self.o) if part is None else part.i
            # Bits past the end of a vector, which a collector may have, are left out.
            m.d.comb += [Value.cast(target.payload).eq(Value.cast(before.payload)),
                         target.valid.eq(before.valid), before.ready.eq(target.ready)]
            if part is not None:
                m.submodules[f"body{index}"] = part
                before = part.o
        return m


def _chain(nodes, plan, settings):
    """How each node is built and where it stands; and its beat, if that must be collected."""
    beat = None
    choices = [_choice(node, plan, settings) for node in nodes]
    for choice, reader in zip(choices, (*choices[1:], None), strict=True):
        site = Site(beat=beat)
        beat = choice.estimate(site).beat
        whole = beat.beats == 1
        taken = not whole and reader is not None and reader.takes(beat)
        yield choice, site, None if whole or taken else beat
        beat = beat if taken else None


def _choice(node, plan, settings):
    known = ways(type(node))
    if settings is not None and FOLDED in known:
        return Choice(node, known[FOLDED], settings, plan)
    return Choice(node, known[UNROLLED], known[UNROLLED].Settings(), plan)
