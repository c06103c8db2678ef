"""The input of real-valued networks: features as they are, scaled."""

from __future__ import annotations

from torch import Tensor, nn

from .wiring import Geometry

__all__ = ["Scaler"]


class Scaler(nn.Module):
    """Division of integer features by their full scale.

    Stands where :class:`Modulator` stands in a network of bits.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width)`` of an image, else ``(features,)``.
    full_scale : int
        Feature value that becomes 1.
    """

    frames = 1

    def __init__(self, shape: tuple[int, ...], full_scale: int) -> None:
        super().__init__()
        self.geometry = Geometry.of(shape)
        self.full_scale = full_scale

    def forward(self, features: Tensor) -> Tensor:
        """Map integers, shape (batch, n), to reals, shape (n, batch)."""
        return (features / self.full_scale).T
