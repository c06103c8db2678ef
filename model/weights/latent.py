"""Binary weights that are the signs of latent real ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitwright.model.weights.feedback import Weighted, product
from bitwright.model.weights.surrogate import Sign

__all__ = ["LatentSigns", "agreements"]


def agreements(weights: Tensor, x: Tensor, feedback: Tensor | None = None) -> Tensor:
    """Count agreeing bits, exactly, and differentiably in both.

    Parameters
    ----------
    weights : Tensor of 0 and 1, shape (neurons, in_width)
    x : Tensor of 0 and 1, shape (in_width, batch)
    feedback : Tensor, shape (neurons, in_width), optional
        See :func:`model.weights.feedback.product`. The weights count as -1 and +1.

    Returns
    -------
    Tensor, shape (neurons, batch)
        ``popcount(~(x ^ w))``. Floats hold it exactly up to an in_width of 2^23.
    """
    return (product(2 * weights - 1, 2 * x - 1, feedback) + weights.shape[1]) / 2


class LatentSigns(Weighted):
    """What layers and heads with such weights share: the weights, and agreement counts.

    Attributes
    ----------
    weights : Parameter, shape (neurons, in_width)
        Latent weights, within -1 to +1; the bit is 1 from 0 up.
    """

    weights: nn.Parameter

    def add_weights(self, neurons: int, in_width: int, generator: torch.Generator) -> None:
        self.weights = nn.Parameter(torch.rand(neurons, in_width, generator=generator) * 2 - 1)

    @property
    def matrix(self) -> Tensor:
        return 2 * (self.weights.detach() >= 0).to(self.weights) - 1

    def product(self, x: Tensor) -> Tensor:
        """Count agreements, shape (neurons, batch)."""
        return agreements(Sign.apply(self.weights), x.to(self.weights), self.feedback)

    def constrain(self) -> None:
        with torch.no_grad():
            self.weights.clamp_(-1, 1)
