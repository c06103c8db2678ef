"""The head of XNOR networks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import Head
from bitwright.model.heads.biased import Biased, Settings
from bitwright.model.weights.latent import LatentSigns

__all__ = ["ScoresHead"]


class ScoresHead(Biased, LatentSigns, Head, kind="scores"):
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
        self.add_weights(classes, width, generator)
        self.add_biases(classes, temperature, scale)

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.product(x))

    def activate(self, sums: Tensor) -> Tensor:
        """Map agreement counts to scores, shape (batch, classes)."""
        real = self.offsets * self.temperature
        biases = real + (self.biases - real).detach() if self.training else self.biases
        return (self.scale * sums + biases[:, None]).T

    def freeze(self) -> ir.Scores:
        return ir.Scores((self.weights >= 0).detach().numpy(), self.scale,
                         self.biases.numpy().astype(np.int32))
