"""A core that cannot wait, and the score node behind it, for those in front who can."""

from functools import cached_property

from amaranth.hdl import Mux, Signal, Value

from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.parts.queue import Queue
from bitwright.hw.rtl.realisation import Site
from bitwright.hw.schedule import Work

__all__ = ["Scoring"]


class Scoring:
    """A :class:`Core`, its score node, and a buffer that has room for the scores of all inside.

    Parameters
    ----------
    core : Core
    entry : ir.Entry
        The score node.
    plan : Plan

    Attributes
    ----------
    pace : int
        Cycles from a frame to the next, at least.
    latency : int
        Cycles from a frame to its scores, without those in the buffer.
    estimate : Estimate
    work : Work
        Of the score node.
    head : Component
    writes : mapping
        Load ports of each node, those of the score node too.

    Raises
    ------
    PlanError
        If the score node cannot be built in the way that the plan says.
    """

    def __init__(self, core, entry, plan):
        self._core, self._name = core, entry.name
        site, choice = Site(beat=core.beat), choose(entry, plan)
        self._settles = choice.cls.settles
        self.estimate, self._build = choice.estimate(site), lambda: choice.build(site)
        self.pace = max(core.interval, self.estimate.interval)
        self.latency = core.latency + self.estimate.latency
        self.work = Work(entry.name, plan.way(entry.name), self.estimate.interval,
                         self.estimate.interval)

    @cached_property
    def head(self):
        return self._build()

    @property
    def writes(self):
        return {**self._core.writes, self._name: self.head.writes}

    def buffered(self, interval):
        """Places of the buffer, and cycles through it, for frames that are so far apart."""
        # A place is taken from the end of a frame until the cycle after its scores leave.
        places = 1 + -(-(self.latency + 3) // interval)
        return places, min(places, 2)

    def drive(self, m, o, places, last):
        """Connect all but the input, and hand the scores on.

        Core and score node have to be submodules.

        Parameters
        ----------
        m : Module
        o : stream
            Where the scores go.
        places : int
            As of :meth:`buffered`.
        last : Signal
            Whether the last beat of a frame enters the core.

        Returns
        -------
        queue, enter
            The buffer, which has to be a submodule, and whether the last beat may enter.
        """
        core, head, scores = self._core, self.head, Queue(o.payload.shape(), places)
        wait = Signal(range(self.pace + self._settles), init=self._settles * self.pace)
        free = Signal(range(places + 1), init=places)
        enter = Signal()
        m.d.comb += [
            enter.eq((wait == 0) & (free != 0)),
            head.i.payload.eq(core.o.payload), head.i.valid.eq(core.o.valid), head.o.ready.eq(1),
            Value.cast(scores.i.payload).eq(Value.cast(head.o.payload)),
            scores.i.valid.eq(head.o.valid),
            Value.cast(o.payload).eq(Value.cast(scores.o.payload)),
            o.valid.eq(scores.o.valid), scores.o.ready.eq(o.ready),
        ]
        m.d.sync += [wait.eq(Mux(last, self.pace - 1, Mux(wait == 0, 0, wait - 1))),
                     free.eq(free - last + (o.valid & o.ready))]
        return scores, enter
