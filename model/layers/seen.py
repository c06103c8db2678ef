"""What a window sees of images, as rows of bits, and the images that are made of such rows."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from bitwright.ir.window import Window

__all__ = ["Seen"]


@dataclass(frozen=True)
class Seen:
    """The windows of an image as columns: those of a sample are neighbours, row by row.

    Images are logical arrays of shape (width, batch), of any strides. Those that are made here are
    transposed views of (batch, width), so that the channels of a pixel are neighbours in memory.

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
        window = self.window
        planes = x.T.reshape(-1, window.height, window.width, window.channels).permute(3, 0, 1, 2)
        seen = (planes.contiguous().unfold(2, window.kernel[0], window.stride[0])
                .unfold(3, window.kernel[1], window.stride[1]))
        return seen.permute(4, 5, 0, 1, 2, 3).reshape(self.bits, -1)

    def collect(self, columns: Tensor) -> Tensor:
        """Add up what columns have in the place of the same bit of the image."""
        window = self.window
        parts = columns.view(*window.kernel, window.channels, -1, *window.shape)
        total = columns.new_zeros(window.channels, parts.shape[3], window.height, window.width)
        (down, across), (rows, across_count) = window.stride, window.shape
        for y in range(window.kernel[0]):
            for x in range(window.kernel[1]):
                total[:, :, y : y + down * rows : down,
                      x : x + across * across_count : across] += parts[y, x]
        return total.permute(1, 2, 3, 0).flatten(1).T

    def image(self, y: Tensor) -> Tensor:
        """Map rows of channels, shape (channels, batch * positions), to an image."""
        return (y.view(len(y), -1, self.window.positions).permute(1, 2, 0).contiguous()
                .flatten(1).T)

    def channels(self, y: Tensor) -> Tensor:
        """Undo :meth:`image`."""
        positions = self.window.positions
        return (y.T.reshape(y.shape[1], positions, -1).permute(2, 0, 1).contiguous()
                .flatten(1))
