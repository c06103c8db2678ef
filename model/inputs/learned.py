"""Thresholds that move in training, frozen to whole numbers."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitwright import ir
from bitwright.integers import domain
from bitwright.model.base import Input, Trait
from bitwright.model.inputs.frames import merged
from bitwright.model.inputs.modulate import snapped
from bitwright.model.weights.surrogate import Step
from bitwright.model.wiring import Geometry

__all__ = ["LearnedModulator"]

UNITS = 16
"""Steps of a threshold's parameter from one end of the range to the other: so a step of training
moves it by a share of the range that is a sixteenth of the learning rate."""


class LearnedModulator(Input):
    """Comparison of integer features with thresholds that a rule moves.

    A bit is that of the whole threshold, in training too. Backward it is a straight line as far as
    half of an even step of the depth on both sides: a feature further away moves nothing.

    Parameters
    ----------
    first : array of int32, shape (frames, features, depth)
        Thresholds before training.
    shape : tuple of int
        ``(height, width)`` of an image, else ``(features,)``.
    full_scale : int
    bits : int
        Width of a feature.
    signed : bool
    together : bool
        Whether all features have the same thresholds, those of the first.
    top_bits : int
        Upper bits of a feature that decide; 0 for all.
    """

    values = "bits"
    freezes = True
    learns = True
    traits = frozenset({Trait.GRADIENT})

    first: Tensor

    def __init__(self, first: NDArray[np.int32], shape: tuple[int, ...], *, full_scale: int,
                 bits: int, signed: bool, together: bool = False, top_bits: int = 0) -> None:
        super().__init__()
        self.frames, _, depth = first.shape
        self.levels = "global-learned" if together else "learned"
        self.bits, self.signed, self.top_bits = bits, signed, top_bits
        self.geometry = Geometry.of(shape, depth)
        self.unit, self.reach = full_scale / UNITS, full_scale / (2 * depth)
        self.step = Step()
        self.register_buffer("first", torch.from_numpy(first[:, :1] if together else first))
        self.moved = nn.Parameter(torch.zeros(self.first.shape))

    @property
    def features(self) -> int:
        """Number of features."""
        return self.geometry.width // self.first.shape[2]

    @property
    def places(self) -> Tensor:
        """Where the thresholds are, as reals: shape (frames, features or 1, depth)."""
        return self.first + self.unit * self.moved

    @property
    def thresholds(self) -> Tensor:
        """Least integers at which a bit is 1: int32, shape (frames, features, depth).

        The one place where what is trained becomes a number of the device.
        """
        low, high = domain(self.bits, self.signed)
        whole = self.places.detach().round().clamp(low, high + 1).int()
        whole = snapped(whole, self.top_bits, bits=self.bits, signed=self.signed)
        return whole.expand(-1, self.features, -1)

    def forward(self, features: Tensor) -> Tensor:
        limits = self.thresholds.permute(1, 2, 0)[..., None]  # (n, depth, frames, 1)
        columns = features.T[:, None, None, :]
        if not self.training:
            return merged(columns >= limits).to(torch.uint8)
        # The distance from the whole threshold, but for the gradient, which is that of the place.
        places = self.places.permute(1, 2, 0)[..., None]
        distance = columns - limits - (places - places.detach())
        return merged(self.step(distance / self.reach))

    def freeze(self) -> ir.Modulate:
        return ir.Modulate(self.thresholds.cpu().numpy().copy(), self.bits, self.signed)
