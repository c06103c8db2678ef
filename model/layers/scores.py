"""The head of XNOR networks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

import ir

from .base import Head
from .biased import Biased, Settings
from .surrogate import Sign
from .weighted import Weighted
from .xnor import agreements

__all__ = ["ScoresHead"]


class ScoresHead(Biased, Head, Weighted, kind="scores"):
    """Dense head of binary weights: a scaled agreement count and an integer bias a class.

    Parameters
    ----------
    width, classes : int
    temperature : float
    scale : int
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings

    def __init__(self, width: int, classes: int, *, temperature: float, scale: int,
                 generator: torch.Generator) -> None:
        super().__init__()
        # Latent weights, within -1 to +1; the bit is 1 from 0 up.
        self.weights = nn.Parameter(torch.rand(classes, width, generator=generator) * 2 - 1)
        self.add_biases(classes, temperature, scale)

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x))

    @property
    def matrix(self) -> Tensor:
        return 2 * (self.weights.detach() >= 0).to(self.weights) - 1

    def product(self, x: Tensor) -> Tensor:
        """Count agreements, shape (classes, batch)."""
        return agreements(Sign.apply(self.weights), x.to(self.weights), self.feedback)

    def activate(self, sums: Tensor) -> Tensor:
        """Map agreement counts to scores, shape (batch, classes)."""
        real = self.offsets * self.temperature
        biases = real + (self.biases - real).detach() if self.training else self.biases
        return (self.scale * sums + biases[:, None]).T

    def constrain(self) -> None:
        with torch.no_grad():
            self.weights.clamp_(-1, 1)

    def freeze(self) -> ir.Scores:
        return ir.Scores((self.weights >= 0).detach().numpy(), self.scale,
                         self.biases.numpy().astype(np.int32))
