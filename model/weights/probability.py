"""Binary weights in doubt: what the layers of a Bernoulli network have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ProbableWeights"]


class ProbableWeights(nn.Module):
    """A matrix of weights, each +1 with a probability v, some of them settled.

    Parameters
    ----------
    rows, columns : int
    generator : torch.Generator
        Source of the initial weights.

    Attributes
    ----------
    weights : Tensor, shape (rows, columns)
        Expected weights ``u = 2 v - 1``, from -1 to +1. The bit is 1 from 0 up.
    settled : Tensor of bool, of the same shape
        Weights that have become -1 or +1 and stay what they are.
    bound : float
        Weights that are not settled stay within plus or minus this, which is at most 1. A learning
        rule's choice.
    """

    settled: Tensor

    def __init__(self, rows: int, columns: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.rand(rows, columns, generator=generator) * 2 - 1)
        self.register_buffer("settled", torch.zeros(rows, columns, dtype=torch.bool))
        self.bound = 1.0

    @property
    def bits(self) -> Tensor:
        """Likelier value of each weight. The one place where a probability becomes a bit."""
        return self.weights.detach() >= 0

    @property
    def binary(self) -> bool:
        """Whether no weight is left in doubt."""
        return bool(self.settled.all())

    @property
    def doubt(self) -> float:
        """Mean of ``4 v (1 - v)``: 1 where nothing is known, 0 where all is certain."""
        return 1 - self.weights.detach().square().mean().item()

    @torch.no_grad()
    def settle(self, share: float) -> None:
        """Settle whole rows, the surest first, until a share of all is settled.

        Those settled before remain so, and a share that has been reached changes nothing.
        """
        wanted = round(share * len(self.weights))
        if wanted > self.settled.all(1).sum():
            # Settled rows are all -1 and +1, so that none is surer. A stable order decides on ties.
            order = self.weights.abs().mean(1).argsort(descending=True, stable=True)
            self.settled[order[:wanted]] = True
            self.constrain()

    @torch.no_grad()
    def polarise(self, rate: float) -> None:
        """Descend the regulariser ``v (1 - v)``: away from 0, in proportion to the distance."""
        self.weights.mul_(1 + rate)

    def constrain(self) -> None:
        """Return weights to within their bound, and settled ones to -1 or +1."""
        with torch.no_grad():
            signs = torch.where(self.bits, 1.0, -1.0)
            self.weights.copy_(torch.where(self.settled, signs,
                                           self.weights.clamp(-self.bound, self.bound)))
