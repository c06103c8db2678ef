"""Every bit node of a network as one pipeline."""

import itertools

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

import ir
from hw.layers import lower
from hw.stages import Stages

__all__ = ["Core"]


class _Delay(wiring.Component):
    """A register in which a vector waits a cycle for another that takes longer."""

    latency = 1

    def __init__(self, width):
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(width))})

    def elaborate(self, platform):
        m = Module()
        stages = Stages(m, self.i, limit=1)
        (held,) = stages.register([self.i.payload])
        stages.drive(self.o, held)
        return m


class Core(wiring.Component):
    """Bit nodes of a network, a frame every cycle.

    Each node is a submodule by its own name, with its output in ``o``. A node that reads several
    others gets the vectors of one frame together: faster paths are delayed to match. So all paths
    from the input to a point are equally long, vectors at that point move in step, and one of
    their handshakes speaks for all. A node that no later node reads has no hardware.

    Parameters
    ----------
    network : ir.Network
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(network.modulate.out_width))``
        Bits of a frame.
    o : ``Out(stream.Signature(network.head.in_width))``
        Bits that the head reads.

    Attributes
    ----------
    latency : int
        Cycles from a frame to its output, when nothing stalls.
    interval : int
        Cycles from a frame to the next: 1.
    nodes : tuple of str
        Names of the nodes that have hardware.
    """

    interval = 1

    def __init__(self, network, plan):
        plan.check(tuple(entry.name for entry in network.entries))
        self._modulate = network.entries[0].name
        self._head = network.entries[-1]
        self._entries = _live(network)
        self._components = _lower(self._entries, self._head, plan)
        # Cycle in which a node's output is offered, counted from the frame's arrival.
        self._times = {self._modulate: 0}
        for entry in self._entries:
            self._times[entry.name] = (self._start(entry)
                                       + self._components[entry.name].latency)
        self.latency = self._start(self._head)
        super().__init__({
            "i": In(stream.Signature(network.modulate.out_width)),
            "o": Out(stream.Signature(network.head.in_width)),
        })

    @property
    def nodes(self):
        return tuple(self._components)

    @property
    def outputs(self):
        """Output stream of each node that has hardware, by name, for a bench that looks inside."""
        return {name: component.o for name, component in self._components.items()}

    def _start(self, entry):
        """Cycle in which a node gets its input: when its slowest source is there."""
        return max(self._times[source] for source in entry.inputs)

    def elaborate(self, platform):
        m = Module()

        # Streams by node and the cycle in which they offer its output; a chain of single delays,
        # which all readers share.
        streams = {(self._modulate, 0): self.i}
        starting = []  # (cycle, stream): inputs that take a vector in that cycle
        for entry in self._entries:
            component = self._components[entry.name]
            m.submodules[entry.name] = component
            streams[entry.name, self._times[entry.name]] = component.o
            starting.append((self._start(entry), component))
        for entry in (*self._entries, self._head):
            for source, time in itertools.product(entry.inputs, range(self._start(entry))):
                if time < self._times[source] or (source, time + 1) in streams:
                    continue
                before = streams[source, time]
                delay = _Delay(len(before.payload))
                m.submodules[f"_{source}_delay{time + 1}"] = delay
                m.d.comb += [delay.i.payload.eq(before.payload), delay.i.valid.eq(before.valid)]
                streams[source, time + 1] = delay.o
                starting.append((time, delay))

        # What takes vectors in a cycle does so in step, so any of its registers may answer.
        ready = {self.latency: self.o.ready}
        for time, component in starting:
            if component.latency:
                ready.setdefault(time, component.i.ready)
        for (_, time), source in streams.items():
            m.d.comb += source.ready.eq(ready[time])
        for entry in self._entries:
            self._join(m, streams, entry, self._components[entry.name].i)
        self._join(m, streams, self._head, self.o)
        return m

    def _join(self, m, streams, entry, target):
        sources = [streams[name, self._start(entry)] for name in entry.inputs]
        m.d.comb += [target.payload.eq(Cat(source.payload for source in sources)),
                     target.valid.eq(sources[0].valid)]


def _live(network):
    """Bit nodes that lead to the head."""
    read = set(network.entries[-1].inputs)
    live = []
    for entry in reversed(network.entries[1:-1]):
        if entry.name in read:
            read.update(entry.inputs)
            live.append(entry)
    return live[::-1]


def _lower(entries, head, plan):
    """Components by name, registered where a path would get longer than the plan allows."""
    components = {}
    levels = {}  # LUTs between a node's output and the last register
    for entry in entries:
        if not isinstance(entry.node, ir.Lut):
            components[entry.name] = lower(entry.node, plan)
            continue
        before = max(levels.get(source, 0) for source in entry.inputs)
        level = before + plan.levels(entry.node.fan_in)
        readers = [other for other in (*entries, head) if entry.name in other.inputs]
        registered = any(not isinstance(reader.node, ir.Lut)
                         or level + plan.levels(reader.node.fan_in) > plan.levels_per_register
                         for reader in readers)
        components[entry.name] = lower(entry.node, plan, registered)
        levels[entry.name] = 0 if registered else level
    return components
