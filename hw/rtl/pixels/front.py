"""All that lies before a network that works pixel by pixel."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.pictures import Shape
from bitwright.hw.plan import LARGE, SENT, VIDEO, Plan
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.pixels.encoder import PixelEncoder
from bitwright.hw.rtl.pixels.gate import Gate, beat_layout
from bitwright.hw.rtl.pixels.repack import Repack
from bitwright.hw.rtl.pixels.replay import Replay, Sent

__all__ = ["SAMPLES", "Front", "decided_layout", "frame_layout"]

SAMPLES = 4
"""Bits of the number of a sample, by which it is told from the others that are on their way."""

frame_layout = data.StructLayout({"last": 1, "drop": 1})
"""Whether a frame is the ``last`` of its sample, and whether to ``drop`` the sample."""

decided_layout = data.StructLayout({"valid": 1, "sample": SAMPLES})
"""A sample, by its number from 0 up, that needs no more frames."""


class Front(wiring.Component):
    """Beats of pictures become the pixels of frames, whatever is wrong with them.

    Parameters
    ----------
    network : ir.Network
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(beat_layout(plan.lanes * bits)))``
        Features as they arrive, see :class:`Gate`.
    o : ``Out(stream.Signature(shape.colours * depth))``
        Pixels of whole pictures, frame after frame, see :class:`PixelEncoder`.
    frames : ``Out(stream.Signature(frame_layout))``
        The frames, each with its final pixel: that waits until this is taken.
    decided : ``In(decided_layout)``
        Only with ``plan.early_exit``.
    error : ``Out(1)``
        As of :class:`Gate`.

    Attributes
    ----------
    shape : Shape
    beat : Beat
        How the bits of a frame leave.
    gap : int
        Cycles from a pixel that arrives to the next at full speed.
    latency : int
        Cycles from the first beat of a picture being there to the bits of its first pixel.
    memories : tuple of Memory
        Of the thresholds, and of a picture that is compared again.

    Raises
    ------
    PlanError
        As of :meth:`Shape.of` and :meth:`Shape.line`.
    WidthError
        As of :class:`Thresholds`.
    """

    def __init__(self, network, plan):
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        modulate, self.shape = network.modulate, Shape.of(network)
        video, line = plan.input == VIDEO, self.shape.line(plan)
        sent = plan.replay == SENT and network.frames > 1
        lines = self.shape.height if video else network.frames if sent else 1
        self.beat = Beat(modulate.out_width, self.shape.colours * modulate.depth)
        self.gap = -(-self.shape.colours // plan.lanes)
        self.latency = self.gap - 1 + PixelEncoder.latency
        width, pixel = plan.lanes * modulate.bits, self.shape.colours * modulate.bits
        self._parts = {"gate": Gate(width, line, lines, video=video),
                       "repack": Repack(width, pixel)}
        form = pixel, self.shape.pixels, network.frames
        self._parts["frames"] = (Sent(*form) if sent or network.frames == 1
                                 else Replay(*form, large=plan.replay == LARGE))
        self.encoder = PixelEncoder(modulate, self.shape, network.read_mask(
            network.entries[0].name))
        self._exits = plan.early_exit
        super().__init__({
            "i": In(stream.Signature(beat_layout(width))),
            "o": Out(stream.Signature(self.beat.bits)),
            "frames": Out(stream.Signature(frame_layout)),
            **({"decided": In(decided_layout)} if plan.early_exit else {}),
            "error": Out(1),
        })

    @property
    def memories(self):
        return (*self._parts["frames"].memories, *self.encoder.thresholds.memories)

    def elaborate(self, platform):
        m = Module()
        before = flipped(self.i)
        for name, part in {**self._parts, "encoder": self.encoder}.items():
            m.submodules[name] = part
            connect(m, before, part.i)
            before = part.o
        gate, frames, found = self._parts["gate"], self._parts["frames"], self.encoder.o
        final = found.payload.final
        m.d.comb += [
            self.error.eq(gate.error),
            self.o.payload.eq(found.payload.data),
            self.frames.payload.last.eq(found.payload.last),
            self.frames.payload.drop.eq(found.payload.drop),
            # The final pixel and its entry are taken in the same cycle.
            self.o.valid.eq(found.valid & (~final | self.frames.ready)),
            self.frames.valid.eq(found.valid & final & self.o.ready),
            found.ready.eq(self.o.ready & (~final | self.frames.ready)),
        ]
        if self._exits:
            sample = Signal(SAMPLES)
            ends = frames.o.valid & frames.o.ready & frames.o.payload.final & frames.o.payload.last
            m.d.sync += sample.eq(sample + ends)
            m.d.comb += frames.stop.eq(self.decided.valid & (self.decided.sample == sample))
        return m
