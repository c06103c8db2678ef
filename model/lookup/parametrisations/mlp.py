"""Tables that a small neural network fills."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.lookup.parametrisations.parametrisation import (
    Parametrisation,
    Start,
    signs,
)

__all__ = ["Mlp"]

HIDDEN = 8
"""Hidden neurons of a node."""


class Mlp(Parametrisation, kind="mlp"):
    """A neural network for each node: one hidden layer, and its inputs added to the sum.

    It is evaluated at every address, and the sign of its sum is the bit, so that nothing is left of
    it in a table (NeuraLUT, arXiv:2403.00849, has networks of many inputs of several bits).
    Addresses that are close get similar bits.
    """

    inputs: Tensor

    def __init__(self, fan_in: int) -> None:
        super().__init__(fan_in)
        # A constant as a further input is the bias.
        inputs = torch.cat([signs(fan_in), torch.ones(1, 1 << fan_in)])
        self.register_buffer("inputs", inputs, persistent=False)

    def first(self, nodes: int, start: Start, generator: torch.Generator) -> Tensor:
        """Rows of weights: of each hidden neuron, then of the sum; then those of hidden neurons in
        the sum, in one row. Shape (nodes, (HIDDEN + 1) * (fan_in + 1) + HIDDEN)."""
        width = self.fan_in + 1
        weights = torch.randn(nodes, (HIDDEN + 1) * width + HIDDEN, generator=generator)
        weights[:, : -HIDDEN] /= width**0.5
        weights[:, -HIDDEN:] /= 2 * HIDDEN**0.5
        if start == "residual":
            weights[:, HIDDEN * width :] *= 0.1
            weights[:, HIDDEN * width] = 1.0
        return weights

    def values(self, trained: Tensor) -> Tensor:
        rows = trained[:, : -HIDDEN].unflatten(1, (HIDDEN + 1, -1)) @ self.inputs
        hidden = torch.relu(rows[:, :HIDDEN]) * trained[:, -HIDDEN:, None]
        return torch.tanh(rows[:, HIDDEN] + hidden.sum(1))
