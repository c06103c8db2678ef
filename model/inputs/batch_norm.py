"""Modulation behind a batch norm: thresholds that are learned, absorbed into whole numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.integers import domain
from bitwright.model import processes
from bitwright.model.base import Input, Trait
from bitwright.model.inputs.frames import merged
from bitwright.model.thresholds import crossing, cuts, least
from bitwright.model.weights.surrogate import Step
from bitwright.model.wiring import Geometry

__all__ = ["BatchNormModulator"]

EPSILON = 1e-5
MOMENTUM = 0.1
"""As in an ordinary batch norm."""


class BatchNormModulator(Input):
    """Batch norm of integer features, then comparison with the cuts of the normal distribution.

    In training features are normalised over the batch, and gradients pass to the learned scale and
    shift through the clipped slope. In evaluation they and the running statistics are absorbed
    into thresholds of the integers, and nothing but integers is compared. The scale is the
    exponential of what is learned, and so never negative: a comparison is never turned round.

    With F frames a frame has every F-th of ``D * F`` cuts.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width)`` of an image, else ``(features,)``.
    depth, frames : int
    bits : int
        Width of a feature.
    signed : bool
    """

    values = "bits"
    freezes = True
    learns = True
    traits = frozenset({Trait.GRADIENT, Trait.FLIPS})
    levels = "batch-norm"
    batch_statistics = True

    mean: Tensor
    variance: Tensor
    cuts: Tensor

    def __init__(self, shape: tuple[int, ...], depth: int, frames: int, *, bits: int,
                 signed: bool) -> None:
        super().__init__()
        self.frames, self.bits, self.signed = frames, bits, signed
        self.geometry = Geometry.of(shape, depth)
        features = self.geometry.width // depth
        self.step = Step()
        self.scale_log = nn.Parameter(torch.zeros(features))
        self.shift = nn.Parameter(torch.zeros(features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))
        ladder = cuts(depth * frames).reshape(depth, frames)
        self.register_buffer("cuts", ladder, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        if self.training:
            z = self.normalise(features)
            return merged(self.step(z[:, None, None, :] - self.cuts.to(z)[..., None]))
        limits = self.thresholds.permute(1, 2, 0)  # (n, depth, frames)
        return merged(features.T[:, None, None, :] >= limits[..., None]).to(torch.uint8)

    def normalise(self, features: Tensor) -> Tensor:
        """Batch norm, with gradients: integers (batch, n) to reals (n, batch)."""
        x = features.T.float()
        mean, variance = processes.moments(x)
        with torch.no_grad():
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance, MOMENTUM)
        z = (x - mean[:, None]) / (variance[:, None] + EPSILON).sqrt()
        return z * self.scale_log.exp()[:, None] + self.shift[:, None]

    def cut(self, z: Tensor) -> Tensor:
        """Bits of normalised features: (n, batch) to (n * depth, frames * batch)."""
        return merged(z[:, None, None, :] > self.cuts[..., None]).to(torch.uint8)

    @property
    def thresholds(self) -> Tensor:
        """Least integers at which a bit is 1: int32, shape (frames, n, depth)."""
        mean, variance, shift, scale = (x.detach().double()[:, None] for x in (
            self.mean, self.variance, self.shift, self.scale_log))
        bound = crossing(self.cuts.T[:, None, :], mean, (variance + EPSILON).sqrt(), scale.exp(),
                         shift)
        low, high = domain(self.bits, self.signed)
        return least(bound, low, highest=high + 1, above=True)

    def freeze(self) -> ir.Modulate:
        return ir.Modulate(self.thresholds.cpu().numpy(), self.bits, self.signed)
