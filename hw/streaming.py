"""Settings of a streamed node, and what follows from them: plain Python for both sides."""

from __future__ import annotations

from dataclasses import dataclass

from bitwright import ir
from bitwright.hw.raster import Raster
from bitwright.hw.schedule import Part, alone

__all__ = ["Streamed", "body_pace"]


@dataclass(frozen=True)
class Streamed:
    """Settings of a streamed node.

    Parameters
    ----------
    cycles : int
        That it may take for a frame, at least 1. From two cycles a position up, layers of neurons
        in the body of a convolution are folded: as far as they can be with no more than that.

    Raises
    ------
    ValueError
        If ``cycles`` is less than 1.
    """

    cycles: int = 1

    def __post_init__(self) -> None:
        if self.cycles < 1:
            raise ValueError(f"cycles must be at least 1, not {self.cycles}")


def body_pace(node: ir.Convolution, settings: Streamed) -> int:
    """Cycles that the body of a streamed convolution may take for a position.

    As many as leave the node within its cycles, with the steps in which no position is complete.
    """
    raster = Raster(node.window)
    high = max(1, settings.cycles // node.window.positions)
    low = 1
    while low < high:
        middle = -(-(low + high) // 2)
        if alone(Part("", ("",), raster, middle))[0] <= settings.cycles:
            low = middle
        else:
            high = middle - 1
    return low
