"""What a window sees of images, as rows of bits, and the images that are made of such rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from bitwright.ir.window import Window
from bitwright.model.layers.windows import picture

__all__ = ["Seen"]


@dataclass(frozen=True)
class Seen:
    """The windows of an image as rows, one for each bit that the window sees.

    Images are logical arrays of shape (width, batch), of any strides. Those that are made here are
    transposed views of (batch, width), so that the channels of a pixel are neighbours in memory.
    Between them, planes have the shape (channels, batch, rows, columns).

    Parameters
    ----------
    window : Window
    """

    window: Window

    @property
    def bits(self) -> int:
        return self.window.bits

    def columns(self, x: Tensor) -> Tensor:
        """Map an image to what the window sees, shape (bits, batch * positions)."""
        planes = self._add_border(picture(x, self.window).permute(3, 0, 1, 2).contiguous())
        seen = planes.new_empty(*self.window.kernel, *planes.shape[:2], *self.window.shape)
        for place, pixels in self._pixels():
            seen[place].copy_(planes[pixels])
        return seen.view(self.bits, -1)

    def collect(self, columns: Tensor) -> Tensor:
        """Add up what columns have in the place of the same bit of the image."""
        window = self.window
        seen = columns.view(*window.kernel, window.channels, -1, *window.shape)
        planes = columns.new_zeros(*seen.shape[2:4], *window.padded_shape)
        for place, pixels in self._pixels():
            planes[pixels] += seen[place]
        return self._take_border(planes).permute(1, 2, 3, 0).flatten(1).T

    def image(self, y: Tensor) -> Tensor:
        """Map rows of channels, shape (channels, batch * positions), to an image."""
        return y.view(len(y), -1, self.window.positions).permute(1, 2, 0).flatten(1).T

    def channels(self, y: Tensor) -> Tensor:
        """Undo :meth:`image`."""
        return y.T.reshape(y.shape[1], self.window.positions, -1).permute(2, 0, 1).flatten(1)

    def _pixels(self) -> Iterator[tuple[tuple[int, int], tuple[slice, ...]]]:
        """Each pixel of the window, and where in the planes the positions see it."""
        window = self.window
        for y in range(window.kernel[0]):
            for x in range(window.kernel[1]):
                starts = y * window.dilation[0], x * window.dilation[1]
                yield (y, x), (slice(None), slice(None), *(
                    slice(start, start + step * (count - 1) + 1, step) for start, step, count
                    in zip(starts, window.stride, window.shape, strict=True)))

    def _add_border(self, planes: Tensor) -> Tensor:
        top, bottom, left, right = self.window.padding
        if self.window.border in ("zero", "one"):
            return pad(planes, (left, right, top, bottom), value=self.window.border == "one")
        for axis, source in enumerate(self._sources(planes.device), 2):
            planes = planes.index_select(axis, source)
        return planes

    def _take_border(self, planes: Tensor) -> Tensor:
        """Transpose of :meth:`_add_border`."""
        window, (top, _, left, _) = self.window, self.window.padding
        if window.border in ("zero", "one"):
            return planes[:, :, top : top + window.height, left : left + window.width]
        for axis, source in enumerate(self._sources(planes.device), 2):
            shape = list(planes.shape)
            shape[axis] = (window.height, window.width)[axis - 2]
            planes = planes.new_zeros(shape).index_add_(axis, source, planes)
        return planes

    def _sources(self, device: torch.device) -> Iterator[Tensor]:
        """Row of the image that each row with the border repeats, and column for column."""
        window, (top, bottom, left, right) = self.window, self.window.padding
        for size, before, after in ((window.height, top, bottom), (window.width, left, right)):
            place = torch.arange(-before, size + after, device=device)
            if window.border == "reflect":
                place = size - 1 - (size - 1 - place.abs()).abs()
            yield place.clamp(0, size - 1)
