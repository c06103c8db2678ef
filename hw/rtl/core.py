"""Every bit node of a network as one pipeline."""

from functools import cached_property

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.realisation import Site
from bitwright.hw.schedule import Work

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
        expect("Width", width, int)
        expect("Interval", interval, int)
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
    slowest is there. What leaves a node in beats goes on in beats to a reader that takes them, and
    is collected for the others. A node that no later node reads has no hardware, unless it can be
    written.

    All times are known from estimates: components are built when something asks for them.

    Parameters
    ----------
    network : ir.Network
    plan : Plan
    sources : mapping from str to Beat, optional
        Nodes whose outputs come from outside, and how: all that others read which are built here.
        The modulator, whole, if left out. Several come together, and whole.
    built : container of str, optional
        Nodes that are built outside.

    Members
    -------
    i : ``In(stream.Signature(width, always_ready=True))``
        Bits of a frame: those of the sources one after the other, or of a beat of the only one.
    o : ``Out(stream.Signature(network.head.in_width, always_ready=True))``
        Bits that the head reads, or the ``beat.bits`` of a beat.

    Attributes
    ----------
    latency : int
        Cycles from a frame to its output, or the last beat of it.
    interval : int
        Cycles from a frame to the next, at least: the largest interval of a node.
    beat : Beat or None
        How the head gets its input, if not whole.
    beats : dict from str to Beat
        How the output of each node leaves.
    nodes : tuple of str
        Names of the nodes that have hardware.
    works : tuple of Work
        What each of them does for a frame.
    estimates : dict from str to Estimate
        What each of them takes.
    sites : dict from str to Site
        Where each of them stands.
    steady : bool
        Whether the output stays as long as the input does, from ``latency`` cycles after it came.

    Raises
    ------
    PlanError
        If a node cannot be built in the way that the plan says.
    """

    def __init__(self, network, plan, sources=None, built=()):
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        self._sources = sources or {
            network.entries[0].name: Beat.whole(network.modulate.out_width)}
        self._head, self._plan = network.entries[-1], plan
        self._entries = [entry for entry in live(network, plan.writable) if entry.name not in built]
        self._choices = {entry.name: choose(entry, plan) for entry in (*self._entries, self._head)}
        self.sites, self.estimates = {}, {}
        # Cycle in which a node's output is offered, its last beat if there are several, counted
        # from the frame's arrival.
        self._times = dict.fromkeys(self._sources, 0)
        self.beats = dict(self._sources)
        registered = _registered(self._entries, self._head, self._choices, plan)
        for entry in self._entries:
            site = Site(entry.name in registered, self._taken(entry))
            found = self._choices[entry.name].estimate(site)
            self.sites[entry.name], self.estimates[entry.name] = site, found
            self._times[entry.name] = self._start(entry) + found.latency
            self.beats[entry.name] = found.beat
        self.interval = max([found.interval for found in self.estimates.values()], default=1)
        self.beat, self.latency = self._taken(self._head), self._start(self._head)
        # Then all of it is logic and registers that take something every cycle.
        self.steady = self.interval == 1 and all(beat.beats == 1 for beat in self.beats.values())
        width = network.head.in_width if self.beat is None else self.beat.bits
        super().__init__({
            "i": In(stream.Signature(sum(beat.bits for beat in self._sources.values()),
                                     always_ready=True)),
            "o": Out(stream.Signature(width, always_ready=True)),
        })

    @property
    def nodes(self):
        return tuple(self.sites)

    @property
    def works(self):
        return tuple(Work(name, self._plan.way(name), found.interval, found.interval)
                     for name, found in self.estimates.items())

    @cached_property
    def _components(self):
        return {name: self._choices[name].build(site) for name, site in self.sites.items()}

    @property
    def outputs(self):
        """Output stream of each node that has hardware, by name, for a bench that looks inside.

        They go by :attr:`beats`.
        """
        return {name: component.o for name, component in self._components.items()}

    @property
    def writes(self):
        """Load ports of each node, by name, see :attr:`Realisation.writes`."""
        return {name: component.writes for name, component in self._components.items()}

    def _taken(self, entry):
        """Beat in which a node takes what its only source hands on; None if it needs it whole."""
        if len(entry.inputs) > 1:
            return None
        beat = self.beats[entry.inputs[0]]
        return beat if beat.beats > 1 and self._choices[entry.name].takes(beat) else None

    def _whole(self, name):
        """Cycle in which the output of a node is there whole."""
        return self._times[name] + (Collector.latency if self.beats[name].beats > 1 else 0)

    def _start(self, entry):
        """Cycle in which a node has its input: when its slowest source is there."""
        if self._taken(entry) is not None:
            return self._times[entry.inputs[0]]
        return max(self._whole(source) for source in entry.inputs)

    def elaborate(self, platform):
        m = Module()
        # By node: its whole output, then the registers that hold it longer and longer, which all
        # its readers share.
        held = self._split(m)
        for entry in self._entries:
            component = self._components[entry.name]
            m.submodules[entry.name] = component
            self._join(m, held, entry, component.i)
            m.d.comb += component.o.ready.eq(1)
            held[entry.name] = []
        self._join(m, held, self._head, self.o)
        return m

    def _split(self, m):
        """Outputs of the sources, as those of a node."""
        if len(self._sources) == 1:
            (name, beat), = self._sources.items()
            return {name: [self.i] if beat.beats == 1 else []}
        held, start = {}, 0
        for name, beat in self._sources.items():
            own = stream.Signature(beat.width, always_ready=True).create(path=(f"{name}_whole",))
            m.d.comb += [own.payload.eq(self.i.payload[start : start + beat.width]),
                         own.valid.eq(self.i.valid)]
            held[name] = [own]
            start += beat.width
        return held

    def _output(self, name):
        """What hands on the output of a node in beats."""
        return self.i if name in self._sources else self._components[name].o

    def _join(self, m, held, entry, target):
        if self._taken(entry) is not None:
            source = self._output(entry.inputs[0])
            m.d.comb += [target.payload.eq(source.payload), target.valid.eq(source.valid)]
            return
        start = self._start(entry)
        sources = [self._source(m, held, name, start - self._whole(name)) for name in entry.inputs]
        slowest = next(name for name in entry.inputs if self._whole(name) == start)
        m.d.comb += [target.payload.eq(Cat(source.payload for source in sources)),
                     target.valid.eq(held[slowest][0].valid)]

    def _source(self, m, held, name, delay):
        """The output of a node, so many cycles after it was there whole."""
        if not held[name]:
            held[name].append(self._collected(m, name))
        registers = -(-delay // self.interval)
        while len(held[name]) <= registers:
            before = held[name][-1]
            hold = _Hold(len(before.payload), self.interval)
            m.submodules[f"_{name}_hold{len(held[name])}"] = hold
            m.d.comb += [hold.i.payload.eq(before.payload), hold.i.valid.eq(before.valid)]
            held[name].append(hold.o)
        return held[name][registers]

    def _collected(self, m, name):
        """The output of a node in whole vectors."""
        source, beat = self._output(name), self.beats[name]
        if beat.beats == 1:
            return source
        m.submodules[f"_{name}_collector"] = collector = Collector.of(beat)
        whole = stream.Signature(beat.width, always_ready=True).create(path=(f"{name}_whole",))
        m.d.comb += [collector.i.payload.as_value().eq(source.payload),
                     collector.i.valid.eq(source.valid), collector.o.ready.eq(1),
                     whole.payload.eq(collector.o.payload.as_value()),
                     whole.valid.eq(collector.o.valid)]
        return whole


def live(network, writable):
    """Bit nodes that lead to the head, or to one that can be written."""
    read = {*network.entries[-1].inputs, *writable}
    live = []
    for entry in reversed(network.entries[1:-1]):
        if entry.name in read:
            read.update(entry.inputs)
            live.append(entry)
    return live[::-1]


def _registered(entries, head, choices, plan):
    """Nodes whose output must come from registers, or a path would be longer than the plan allows.
    """
    registered = set()
    levels = {}  # LUTs between a node's output and the last register
    for entry in entries:
        own = choices[entry.name].levels
        if own is None:
            registered.add(entry.name)
            continue
        level = own + max(levels.get(source, 0) for source in entry.inputs)
        readers = [choices[other.name].levels for other in (*entries, head)
                   if entry.name in other.inputs]
        if any(more is None or level + more > plan.levels_per_register for more in readers):
            registered.add(entry.name)
            level = 0
        levels[entry.name] = level
    return registered
