"""The registers of one component: an elastic pipeline, and how deep it will be."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Depth", "Pipeline", "Stages"]


class Depth:
    """Registers of a pipeline, counted without one: where the rules of :class:`Stages` put them.

    Parameters
    ----------
    limit : int
        LUT levels between two registers.

    Attributes
    ----------
    latency : int
        Registers so far, in cycles.
    flip_flops : int
        Bits that they hold.
    """

    def __init__(self, limit):
        self._limit = limit
        self._level = 0
        self.latency = 0
        self.flip_flops = 0

    def before(self, bits, cost=1):
        """Make room for ``cost`` LUT levels behind so many bits. Tells whether a register did."""
        full = self._level and self._level + cost > self._limit
        if full:
            self.register(bits)
        self._level += cost
        return full

    def flush(self, bits):
        """Register what does not come from registers. Tells whether a register did."""
        dangling = self._level
        if dangling:
            self.register(bits)
        return dangling

    def register(self, bits):
        self._level = 0
        self.latency += 1
        self.flip_flops += bits


class Stages:
    """Pipeline of one stream, from an input towards an output.

    Each stage takes a new vector when it is empty or the next one takes its own, so a bubble is
    filled even while the output waits. Only the valid bits are reset; what they do not vouch for
    keeps any value.

    Parameters
    ----------
    m : Module
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
        self._depth = Depth(limit)

    @property
    def latency(self):
        return self._depth.latency

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
        return self._hold(values) if self._depth.before(_width(values), cost) else values

    def wire(self, value, shape=None):
        """Name a value that is used more than once: an expression is copied by each use.

        Its shape is that of the value, unless another one is given.
        """
        wire = Signal(Value.cast(value).shape() if shape is None else shape, name="wire")
        self._m.d.comb += wire.eq(value)
        return wire

    def register(self, values):
        """Hold ``values`` in a stage of its own. Returns the registers, of the same widths."""
        self._depth.register(_width(values))
        return self._hold(values)

    def _hold(self, values):
        m = self._m
        number = self.latency - 1
        ready, valid = Signal(name=f"ready{number}"), Signal(name=f"valid{number}")
        m.d.comb += self._ready.eq(~valid | ready)
        # One register a value: Amaranth has no signal of more than 65,536 bits.
        held = [Signal(len(Value.cast(value)), name=f"held{number}", reset_less=True)
                for value in values]
        with m.If(self._ready):
            m.d.sync += valid.eq(self._valid)
            m.d.sync += [register.eq(value) for register, value in zip(held, values, strict=True)]
        self._valid, self._ready = valid, ready
        return held

    def flush(self, values):
        """Register ``values`` unless they come from registers already."""
        return self._hold(values) if self._depth.flush(_width(values)) else values

    def drive(self, o, payload):
        """Finish: let ``payload`` be what the output stream offers."""
        self._m.d.comb += [Value.cast(o.payload).eq(payload), o.valid.eq(self._valid),
                           self._ready.eq(o.ready)]


def _width(values):
    return sum(len(Value.cast(value)) for value in values)


class Pipeline(wiring.Component):
    """A component that is stages from its input to its output, a vector every cycle.

    Parameters
    ----------
    i_shape, o_shape : ShapeLike
        Of a vector, in and out.
    limit : int
        LUT levels between two registers.
    latency : int
        Registers that the stages will have, in cycles, known before they are built.

    Members
    -------
    i : ``In(stream.Signature(i_shape))``
        Input vectors.
    o : ``Out(stream.Signature(o_shape))``
        Output vectors, in input order.
    """

    interval = 1

    def __init__(self, i_shape, o_shape, limit, latency):
        self._limit = limit
        self.latency = latency
        super().__init__({"i": In(stream.Signature(i_shape)), "o": Out(stream.Signature(o_shape))})

    def elaborate(self, platform):
        m = Module()
        stages = Stages(m, self.i, self._limit)
        stages.drive(self.o, self._payload(stages))
        assert stages.latency == self.latency, (
            f"{type(self).__name__} has a latency of {stages.latency}, not {self.latency}")
        return m

    def _payload(self, stages):
        """Build what the output stream offers, in stages behind the input."""
        raise NotImplementedError
