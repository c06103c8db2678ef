"""The input of real-valued networks: features as they are, scaled."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.base import Input
from bitwright.model.inputs.labels import LabelCode
from bitwright.model.wiring import Geometry

__all__ = ["Scaler"]


class Scaler(Input):
    """Division of integer features by their full scale.

    Stands where :class:`Modulator` stands in a network of bits.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width)`` of an image, else ``(features,)``.
    full_scale : int
        Feature value that becomes 1.
    code : LabelCode, optional
        Labels in place of features, one a frame, as in :class:`Modulator`: 0 and the value of the
        full scale.
    dropped : int
        Lower bits of a feature that read 0.
    mean, deviation : float
        What becomes 0, and how far from it what becomes 1, as a share of full scale.
    """

    values = "reals"

    def __init__(self, shape: tuple[int, ...], full_scale: int, code: LabelCode | None = None, *,
                 dropped: int = 0, mean: float = 0.0, deviation: float = 1.0) -> None:
        super().__init__()
        self.geometry = Geometry.of(shape)
        self.full_scale, self.dropped = full_scale, dropped
        self.mean, self.deviation = mean, deviation
        self.frames = 1 if code is None else len(code.bits)
        if code is not None:
            self.register_buffer("places", torch.from_numpy(code.places))
            one = (1 - mean) / deviation
            self.register_buffer("code", torch.from_numpy(code.bits).float() * one)

    def forward(self, features: Tensor) -> Tensor:
        if self.frames == 1:
            return self._scaled(features).T
        frames = torch.arange(self.frames, device=features.device)
        frames = frames.repeat_interleave(len(features))  # merged into the batch, as bits are
        return self.frame(features.repeat(self.frames, 1), frames)

    def frame(self, features: Tensor, frames: Tensor) -> Tensor:
        x = self._scaled(features)
        x[:, self.places] = self.code[frames]
        return x.T

    def _scaled(self, features: Tensor) -> Tensor:
        kept = features >> self.dropped << self.dropped if self.dropped else features
        return (kept / self.full_scale - self.mean) / self.deviation
