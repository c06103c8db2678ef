"""Modulation behind a batch norm: thresholds that are learned, folded to whole numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model.flip.operators import cuts
from bitwright.model.wiring import Geometry

__all__ = ["NormModulator"]

EPSILON = 1e-5
MOMENTUM = 0.1
"""As in an ordinary batch norm."""


class NormModulator(nn.Module):
    """Batch norm of integer features, then comparison with the cuts of the normal distribution.

    In training features are normalised over the batch. In evaluation the running statistics and
    the learned scale and shift are folded into thresholds of the integers, and nothing but
    integers is compared. The scale is the exponential of what is learned, and so never negative:
    a comparison is never turned round. A rule that gives no gradient to :meth:`normalise` leaves
    scale and shift at 1 and 0.

    Frames are folded into the batch as by :class:`model.layers.Modulator`; with F of them a frame
    has every F-th of ``D * F`` cuts.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width)`` of an image, else ``(features,)``.
    depth, frames : int
    bits : int
        Width of a feature.
    signed : bool
    """

    mean: Tensor
    variance: Tensor
    cuts: Tensor

    def __init__(self, shape: tuple[int, ...], depth: int, frames: int, *, bits: int,
                 signed: bool) -> None:
        super().__init__()
        self.frames, self.bits, self.signed = frames, bits, signed
        self.geometry = Geometry.of(shape, depth)
        features = self.geometry.width // depth
        self.scale_log = nn.Parameter(torch.zeros(features))
        self.shift = nn.Parameter(torch.zeros(features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))
        ladder = cuts(depth * frames).reshape(depth, frames)
        self.register_buffer("cuts", ladder, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map integers, shape (batch, n), to bits as bytes, shape (n * depth, frames * batch)."""
        if self.training:
            return self.cut(self.normalise(features).detach())
        limits = self.thresholds.permute(1, 2, 0)  # (n, depth, frames)
        return self._flatten(features.T[:, None, None, :] >= limits[..., None])

    def normalise(self, features: Tensor) -> Tensor:
        """Batch norm, with gradients: integers (batch, n) to reals (n, batch)."""
        x = features.T.float()
        mean, variance = x.mean(1), x.var(1, unbiased=False)
        with torch.no_grad():
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance, MOMENTUM)
        z = (x - mean[:, None]) / (variance[:, None] + EPSILON).sqrt()
        return z * self.scale_log.exp()[:, None] + self.shift[:, None]

    def cut(self, z: Tensor) -> Tensor:
        """Bits of normalised features: (n, batch) to (n * depth, frames * batch)."""
        return self._flatten(z[:, None, None, :] > self.cuts[..., None])

    def _flatten(self, bits: Tensor) -> Tensor:
        return bits.reshape(self.geometry.width, -1).to(torch.uint8)

    @property
    def thresholds(self) -> Tensor:
        """Least integers at which a bit is 1: int32, shape (frames, n, depth).

        The one place where the normalisation becomes a whole number.
        """
        with torch.no_grad():
            slope = self.scale_log.double().exp() / (self.variance.double() + EPSILON).sqrt()
            levels = (self.cuts.T[:, None, :] - self.shift.double()[:, None]) / slope[:, None]
            levels = levels + self.mean.double()[:, None]
        low = -(1 << self.bits - 1) if self.signed else 0
        return (levels.floor() + 1).clamp(low, low + (1 << self.bits)).to(torch.int32)

    def freeze(self) -> ir.Modulate:
        return ir.Modulate(self.thresholds.numpy(), self.bits, self.signed)
