"""How a window meets the pixels of an image that comes in raster order: plain Python.

An image enters pixel by pixel, row by row. Everything that a streaming component needs is fixed
before the first pixel comes: how many rows and columns must be kept, in which step a position is
complete, and which of the kept pixels, or which constant, each place of the window is. Rows and
columns are independent of each other: an :class:`Axis` is one of them.

A *step* takes the next pixel of the image, or none where a position still waits for what lies
beyond the last pixel. Steps go on from one row to the next without a gap: what the end of a row
needs beyond its last pixel is either a constant or has come before, so it can be worked on while
the first pixels of the next row come.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bitwright import ir

__all__ = ["Axis", "Raster"]


@dataclass(frozen=True)
class Axis:
    """Rows or columns of an image, and the places of a window among them.

    Parameters
    ----------
    size : int
        Of the image.
    kernel, stride, dilation : int
    before, after : int
        Rows or columns of padding.
    border : str
        What is there, see :class:`ir.Window`.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    border: str

    @cached_property
    def positions(self) -> int:
        span = (self.kernel - 1) * self.dilation + 1
        return (self.size + self.before + self.after - span) // self.stride + 1

    def source(self, position: int, place: int) -> int | None:
        """Row or column of the image that a place of the window is; None where it is a constant."""
        at = position * self.stride - self.before + place * self.dilation
        if 0 <= at < self.size:
            return at
        if self.border == "replicate":
            return min(max(at, 0), self.size - 1)
        if self.border == "reflect":
            return -at if at < 0 else 2 * (self.size - 1) - at
        return None

    @cached_property
    def sources(self) -> tuple[tuple[int | None, ...], ...]:
        """:meth:`source` of every place, for each position."""
        return tuple(tuple(self.source(position, place) for place in range(self.kernel))
                     for position in range(self.positions))

    @cached_property
    def ahead(self) -> int:
        """Place of the last row or column that a position needs, seen from where it stands:
        position ``p`` is complete with number ``p * stride + ahead``.
        """
        return max([0, *(source - position * self.stride
                         for position, row in enumerate(self.sources)
                         for source in row if source is not None)])

    def complete(self, position: int) -> int:
        """Number of the row or column with which a position is complete, beyond the image too."""
        return position * self.stride + self.ahead

    @cached_property
    def reach(self) -> int:
        """How many rows or columns before that one are still needed."""
        return max([0, *(self.complete(position) - source
                         for position, row in enumerate(self.sources)
                         for source in row if source is not None)])

    def back(self, position: int, place: int) -> int | None:
        """:meth:`source`, counted back from :meth:`complete`."""
        source = self.sources[position][place]
        return None if source is None else self.complete(position) - source

    def kinds(self, place: int) -> list[int | None]:
        """Everything that :meth:`back` answers for a place, the most frequent first."""
        found = [self.back(position, place) for position in range(self.positions)]
        return sorted(set(found), key=lambda kind: (-found.count(kind), found.index(kind)))


@dataclass(frozen=True)
class Raster:
    """Steps of a window over an image.

    Parameters
    ----------
    window : ir.Window
    """

    window: ir.Window

    @cached_property
    def rows(self) -> Axis:
        return self._axis(0)

    @cached_property
    def columns(self) -> Axis:
        return self._axis(1)

    def _axis(self, axis: int) -> Axis:
        window = self.window
        top, bottom, left, right = window.padding
        before, after = ((top, bottom), (left, right))[axis]
        return Axis((window.height, window.width)[axis], window.kernel[axis], window.stride[axis],
                    window.dilation[axis], before, after, window.border)

    @cached_property
    def pitch(self) -> int:
        """Steps of a row: its pixels, or more where there are more positions than pixels."""
        columns = self.columns
        return max(columns.size, (columns.positions - 1) * columns.stride + 1)

    @cached_property
    def steps(self) -> int:
        """Steps of an image: until its last pixel has come and its last position is complete."""
        rows, columns = self.rows, self.columns
        last = (rows.complete(rows.positions - 1) * self.pitch
                + columns.complete(columns.positions - 1))
        return max((rows.size - 1) * self.pitch + columns.size - 1, last) + 1

    def takes(self, step: int) -> bool:
        """Whether a step takes a pixel."""
        row, column = divmod(step, self.pitch)
        return row < self.rows.size and column < self.columns.size

    @property
    def slots(self) -> int:
        """Rows that a memory holds from which windows are read pixel by pixel: those that a row of
        positions needs, and those that come until the next can be worked on.
        """
        return self.rows.reach + 1 + min(self.rows.stride, self.rows.size)

    @cached_property
    def floors(self) -> tuple[int, ...]:
        """First row that is kept for each row of positions, and for the next image's first."""
        rows = self.rows
        return (*(min(rows.complete(place), rows.size + rows.ahead) - rows.reach
                  for place in range(rows.positions)), rows.size + rows.ahead - rows.reach)

    def needed(self, row: int, column: int) -> tuple[int, int]:
        """Row and column of the last pixel that a position waits for, if windows are so read."""
        down, across = self.rows.complete(row), self.columns.complete(column)
        if down >= self.rows.size:
            return self.rows.size - 1, self.columns.size - 1
        return down, min(across, self.columns.size - 1)

    @cached_property
    def completed(self) -> tuple[bool, ...]:
        """Whether a position is complete with a step, for each."""
        found = [False] * self.steps
        for row in range(self.rows.positions):
            for column in range(self.columns.positions):
                found[self.rows.complete(row) * self.pitch + self.columns.complete(column)] = True
        return tuple(found)
