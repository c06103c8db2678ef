"""The input of real-valued networks: features as they are, scaled."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .labels import LabelCode
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
    code : LabelCode, optional
        Labels in place of features, one a frame, as in :class:`Modulator`.
    """

    def __init__(self, shape: tuple[int, ...], full_scale: int,
                 code: LabelCode | None = None) -> None:
        super().__init__()
        self.geometry = Geometry.of(shape)
        self.full_scale = full_scale
        self.frames = 1 if code is None else len(code.bits)
        if code is not None:
            self.register_buffer("places", torch.from_numpy(code.places))
            self.register_buffer("code", torch.from_numpy(code.bits).float())

    def forward(self, features: Tensor) -> Tensor:
        """Map integers, shape (batch, n), to reals, shape (n, frames * batch)."""
        if self.frames == 1:
            return (features / self.full_scale).T
        frames = torch.arange(self.frames).repeat_interleave(len(features))
        return self.frame(features.repeat(self.frames, 1), frames)

    def frame(self, features: Tensor, frames: Tensor) -> Tensor:
        """Map each sample in a frame of its own, shape (batch,), to reals, shape (n, batch)."""
        x = features / self.full_scale
        x[:, self.places] = self.code[frames]
        return x.T
