"""Binary weights in doubt: each is +1 with a probability."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitwright.model.weights.weights import BinaryWeights

__all__ = ["Probabilities"]


class Probabilities(BinaryWeights):
    """A matrix of weights, each +1 with a probability v, some of them settled.

    Parameters
    ----------
    neurons, in_width : int
    generator : torch.Generator
        Source of the initial weights.

    Attributes
    ----------
    values : Parameter
        Expected weights ``u = 2 v - 1``, from -1 to +1. The bit is 1 from 0 up.
    settled : Tensor of bool
        Weights that have become -1 or +1 and stay what they are.
    bound : Tensor of one value
        Weights that are not settled stay within plus or minus this, which is at most 1. A learning
        rule's choice.
    """

    settled: Tensor
    bound: Tensor

    def __init__(self, neurons: int, in_width: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.rand(neurons, in_width, generator=generator) * 2 - 1)
        self.register_buffer("settled", torch.zeros(neurons, in_width, dtype=torch.bool))
        self.register_buffer("bound", torch.tensor(1.0, dtype=torch.float64))

    @property
    def bits(self) -> Tensor:
        return self.values.detach() >= 0

    @property
    def matrix(self) -> Tensor:
        return self.values.detach()

    def product(self, x: Tensor) -> Tensor:
        """Expected counts: the expectation of a sum is the sum of the probabilities."""
        return (self.values.shape[1] + self.values @ (2 * x - 1)) / 2

    @property
    def certain(self) -> Tensor:
        """Which neurons have settled weights alone, bool, shape (neurons,)."""
        return self.settled.all(1)

    @property
    def binary(self) -> bool:
        """Whether no weight is left in doubt."""
        return bool(self.settled.all())

    @torch.no_grad()
    def settle(self, share: float) -> None:
        """Settle whole rows, the surest first, until a share of all is settled.

        Those settled before remain so, and a share that has been reached changes nothing.
        """
        wanted = round(share * len(self.values))
        if wanted > self.certain.sum():
            # Settled rows are all -1 and +1, so that none is surer. A stable order decides on ties.
            order = self.values.abs().mean(1).argsort(descending=True, stable=True)
            self.settled[order[:wanted]] = True
            self.constrain()

    @torch.no_grad()
    def polarise(self, rate: float) -> None:
        """Descend the regulariser ``v (1 - v)``: away from 0, in proportion to the distance."""
        self.values.mul_(1 + rate)

    @torch.no_grad()
    def constrain(self) -> None:
        """Return weights to within their bound, and settled ones to -1 or +1."""
        signs = torch.where(self.bits, 1.0, -1.0)
        self.values.copy_(torch.where(self.settled, signs,
                                      self.values.clamp(-self.bound, self.bound)))

    def measures(self) -> dict[str, float]:
        """Doubt, the mean of ``4 v (1 - v)``: 1 where nothing is known; and the settled share."""
        return {"doubt": 1 - self.values.detach().square().mean().item(),
                "settled": self.settled.float().mean().item()}
