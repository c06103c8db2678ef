"""The head of Bernoulli networks: expected agreement counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import Head
from bitwright.model.heads import biased
from bitwright.model.heads.biased import Biased
from bitwright.model.weights.latent import agreements
from bitwright.model.weights.probability import ProbableWeights

__all__ = ["ExpectationHead"]


@dataclass(frozen=True)
class Settings(biased.Settings):
    """What a recipe says about an expectation head."""

    temperature: float = 8.0
    """Scores are divided by it to become logits."""


class ExpectationHead(Biased, ProbableWeights, Head, kind="expectation"):
    """Expectation of a scaled agreement count, and a bias, a class.

    The expectation of a sum needs no distribution: it is the sum of the probabilities. Where all
    is certain it is the count itself, and the head freezes to an :class:`ir.Scores`.

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
        super().__init__(classes, width, generator=generator)
        self.add_biases(classes, temperature, scale)

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.weights)
        if not self.training:
            return self.calibrate(x)
        expected = (self.weights.shape[1] + self.weights @ (2 * x - 1)) / 2
        return (self.scale * expected + (self.offsets * self.temperature)[:, None]).T

    @torch.no_grad()
    def calibrate(self, bits: Tensor) -> Tensor:
        """Run the head as it will be frozen: bits, shape (in_width, batch), to integer scores."""
        counts = agreements(self.bits.to(bits), bits)
        return (self.scale * counts + self.biases[:, None]).T

    def measures(self) -> dict[str, float]:
        return {"doubt": self.doubt, "settled": self.settled.float().mean().item()}

    def freeze(self) -> ir.Scores:
        return ir.Scores(self.bits.numpy(), self.scale, self.biases.numpy().astype(np.int32))
