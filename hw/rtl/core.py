"""Every bit node of a network as one pipeline."""

from functools import cached_property

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.realisation import Site

__all__ = ["Core"]


class _Hold(wiring.Component):
    """A register in which a vector waits for another that takes longer.

    What arrives in a cycle lies in the register from the next cycle on, for ``interval`` cycles.
    Those are as many as it is needed: then the next vector may come.

    Members
    -------
    i : ``In(stream.Signature(width, always_ready=True))``
        Vectors, at least ``interval`` cycles apart.
    o : ``Out(stream.Signature(width, always_ready=True))``
        The same vectors, offered as they leave, ``interval`` cycles later.
    """

    def __init__(self, width, interval):
        self._interval = interval
        signature = stream.Signature(width, always_ready=True)
        super().__init__({"i": In(signature), "o": Out(signature)})

    def elaborate(self, platform):
        m = Module()
        if self._interval == 1:
            m.d.sync += [self.o.payload.eq(self.i.payload), self.o.valid.eq(self.i.valid)]
            return m
        left = Signal(range(self._interval))
        m.d.sync += self.o.valid.eq(left == 1)
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(self.i.valid):
            m.d.sync += [self.o.payload.eq(self.i.payload), left.eq(self._interval - 1)]
        return m


class Core(wiring.Component):
    """Bit nodes of a network.

    Each node is a submodule by its own name, with its output in ``o``. Nothing ever waits inside:
    the output must be taken when it is offered, and frames must be ``interval`` cycles apart, so
    that each node has time for a frame. So the latency of every node is fixed. One that reads
    several others gets the vectors of one frame together: the faster ones are held until the
    slowest is there. A node that no later node reads has no hardware, unless it can be written.

    All times are known from estimates: components are built when something asks for them.

    Parameters
    ----------
    network : ir.Network
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(network.modulate.out_width, always_ready=True))``
        Bits of a frame.
    o : ``Out(stream.Signature(network.head.in_width, always_ready=True))``
        Bits that the head reads.

    Attributes
    ----------
    latency : int
        Cycles from a frame to its output.
    interval : int
        Cycles from a frame to the next, at least: the largest interval of a node.
    nodes : tuple of str
        Names of the nodes that have hardware.

    Raises
    ------
    PlanError
        If a node cannot be built in the way that the plan says.
    """

    def __init__(self, network, plan):
        self._modulate = network.entries[0].name
        self._head = network.entries[-1]
        self._entries = _live(network, plan.writable)
        self._choices = {entry.name: choose(entry, plan) for entry in self._entries}
        self._sites = _sites(self._entries, self._head, self._choices, plan)
        self._estimates = {name: choice.estimate(self._sites[name])
                           for name, choice in self._choices.items()}
        self.interval = max([found.interval for found in self._estimates.values()], default=1)
        # Cycle in which a node's output is offered, counted from the frame's arrival.
        self._times = {self._modulate: 0}
        for entry in self._entries:
            self._times[entry.name] = self._start(entry) + self._estimates[entry.name].latency
        self.latency = self._start(self._head)
        super().__init__({
            "i": In(stream.Signature(network.modulate.out_width, always_ready=True)),
            "o": Out(stream.Signature(network.head.in_width, always_ready=True)),
        })

    @property
    def nodes(self):
        return tuple(self._choices)

    @cached_property
    def _components(self):
        return {name: choice.build(self._sites[name]) for name, choice in self._choices.items()}

    @property
    def outputs(self):
        """Output stream of each node that has hardware, by name, for a bench that looks inside."""
        return {name: component.o for name, component in self._components.items()}

    @property
    def writes(self):
        """Load ports of each node, by name, see :attr:`Realisation.writes`."""
        return {name: component.writes for name, component in self._components.items()}

    def _start(self, entry):
        """Cycle in which a node gets its input: when its slowest source is there."""
        return max(self._times[source] for source in entry.inputs)

    def elaborate(self, platform):
        m = Module()
        # By node: its output, then the registers that hold it longer and longer, which all its
        # readers share.
        held = {self._modulate: [self.i]}
        for entry in self._entries:
            component = self._components[entry.name]
            m.submodules[entry.name] = component
            self._join(m, held, entry, component.i)
            m.d.comb += component.o.ready.eq(1)
            held[entry.name] = [component.o]
        self._join(m, held, self._head, self.o)
        return m

    def _join(self, m, held, entry, target):
        start = self._start(entry)
        sources = [self._source(m, held, name, start - self._times[name]) for name in entry.inputs]
        slowest = next(name for name in entry.inputs if self._times[name] == start)
        m.d.comb += [target.payload.eq(Cat(source.payload for source in sources)),
                     target.valid.eq(held[slowest][0].valid)]

    def _source(self, m, held, name, delay):
        """The output of a node, so many cycles after it was offered."""
        registers = -(-delay // self.interval)
        while len(held[name]) <= registers:
            before = held[name][-1]
            hold = _Hold(len(before.payload), self.interval)
            m.submodules[f"_{name}_hold{len(held[name])}"] = hold
            m.d.comb += [hold.i.payload.eq(before.payload), hold.i.valid.eq(before.valid)]
            held[name].append(hold.o)
        return held[name][registers]


def _live(network, writable):
    """Bit nodes that lead to the head, or to one that can be written."""
    read = {*network.entries[-1].inputs, *writable}
    live = []
    for entry in reversed(network.entries[1:-1]):
        if entry.name in read:
            read.update(entry.inputs)
            live.append(entry)
    return live[::-1]


def _sites(entries, head, choices, plan):
    """Where each node stands: registered where a path would get longer than the plan allows."""
    sites = {}
    levels = {}  # LUTs between a node's output and the last register
    for entry in entries:
        own = choices[entry.name].levels
        if own is None:
            sites[entry.name] = Site()
            continue
        level = own + max(levels.get(source, 0) for source in entry.inputs)
        readers = [choices[other.name].levels if other is not head else None
                   for other in (*entries, head) if entry.name in other.inputs]
        registered = any(more is None or level + more > plan.levels_per_register
                         for more in readers)
        sites[entry.name] = Site(registered=registered)
        levels[entry.name] = 0 if registered else level
    return sites
