"""Nodes of images that work while the pixels come: no picture is ever held whole."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.plan import STREAMED, PlanError
from bitwright.hw.raster import Raster
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers.body import Body, Chain
from bitwright.hw.rtl.layers.pool import PoolLayer
from bitwright.hw.rtl.parts.fifo import Fifo
from bitwright.hw.rtl.parts.lines import Lines
from bitwright.hw.rtl.parts.taps import Taps
from bitwright.hw.rtl.realisation import (
    Estimate,
    NoSettings,
    Realisation,
    Resources,
    Site,
    realises,
)
from bitwright.hw.schedule import Part, alone
from bitwright.hw.streaming import Cut, Streamed

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

    @classmethod
    def control(cls, node, settings, plan):
        """LUTs of what lets the pixels move, which are among those of an estimate."""
        return 0


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
        body = cls._body(node, settings, plan)
        return Part(name, inputs, Raster(node.window), body.pace, body.latency, body.reads,
                    body.queue)

    @classmethod
    def estimate(cls, node, settings, plan, site):
        body = cls._body(node, settings, plan)
        interval, latency = alone(cls.part(node, settings, plan, "", ("",)))
        resources = body.resources + cls._pixels(node, plan, body)
        if body.queue:
            resources += Fifo.measure(node.window.bits, body.queue)
        return Estimate(resources, latency, interval, Beat(node.out_width, node.channels))

    @classmethod
    def control(cls, node, settings, plan):
        return cls._pixels(node, plan, cls._body(node, settings, plan)).luts

    @staticmethod
    def _pixels(node, plan, body):
        """Resources of the window and of the time between positions."""
        pixels = (Taps.measure(node.window, body.beat) if body.beat
                  else Lines.measure(node.window, plan.lut_size))
        return pixels + Resources(2 * body.pace.bit_length(), body.pace.bit_length())

    @classmethod
    def _body(cls, node, settings, plan):
        """What works on a window, as :class:`_Body`."""
        raise NotImplementedError

    def __init__(self, node, settings, plan, site):
        body = self._body(node, settings, plan)
        self._pace, self._part = body.pace, body.build()
        self._window = Taps(node.window, body.beat) if body.beat else Lines(node.window)
        self._queue = Fifo(node.window.bits, body.queue) if body.queue else None
        super().__init__({
            "i": In(stream.Signature(node.window.channels)),
            "o": Out(stream.Signature(node.channels)),
            "room": In(1, init=1), "entered": Out(1),
        })

    @property
    def writes(self):
        return self._part.writes

    def elaborate(self, platform):
        m = Module()
        m.submodules.pixels = pixels = self._window
        m.submodules.body = body = self._part
        connect(m, flipped(self.i), pixels.i)
        free = 1
        if self._pace > 1:
            wait = Signal(range(self._pace))
            free = self.room & (wait == 0)
            # Evenly: a body of several parts would take the first windows faster than the rest.
            m.d.sync += wait.eq(Mux(self.entered, self._pace - 1, Mux(wait == 0, 0, wait - 1)))
        if isinstance(pixels, Taps):
            m.d.comb += [pixels.go.eq(free), self.entered.eq(pixels.begins)]
            connect(m, pixels.o, body.i)
        else:
            windows = pixels.o
            if self._queue is not None:
                m.submodules.queue = self._queue
                connect(m, windows, self._queue.i)
                windows = self._queue.o
            m.d.comb += [
                body.i.payload.eq(windows.payload), body.i.valid.eq(windows.valid & free),
                windows.ready.eq(body.i.ready & free),
                self.entered.eq(body.i.valid & body.i.ready),
            ]
        connect(m, body.o, flipped(self.o))
        return m


@dataclass(frozen=True)
class _Body:
    """What works on windows.

    Parameters
    ----------
    resources : Resources
    pace : int
        Cycles from a window to the next.
    latency : int
        Cycles from a window to what comes of it.
    build : callable
        Makes the component.
    beat : int
        Bits of a window that it gets at a time; 0 if all.
    reads : int
        Cycles in which it gets them.
    queue : int
        Windows that may wait in front of it.
    """

    resources: Resources
    pace: int
    latency: int
    build: Callable[[], wiring.Component]
    beat: int = 0
    reads: int = 0
    queue: int = 0


@realises(ir.Convolution, STREAMED)
class StreamedConvolution(_Streamed):
    """Dense nodes that slide over an image. As :class:`_Streamed`.

    Look-up tables are unrolled behind the window: a position every cycle. So are layers of neurons,
    or their weights and thresholds lie in memories where there are cycles enough, as :class:`Cut`
    has it. If these suffice to read the pixels of each window one by one, no register holds it.
    """

    Settings = Streamed

    @classmethod
    def _body(cls, node, settings, plan):
        cut, window = Cut.of(node, settings), node.window
        if not cut.beat:
            resources, latency, interval = Body.measure(node, plan, cut.settings)
            assert interval == cut.pace
            return _Body(resources, cut.pace, latency, lambda: Body(node, plan, cut.settings),
                         queue=cut.queue)
        beat = Beat(window.bits, cut.beat)
        resources, latency, interval = Chain.measure(node.body, plan, cut.settings, beat)
        assert max(interval, beat.beats) == cut.pace
        return _Body(resources, cut.pace, latency + Taps.latency + beat.beats - 1,
                     lambda: Chain(node.body, plan, cut.settings, beat), cut.beat, beat.beats)


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
        choice = cls._place(node), NoSettings(), plan, Site()
        found = PoolLayer.estimate(*choice)
        return _Body(found.resources, found.interval, found.latency, lambda: PoolLayer(*choice))


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
