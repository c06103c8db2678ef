"""Every bit node of a network whose images stream, as one pipeline."""

from functools import cached_property

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.plan import STREAMED, UNROLLED, Plan, PlanError
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.core import Core, live
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.layers.raster import Pixels
from bitwright.hw.rtl.parts.fifo import Fifo
from bitwright.hw.rtl.parts.gather import Collector
from bitwright.hw.rtl.parts.queue import Queue
from bitwright.hw.rtl.realisation import Resources
from bitwright.hw.rtl.result import score_shape
from bitwright.hw.rtl.scoring import Scoring
from bitwright.hw.schedule import Flow, Work, alone, fit

__all__ = ["StreamCore", "streams"]


def streams(network, plan):
    """Whether a node of the network is to be streamed."""
    return any(plan.way(entry.name) == STREAMED for entry in network.entries)


class StreamCore(wiring.Component):
    """Nodes of a network behind the modulator, of which those nearest to the input are streamed.

    In front are the streamed nodes. A pixel moves on when it is there and has room: each goes
    through a buffer to each of its readers, and whoever is slowest holds the others up. Which
    places the buffers need so that the slowest node never waits follows from
    :mod:`hw.schedule`. Behind is a :class:`Core` of all other nodes, and the score node. What they
    read of the front enters no faster than they can take it, and only when there is room for the
    scores: pixel by pixel if it is the output of one node, else collected and all together.

    Each node is a submodule by its own name, with its output in ``o``.

    Parameters
    ----------
    network : ir.Network
    plan : Plan
    gap : int
        Cycles from a pixel to the next, at least, of whatever brings them.

    Members
    -------
    i : ``In(stream.Signature(entry.bits))``
        Pixels of frames.
    o : ``Out(stream.Signature(...))``
        Scores, a vector a frame, as the node of the head hands them on.

    Attributes
    ----------
    entry : Beat
        How the input comes.
    latency : int
        Cycles from the first pixel of a frame to its scores, if pixels come as fast as they are
        taken and nothing is before them.
    interval : int
        Cycles from a frame to the next, at least.
    fit : Fit
        Places of the buffers, and what the front reaches with them.
    flow : Flow
        The front as a schedule.
    head : Component
        The score node.
    beats, nodes, outputs
        As of :class:`Core`.
    writes : mapping
        Likewise, those of the score node too.

    Raises
    ------
    PlanError
        If a node cannot be built in the way that the plan says.
    """

    def __init__(self, network, plan, gap=1):
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        expect("Gap", gap, int)
        self._source = network.entries[0].name
        self._choices, self._front = {}, []
        self.beats = {}
        for entry in live(network, plan.writable):
            if plan.way(entry.name) == STREAMED:
                self._add(network, entry, plan)
        self.entry = self.beats[self._source]
        front = [entry.name for entry in self._front]
        read = {name for entry in (*live(network, plan.writable), network.entries[-1])
                if entry.name not in front for name in entry.inputs}
        self._readers = tuple(name for name in (self._source, *front) if name in read)
        several = len(self._readers) > 1
        sources = {name: Beat.whole(self.beats[name].width) if several else self.beats[name]
                   for name in self._readers}
        self._core = Core(network, plan, sources, front)
        self._head = network.entries[-1].name
        self._scoring = Scoring(self._core, network.entries[-1], plan)
        self.flow = Flow(self._source, self.entry.beats, gap, tuple(
            choice.cls.part(choice.node, choice.settings, plan, entry.name, entry.inputs)
            for entry, choice in zip(self._front, self._choices.values(), strict=True)),
            self._readers, self._scoring.pace)
        self.fit = fit(self.flow)
        self.interval = self.fit.interval
        self._places, through = self._scoring.buffered(self.interval)
        self.latency = self.fit.latency + self._scoring.latency + through
        self.beats = {**self._core.beats, **self.beats}
        super().__init__({
            "i": In(stream.Signature(self.entry.bits)),
            "o": Out(stream.Signature(data.ArrayLayout(score_shape(network.head.score_range),
                                                       network.head.out_width))),
        })

    def _add(self, network, entry, plan):
        """Put a streamed node into the front, behind what it reads."""
        choice = choose(entry, plan)
        assert issubclass(choice.cls, Pixels)
        for name, beat in choice.cls.sources(entry, choice.node):
            if name == self._source:
                self.beats.setdefault(name, beat)
            if name not in self.beats:
                raise PlanError(f"Plan key 'nodes.{entry.name}.way' needs what it reads to be "
                                f"streamed too, and {name!r} is {plan.way(name)}")
            if self.beats[name] != beat:
                found = self.beats[name]
                raise PlanError(f"Plan key 'nodes.{entry.name}.way' needs {beat.beats:,} pixels of "
                                f"{beat.bits} bits of {name!r}, which has {found.beats:,} of "
                                f"{found.bits}")
        self._front.append(entry)
        self._choices[entry.name] = choice
        self.beats[entry.name] = choice.estimate().beat

    @property
    def nodes(self):
        return (*self._choices, *self._core.nodes)

    @cached_property
    def estimates(self):
        """What each node takes, that of the head too."""
        return {**{name: choice.estimate() for name, choice in self._choices.items()},
                **self._core.estimates, self._head: self._scoring.estimate}

    @property
    def sites(self):
        """As of :class:`Core`, of the nodes that are behind."""
        return self._core.sites

    @property
    def buffers(self):
        """Resources of the buffers between the streamed nodes, and behind them."""
        return sum((Fifo.measure(self.beats[name].bits, places)
                    for (name, _), places in self.fit.places.items()), Resources())

    @property
    def memories(self):
        """Those of the buffers."""
        return self.buffers.memories + Queue.memories(len(Value.cast(self.o.payload)),
                                                      self._places)

    @property
    def works(self):
        """What each node does for a frame, as of :class:`Core`, the modulator and the head too."""
        works = [Work(self._source, UNROLLED, self.flow.pixels * self.flow.gap, self.flow.pixels)]
        for part in self.flow.parts:
            count = self.flow.count(part.name)
            cycles = count if part.raster is None else alone(part)[0]
            works.append(Work(part.name, STREAMED, cycles, count * part.pace))
        return (*works, *self._core.works, self._scoring.work)

    @cached_property
    def _components(self):
        return {name: choice.build() for name, choice in self._choices.items()}

    @property
    def head(self):
        return self._scoring.head

    @property
    def outputs(self):
        return {**{name: component.o for name, component in self._components.items()},
                **self._core.outputs}

    @property
    def writes(self):
        return {**{name: component.writes for name, component in self._components.items()},
                **self._scoring.writes}

    def elaborate(self, platform):
        m = Module()
        buffers = {}
        for (name, reader), places in self.fit.places.items():
            m.submodules[f"_{name}_to_{reader}"] = buffers[name, reader] = Fifo(
                self.beats[name].bits, places)
        self._fork(m, self.i, [buffer for (name, _), buffer in buffers.items()
                               if name == self._source])
        for entry in self._front:
            component = self._components[entry.name]
            m.submodules[entry.name] = component
            own = [buffer for (name, _), buffer in buffers.items() if name == entry.name]
            self._fork(m, component.o, own)
            if hasattr(component, "room"):
                self._count(m, component, own, entry.name)
            self._feed(m, component.i, [buffers[name, entry.name] for name in entry.inputs])
        m.submodules._core = core = self._core
        m.submodules[self._head] = self.head
        last = Signal()
        m.submodules._scores, enter = self._scoring.drive(m, self.o, self._places, last)
        self._leave(m, core, {name: buffers[name, ""] for name in self._readers}, enter, last)
        return m

    @staticmethod
    def _fork(m, source, buffers):
        """A pixel goes into all buffers in the same cycle."""
        m.d.comb += source.ready.eq(Cat(buffer.i.ready for buffer in buffers).all())
        for buffer in buffers:
            m.d.comb += [buffer.i.payload.eq(source.payload),
                         buffer.i.valid.eq(source.valid & source.ready)]

    @staticmethod
    def _feed(m, target, buffers):
        """A pixel of each buffer, side by side."""
        m.d.comb += [target.payload.eq(Cat(buffer.o.payload for buffer in buffers)),
                     target.valid.eq(Cat(buffer.o.valid for buffer in buffers).all())]
        m.d.comb += [buffer.o.ready.eq(target.valid & target.ready)
                     for buffer in dict.fromkeys(buffers)]

    def _count(self, m, component, buffers, name):
        """Keep room for the pixel of every window that goes on."""
        room = []
        for place, buffer in enumerate(buffers):
            free = Signal(range(buffer.places + 1), init=buffer.places, name=f"{name}_free{place}")
            m.d.sync += free.eq(free - component.entered + (buffer.o.valid & buffer.o.ready))
            room.append(free != 0)
        m.d.comb += component.room.eq(Cat(room).all())

    def _leave(self, m, core, buffers, enter, last):
        """Hand on what the nodes behind read, no faster than they take it."""
        if len(buffers) == 1:
            (name, buffer), = buffers.items()
            beats = self.beats[name].beats
            number = Signal(range(beats))
            step, final = Signal(), number == beats - 1
            m.d.comb += [step.eq(buffer.o.valid & (~final | enter)), last.eq(step & final),
                         buffer.o.ready.eq(step), core.i.payload.eq(buffer.o.payload),
                         core.i.valid.eq(step)]
            with m.If(step):
                m.d.sync += number.eq(Mux(final, 0, number + 1))
            return
        whole = []
        for name, buffer in buffers.items():
            m.submodules[f"_{name}_collector"] = collector = Collector.of(self.beats[name])
            m.d.comb += [collector.i.payload.as_value().eq(buffer.o.payload),
                         collector.i.valid.eq(buffer.o.valid),
                         buffer.o.ready.eq(collector.i.ready), collector.o.ready.eq(last)]
            whole.append(collector.o)
        m.d.comb += [last.eq(Cat(one.valid for one in whole).all() & enter),
                     core.i.payload.eq(Cat(one.payload.as_value() for one in whole)),
                     core.i.valid.eq(last)]
