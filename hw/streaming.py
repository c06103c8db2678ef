"""How a streamed node is cut in time: plain Python for both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from bitwright import ir
from bitwright.hw.folding import Folded, Gathered
from bitwright.hw.raster import Raster
from bitwright.hw.schedule import UNBOUNDED, Part, alone

__all__ = ["Cut", "Streamed"]


@dataclass(frozen=True)
class Streamed(Folded):
    """Settings of a streamed node.

    Parameters
    ----------
    cycles : int
        That it may take for a frame, at least 1. From two cycles a position up, layers of neurons
        in the body of a convolution are folded: as far as they can be with no more than that.
    writable : bool
        Whether the weights and thresholds of its body can be written while the design runs.

    Raises
    ------
    ValueError
        If ``cycles`` is less than 1.
    """

    cycles: int = 1

    def fewest(self, node: ir.Convolution) -> int:
        return min(_interval(node.window, 2, 0, queue) for queue in (0, UNBOUNDED))

    def body(self, node: ir.Convolution) -> tuple[Folded | None, ...]:
        return Cut.of(node, self).settings


@dataclass(frozen=True)
class Cut:
    """How the body of a streamed convolution works on its windows.

    Parameters
    ----------
    settings : tuple of Folded or None
        Of each node of the body; None where it is unrolled.
    pace : int
        Cycles from a window to the next.
    beat : int
        Bits of a window that come at a time, read from rows that lie in a memory; 0 where registers
        hold the window.
    queue : int
        Windows that wait in a buffer, where registers hold one: where positions come in bursts, as
        they do with a stride, the body has the time between them too.
    """

    settings: tuple[Folded | None, ...]
    pace: int = 1
    beat: int = 0
    queue: int = 0

    @classmethod
    def of(cls, node: ir.Convolution, settings: Streamed) -> Cut:
        """The smallest that leaves a node within its cycles.

        Windows are read from memory where there are cycles enough, for that takes no registers.
        """
        shapes = tuple(part.weights.shape if isinstance(part, ir.Xnor) else None
                       for part in node.body)
        return _cut(node.window, node.groups, shapes, settings)


Shapes = tuple[tuple[int, ...] | None, ...]
"""Neurons and inputs of each node of a body, None of one that has no neurons."""


@lru_cache(maxsize=256)
def _cut(window: ir.Window, groups: int, shapes: Shapes, settings: Streamed) -> Cut:
    if groups == 1 and shapes[0] is not None:
        read = _read(window, shapes, settings)
        if read is not None:
            return read
    return _held(window, shapes, settings)


def _read(window: ir.Window, shapes: Shapes, settings: Streamed) -> Cut | None:
    """Windows come from memory, a pixel or an even part of one at a time."""
    pace = _pace(window, settings.cycles, window.pixels)
    rest = (Folded(pace, settings.writable, large=settings.large),) * (len(shapes) - 1)
    found: list[tuple[int, Cut]] = []
    for parts in range(1, min(window.channels, pace // window.pixels) + 1):
        unit = window.channels // parts
        own = Gathered(pace, settings.writable, unit, large=settings.large)
        assert shapes[0] is not None
        if window.channels % parts or not own.folding(*shapes[0]).gathers(window.bits, unit):
            continue
        cut = Cut((own, *rest), max(window.pixels * parts, _cycles(shapes, (own, *rest))), unit)
        if _interval(window, cut.pace, window.pixels * parts) <= settings.cycles:
            chosen = window.channels // 2 + 16 if parts > 1 else 0  # LUTs of what takes a part
            found.append((_size(shapes, cut.settings) + chosen, cut))
    return min(found, key=lambda one: (one[0], -one[1].beat), default=(0, None))[1]


def _held(window: ir.Window, shapes: Shapes, settings: Streamed) -> Cut:
    """Registers hold each window; with a queue, where that saves more than it takes."""
    plain, queued = (_pace(window, settings.cycles, 0, queue) for queue in (0, UNBOUNDED))
    if not any(shapes) or queued == 1:
        return Cut((None,) * len(shapes))
    cuts = []
    for pace in (plain, queued):
        one = Folded(pace, settings.writable, large=settings.large) if pace > 1 else None
        own = (one,) * len(shapes)
        cuts.append(Cut(own, _cycles(shapes, own)))
    few, many = (_size(shapes, cut.settings) for cut in cuts)
    if many + 3 * window.bits >= few and (plain > 1 or not settings.writable):
        return cuts[0]
    return replace(cuts[1], queue=_places(window, cuts[1].pace, settings.cycles))


def _cycles(shapes: Shapes, settings: tuple[Folded | None, ...]) -> int:
    """Cycles of a body for a window."""
    return max([1, *(own.folding(*shape).cycles for shape, own in zip(shapes, settings, strict=True)
                     if own is not None and shape is not None)])


def _size(shapes: Shapes, settings: tuple[Folded | None, ...]) -> int:
    """LUTs of a body, see :meth:`Folding.luts`; one for each weight where it is unrolled."""
    return sum(shape[0] * shape[1] if own is None
               else own.folding(*shape).luts(shape[1], isinstance(own, Gathered))
               for shape, own in zip(shapes, settings, strict=True) if shape is not None)


def _interval(window: ir.Window, pace: int, reads: int = 0, queue: int = 0) -> int:
    """Cycles from an image to the next."""
    return alone(Part("", ("",), Raster(window), pace, 0, reads, queue))[0]


@lru_cache(maxsize=256)
def _pace(window: ir.Window, cycles: int, reads: int = 0, queue: int = 0) -> int:
    """Cycles that a body may take for a position.

    As many as leave the node within its cycles, with the steps in which no position is complete.
    """
    low, high = 1, max(1, cycles // window.positions)
    while low < high:
        middle = -(-(low + high) // 2)
        if _interval(window, middle, reads, queue) <= cycles:
            low = middle
        else:
            high = middle - 1
    return low


def _places(window: ir.Window, pace: int, cycles: int) -> int:
    """Fewest places of a queue with which a node stays within its cycles."""
    low, high = 1, window.positions
    while low < high:
        middle = (low + high) // 2
        if _interval(window, pace, 0, middle) <= cycles:
            high = middle
        else:
            low = middle + 1
    return low
