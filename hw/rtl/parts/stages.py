"""The registers of one component: an elastic pipeline that gets its depth while it is built."""

import contextlib

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Pipeline", "Rehearsal", "Stages"]


class _Ignored:
    """A domain whose statements go nowhere."""

    def __iadd__(self, statements):
        return self


class Rehearsal:
    """Stands for a module where only the number of registers is wanted, before elaboration."""

    def __init__(self):
        self.d = type("Domains", (), {"comb": _Ignored(), "sync": _Ignored()})()

    def If(self, condition):
        return contextlib.nullcontext()


class Stages:
    """Pipeline of one stream, from an input towards an output.

    Each stage takes a new vector when it is empty or the next one takes its own, so a bubble is
    filled even while the output waits. Only the valid bits are reset; what they do not vouch for
    keeps any value.

    Parameters
    ----------
    m : Module or Rehearsal
    i : stream
        Whose ``ready`` the pipeline drives.
    limit : int
        LUT levels between two registers.

    Attributes
    ----------
    latency : int
        Registers so far, in cycles.
    """

    def __init__(self, m, i, limit):
        self._m = m
        self._valid, self._ready = i.valid, i.ready
        self._limit = limit
        self._level = 0
        self.latency = 0

    def before(self, values, cost=1):
        """Make room for ``cost`` LUT levels behind ``values``, by a register if there is none.

        Parameters
        ----------
        values : list of Value
            All that is still needed, whether or not it passes those levels.
        cost : int

        Returns
        -------
        list of Value
            Of the same widths.
        """
        if self._level and self._level + cost > self._limit:
            values = self.register(values)
        self._level += cost
        return values

    def wire(self, value, shape=None):
        """Name a value that is used more than once: an expression is copied by each use.

        Its shape is that of the value, unless another one is given.
        """
        wire = Signal(Value.cast(value).shape() if shape is None else shape, name="wire")
        self._m.d.comb += wire.eq(value)
        return wire

    def register(self, values):
        """Hold ``values`` in a stage of its own. Returns the registers, of the same widths."""
        m = self._m
        ready, valid = Signal(name=f"ready{self.latency}"), Signal(name=f"valid{self.latency}")
        m.d.comb += self._ready.eq(~valid | ready)
        # One register a value: Amaranth has no signal of more than 65,536 bits.
        held = [Signal(len(Value.cast(value)), name=f"held{self.latency}", reset_less=True)
                for value in values]
        with m.If(self._ready):
            m.d.sync += valid.eq(self._valid)
            m.d.sync += [register.eq(value) for register, value in zip(held, values, strict=True)]
        self._valid, self._ready = valid, ready
        self._level = 0
        self.latency += 1
        return held

    def flush(self, values):
        """Register ``values`` unless they come from registers already."""
        return self.register(values) if self._level else values

    def drive(self, o, payload):
        """Finish: let ``payload`` be what the output stream offers."""
        self._m.d.comb += [Value.cast(o.payload).eq(payload), o.valid.eq(self._valid),
                           self._ready.eq(o.ready)]


class Pipeline(wiring.Component):
    """A component that is stages from its input to its output, a vector every cycle.

    Its latency is known before elaboration, from a rehearsal.

    Parameters
    ----------
    i_shape, o_shape : ShapeLike
        Of a vector, in and out.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(i_shape))``
        Input vectors.
    o : ``Out(stream.Signature(o_shape))``
        Output vectors, in input order.
    """

    interval = 1

    def __init__(self, i_shape, o_shape, plan):
        self._plan = plan
        super().__init__({"i": In(stream.Signature(i_shape)), "o": Out(stream.Signature(o_shape))})
        stages = self._stages(Rehearsal())
        self._rehearse(stages)
        self.latency = stages.latency

    def elaborate(self, platform):
        m = Module()
        stages = self._stages(m)
        stages.drive(self.o, self._payload(stages))
        return m

    def _stages(self, m):
        return Stages(m, self.i, self._plan.levels_per_register)

    def _payload(self, stages):
        """Build what the output stream offers, in stages behind the input."""
        raise NotImplementedError

    def _rehearse(self, stages):
        """Build as many registers as :meth:`_payload` does."""
        self._payload(stages)
