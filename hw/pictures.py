"""Pictures as they cross a stream, row by row: plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bitwright import ir
from bitwright.hw.interface import Video
from bitwright.hw.plan import VIDEO, Plan, PlanError

__all__ = ["Shape", "video"]


@dataclass(frozen=True)
class Shape:
    """Pixels of a picture, row by row from the top left corner.

    Parameters
    ----------
    height, width : int
        In pixels.
    colours : int
        Features of a pixel.
    """

    height: int
    width: int
    colours: int

    def line(self, plan: Plan) -> int:
        """Beats of a line of video, or of a picture of a sample.

        Raises
        ------
        PlanError
            If that is no whole number, or no whole number of pixels is in a beat, or of beats in a
            pixel.
        """
        lanes, video = plan.lanes, plan.input == VIDEO
        pixels, noun = (self.width, "line") if video else (self.pixels, "picture")
        if self.colours % lanes == 0:
            return pixels * (self.colours // lanes)
        if lanes % self.colours or pixels % (lanes // self.colours):
            raise PlanError(f"Plan key 'lanes' must be a divisor of the {self.colours} features of "
                            f"a pixel, or make whole pixels and whole beats of a {noun} of "
                            f"{pixels} pixels, not {lanes}")
        return pixels * self.colours // lanes

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @classmethod
    def of(cls, network: ir.Network) -> Self:
        """Shape of the pictures that a network reads: that of the windows on its bits, or else of
        its preparation.

        Raises
        ------
        PlanError
            If it reads no pictures, or pixels that are no whole features.
        """
        modulate = network.modulate
        name = network.entries[0].name
        for entry in network.entries[1:]:
            window = getattr(entry.node, "window", None)
            if entry.inputs == (name,) and window is not None:
                if window.channels % modulate.depth:
                    raise PlanError(f"Node {entry.name!r} must read whole features of a pixel, "
                                    f"{modulate.depth} bits each, not {window.channels} channels")
                return cls(window.height, window.width, window.channels // modulate.depth)
        if isinstance(network.preparation, ir.Picture):
            height, width, *colours = network.preparation.shape
            return cls(height, width, *(colours or [1]))
        raise PlanError("Network must read pictures: a window on its bits, or a preparation, says "
                        "what shape they have")


def video(network: ir.Network, plan: Plan) -> Video | None:
    """Pictures of a block, if it takes video. Raises as :meth:`Shape.of` and :meth:`Shape.line`."""
    if plan.input != VIDEO:
        return None
    shape = Shape.of(network)
    return Video(shape.height, shape.width, shape.line(plan))
