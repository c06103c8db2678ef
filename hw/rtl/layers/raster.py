"""Nodes of images that work while the pixels come: no picture is ever held whole."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.folding import Folded
from bitwright.hw.plan import STREAMED, PlanError
from bitwright.hw.raster import Raster
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers.body import Body
from bitwright.hw.rtl.layers.pool import PoolLayer
from bitwright.hw.rtl.parts.lines import Lines
from bitwright.hw.rtl.realisation import (
    Estimate,
    NoSettings,
    Realisation,
    Resources,
    Site,
    realises,
)
from bitwright.hw.schedule import Part, alone
from bitwright.hw.streaming import Streamed, body_pace

__all__ = ["StreamedConvolution", "StreamedJoin", "StreamedPool"]


class Pixels(Realisation):
    """A way whose input and output are pixels in raster order, a pixel a beat."""

    @classmethod
    def pixel(cls, node):
        """Bits of a pixel of the input."""
        return node.window.channels

    @classmethod
    def takes(cls, node, settings, beat):
        return beat == Beat(node.in_width, cls.pixel(node))

    @classmethod
    def sources(cls, entry, node):
        """What it reads: names, and how their pixels come.

        Raises
        ------
        PlanError
            If that is no single image.
        """
        if len(entry.inputs) > 1:
            raise PlanError(f"Plan key 'nodes.{entry.name}.way' needs a single image to read, "
                            f"which a join makes of {entry.inputs}")
        return [(entry.inputs[0], Beat(node.in_width, node.window.channels))]

    @classmethod
    def part(cls, node, settings, plan, name, inputs):
        """The node in a schedule."""
        raise NotImplementedError


class _Streamed(wiring.Component, Pixels):
    """A window and a body that works on what it sees, position by position.

    Parameters
    ----------
    node : ir.Convolution or ir.Pool
    settings : Streamed or NoSettings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.window.channels))``
        Pixels.
    o : ``Out(stream.Signature(node.channels))``
        Pixels of the positions.
    room : ``In(1, init=1)``
        Whether a window may go on, which is asked where the body takes several cycles: 1 where
        somebody keeps room for its pixel. Else the pixel waits in the body.
    entered : ``Out(1)``
        A window goes on in this cycle.
    """

    @classmethod
    def part(cls, node, settings, plan, name, inputs):
        _, latency, pace = cls._body(node, settings, plan)
        return Part(name, inputs, Raster(node.window), pace, latency)

    @classmethod
    def estimate(cls, node, settings, plan, site):
        resources, _, pace = cls._body(node, settings, plan)
        interval, latency = alone(cls.part(node, settings, plan, "", ("",)))
        control = Resources(2 * pace.bit_length(), pace.bit_length())
        return Estimate(resources + Lines.measure(node.window, plan.lut_size) + control, latency,
                        interval, Beat(node.out_width, node.channels))

    @classmethod
    def _body(cls, node, settings, plan):
        """Resources, latency and interval of the body."""
        raise NotImplementedError

    def __init__(self, node, settings, plan, site):
        self._lines, self._pace = Lines(node.window), self._body(node, settings, plan)[2]
        self._part = self._build(node, settings, plan)
        super().__init__({
            "i": In(stream.Signature(node.window.channels)),
            "o": Out(stream.Signature(node.channels)),
            "room": In(1, init=1), "entered": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.lines = lines = self._lines
        m.submodules.body = body = self._part
        connect(m, flipped(self.i), lines.i)
        free = 1
        if self._pace > 1:
            wait = Signal(range(self._pace))
            free = self.room & (wait == 0)
            # Evenly: a body of several parts would take the first windows faster than the rest.
            m.d.sync += wait.eq(Mux(self.entered, self._pace - 1, Mux(wait == 0, 0, wait - 1)))
        m.d.comb += [
            body.i.payload.eq(lines.o.payload), body.i.valid.eq(lines.o.valid & free),
            lines.o.ready.eq(body.i.ready & free), self.entered.eq(body.i.valid & body.i.ready),
        ]
        connect(m, body.o, flipped(self.o))
        return m


@realises(ir.Convolution, STREAMED)
class StreamedConvolution(_Streamed):
    """Dense nodes that slide over an image. As :class:`_Streamed`.

    Look-up tables are unrolled behind the window: a position every cycle. So are layers of neurons,
    or their weights and thresholds lie in memories where there are cycles enough.
    """

    Settings = Streamed

    @classmethod
    def _folding(cls, node, settings):
        pace = body_pace(node, settings)
        return Folded(pace) if pace > 1 else None

    @classmethod
    def _body(cls, node, settings, plan):
        return Body.measure(node, plan, cls._folding(node, settings))

    def _build(self, node, settings, plan):
        return Body(node, plan, self._folding(node, settings))


@realises(ir.Pool, STREAMED)
class StreamedPool(_Streamed):
    """Neighbouring pixels made one. As :class:`_Streamed`."""

    Settings = NoSettings

    @staticmethod
    def _place(node):
        """The same pool of an image that is a single window."""
        window = node.window
        return ir.Pool(ir.Window(*window.kernel, window.channels, window.kernel), node.function)

    @classmethod
    def _body(cls, node, settings, plan):
        found = PoolLayer.estimate(cls._place(node), NoSettings(), plan, Site())
        return found.resources, found.latency, found.interval

    def _build(self, node, settings, plan):
        return PoolLayer(self._place(node), NoSettings(), plan, Site())


@realises(ir.Join, STREAMED)
class StreamedJoin(wiring.Component, Pixels):
    """Pixels of several images, side by side as they come: wires, with latency 0.

    Parameters
    ----------
    node : ir.Join
    settings : NoSettings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(sum(node.channels)))``
        A pixel of each image, the first lowest.
    o : ``Out(stream.Signature(sum(node.channels)))``
        Pixels of the image of all.
    """

    Settings = NoSettings

    @classmethod
    def pixel(cls, node):
        return sum(node.channels)

    @classmethod
    def sources(cls, entry, node):
        if len(entry.inputs) != len(node.channels):
            raise PlanError(f"Plan key 'nodes.{entry.name}.way' needs a node for each of the "
                            f"{len(node.channels)} images, not {len(entry.inputs)}")
        return [(name, Beat(node.height * node.width * channels, channels))
                for name, channels in zip(entry.inputs, node.channels, strict=True)]

    @classmethod
    def part(cls, node, settings, plan, name, inputs):
        return Part(name, inputs)

    @classmethod
    def estimate(cls, node, settings, plan, site):
        return Estimate(Resources(), 0, node.height * node.width,
                        Beat(node.out_width, sum(node.channels)))

    def __init__(self, node, settings, plan, site):
        width = sum(node.channels)
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(width))})

    def elaborate(self, platform):
        m = Module()
        connect(m, flipped(self.i), flipped(self.o))
        return m
