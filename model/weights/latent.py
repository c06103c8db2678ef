"""Binary weights that are the signs of latent real ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitwright.model.weights.product import agreements
from bitwright.model.weights.surrogate import Sign
from bitwright.model.weights.weights import BinaryWeights

__all__ = ["LatentSigns"]


class LatentSigns(BinaryWeights):
    """Latent weights within -1 to +1; the bit is 1 from 0 up.

    The slope of the sign is always the clipped one: within ±1, one that falls to 0 would leave
    those at the ends there for ever.

    Parameters
    ----------
    neurons, in_width : int
    generator : torch.Generator
        Source of the initial weights.
    """

    def __init__(self, neurons: int, in_width: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.rand(neurons, in_width, generator=generator) * 2 - 1)

    @property
    def bits(self) -> Tensor:
        return self.values.detach() >= 0

    @property
    def matrix(self) -> Tensor:
        return 2 * self.bits.to(self.values) - 1

    def product(self, x: Tensor) -> Tensor:
        return agreements(Sign.apply(self.values), x.to(self.values), self.feedback)

    @torch.no_grad()
    def constrain(self) -> None:
        self.values.clamp_(-1, 1)
