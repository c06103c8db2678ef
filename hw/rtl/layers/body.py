"""The body of a convolution: dense nodes in a row, or a row of them a group."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.plan import FOLDED, UNROLLED
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.parts.stages import Pipeline
from bitwright.hw.rtl.realisation import Choice, Realisation, Resources, Site, ways

__all__ = ["Body", "Chain"]


class Body(wiring.Component):
    """The dense nodes of a convolution for one position, each with registers behind it.

    Groups take their bits of a window at the same time and hand on their outputs together, those of
    a faster group after as many more registers.

    Parameters
    ----------
    node : ir.Convolution
    plan : Plan
    settings : tuple of Folded or None, optional
        Of each node of the body, by which it is folded if it can be.

    Members
    -------
    i : ``In(stream.Signature(node.window.bits))``
        What the window sees.
    o : ``Out(stream.Signature(node.channels))``
        Channels of the position, in input order.

    Attributes
    ----------
    latency : int
        Cycles from a window to its output, when nothing stalls.
    interval : int
        Cycles from a window to the next.
    writes
        As of :class:`Realisation`, in the order of the nodes of the body.
    """

    def __init__(self, node, plan, settings=None):
        self._seen = node.seen.tolist()
        self._chains = [Chain(nodes, plan, own)
                        for nodes, own in zip(node.chains, _split(node, settings), strict=True)]
        _, self.latency, self.interval = self.measure(node, plan, settings)
        self._waits = [_Wait(nodes[-1].out_width, self.latency - chain.latency)
                       for nodes, chain in zip(node.chains, self._chains, strict=True)]
        super().__init__({
            "i": In(stream.Signature(node.window.bits)),
            "o": Out(stream.Signature(node.channels)),
        })

    @staticmethod
    def measure(node, plan, settings=None):
        """Resources, latency and interval of such a component."""
        found = [Chain.measure(nodes, plan, own)
                 for nodes, own in zip(node.chains, _split(node, settings), strict=True)]
        latency = max(own for _, own, _ in found)
        waits = sum((latency - own) * (nodes[-1].out_width + 1)
                    for (_, own, _), nodes in zip(found, node.chains, strict=True))
        return (sum((own for own, _, _ in found), Resources(0, waits)), latency,
                max(own for _, _, own in found))

    @property
    def writes(self):
        return sum((chain.writes for chain in self._chains), ())

    def elaborate(self, platform):
        m = Module()
        takes, gives = Signal(), Signal()  # all groups at the same time
        alone = len(self._chains) == 1
        m.d.comb += [takes.eq(self.i.valid if alone else self.i.valid & self.i.ready),
                     gives.eq(self.o.ready if alone else self.o.valid & self.o.ready),
                     self.i.ready.eq(Cat(chain.i.ready for chain in self._chains).all()),
                     self.o.valid.eq(Cat(wait.o.valid for wait in self._waits).all()),
                     self.o.payload.eq(Cat(wait.o.payload for wait in self._waits))]
        for place, (chain, wait, seen) in enumerate(zip(self._chains, self._waits, self._seen,
                                                        strict=True)):
            m.submodules[f"group{place}"] = chain
            m.submodules[f"wait{place}"] = wait
            m.d.comb += [chain.i.payload.eq(Cat(self.i.payload[bit] for bit in seen)),
                         chain.i.valid.eq(takes), wait.o.ready.eq(gives)]
            connect(m, chain.o, wait.i)
        return m


class _Wait(Pipeline):
    """Registers in a row. As :class:`Pipeline`."""

    def __init__(self, width, latency):
        super().__init__(width, width, 1, latency)

    def _payload(self, stages):
        values = [self.i.payload]
        for _ in range(self.latency):
            values = stages.register(values)
        return values[0]


class Chain(wiring.Component):
    """Dense nodes in a row, each with registers behind it.

    Where a node does not take its input as the one before hands it on, and at the end, beats are
    collected to whole vectors.

    Parameters
    ----------
    nodes : tuple of ir.BitNode
    plan : Plan
    settings : tuple of Folded or None, optional
        Of each node.
    beat : Beat, optional
        How the input comes, one that the first node takes. A whole vector if left out.

    Members
    -------
    i : ``In(stream.Signature(nodes[0].in_width))``
        Input vectors, or of the bits of ``beat``.
    o : ``Out(stream.Signature(nodes[-1].out_width))``
        Output vectors, in input order.

    Attributes
    ----------
    latency : int
        Cycles from a vector, or the last beat of it, to its output, when nothing stalls.
    interval, writes
        As of :class:`Body`.
    """

    def __init__(self, nodes, plan, settings=None, beat=None):
        self._parts = []
        for choice, site, collected in _chain(nodes, plan, settings, beat):
            self._parts.append(choice.build(site))
            if collected is not None:
                self._parts.append(Collector.of(collected))
        _, self.latency, self.interval = self.measure(nodes, plan, settings, beat)
        super().__init__({
            "i": In(stream.Signature(nodes[0].in_width if beat is None else beat.bits)),
            "o": Out(stream.Signature(nodes[-1].out_width)),
        })

    @staticmethod
    def measure(nodes, plan, settings=None, beat=None):
        """Resources, latency and interval of such a component."""
        resources, latency, interval = Resources(), 0, 1
        for choice, site, collected in _chain(nodes, plan, settings, beat):
            found = choice.estimate(site)
            resources += found.resources
            latency += found.latency
            interval = max(interval, found.interval)
            if collected is not None:
                resources += Resources(0, Collector.flip_flops(collected.beats, collected.bits))
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


def _split(node, settings):
    """Settings of the nodes of each group."""
    left = iter(settings or [None] * len(node.body))
    return [tuple(next(left) for _ in nodes) for nodes in node.chains]


def _chain(nodes, plan, settings, beat):
    """How each node is built and where it stands; and its beat, if that must be collected."""
    choices = [_choice(node, plan, own)
               for node, own in zip(nodes, settings or [None] * len(nodes), strict=True)]
    for choice, reader in zip(choices, (*choices[1:], None), strict=True):
        site = Site(beat=beat)
        beat = choice.estimate(site).beat
        whole = beat.beats == 1
        taken = not whole and reader is not None and reader.takes(beat)
        yield choice, site, None if whole or taken else beat
        beat = beat if taken else None


def _choice(node, plan, settings):
    known = ways(type(node))
    # The tables of a body are as few as its window sees, and stay logic.
    if settings is not None and FOLDED in known and not isinstance(node, ir.Lut):
        return Choice(node, known[FOLDED], settings, plan)
    return Choice(node, known[UNROLLED], known[UNROLLED].Settings(), plan)
