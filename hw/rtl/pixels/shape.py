"""Pictures as they cross a stream, a pixel a beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from amaranth.lib import data

from bitwright import ir
from bitwright.hw.plan import PlanError

__all__ = ["Shape", "pixel_layout"]


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


def pixel_layout(width):
    """Layout of a beat with a pixel of so many bits, and where it stands.

    Members
    -------
    data : bits of the pixel
    final : whether it is the last of its picture
    last : whether its picture is the last one of its sample, the same for all pixels of a picture
        from ``final`` on back; only looked at with ``final``
    drop : whether the sample is malformed; only looked at with ``final``
    """
    return data.StructLayout({"data": width, "final": 1, "last": 1, "drop": 1})
