"""Weights that are real numbers: those of the references in software."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitwright.model.weights.product import product
from bitwright.model.weights.weights import Weights

__all__ = ["Reals", "uniform"]


def uniform(shape: tuple[int, ...], fan_in: int, generator: torch.Generator) -> nn.Parameter:
    """Draw weights within ``±1 / sqrt(fan_in)``, as torch's linear layers do."""
    return nn.Parameter((torch.rand(shape, generator=generator) * 2 - 1) / fan_in ** 0.5)


class Reals(Weights):
    """A matrix of reals.

    Parameters
    ----------
    neurons, in_width : int
    generator : torch.Generator
        Source of the initial weights.
    """

    def __init__(self, neurons: int, in_width: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.values = uniform((neurons, in_width), in_width, generator)

    @property
    def matrix(self) -> Tensor:
        return self.values.detach()

    def product(self, x: Tensor) -> Tensor:
        return product(self.values, x.to(self.values), self.feedback)
