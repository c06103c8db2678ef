"""Weights that are bits and nothing else, for layers that learn by flips."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.weights.weights import BinaryWeights

__all__ = ["Bits"]


class Bits(BinaryWeights):
    """Weight bits that are flipped. There is no parameter.

    Parameters
    ----------
    neurons, in_width : int
    bias : int
        Input bits that are always 1, each with a weight bit of its own. Frozen, their count is
        part of a threshold.
    generator : torch.Generator
        Source of the initial weights.

    Attributes
    ----------
    all : Tensor of bool, shape (neurons, in_width + bias)
        Weight bits of the inputs, then those of the bias.
    """

    all: Tensor

    def __init__(self, neurons: int, in_width: int, *, bias: int = 0,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.in_width, self.bias = in_width, bias
        bits = torch.randint(2, (neurons, in_width + bias), generator=generator)
        self.register_buffer("all", bits.bool())

    @property
    def bits(self) -> Tensor:
        return self.all[:, : self.in_width]

    @property
    def constants(self) -> Tensor:
        return self.all[:, self.in_width :].sum(1)

    @property
    def fan_in(self) -> int:
        """Weight bits of a neuron."""
        return self.in_width + self.bias

    @property
    def signs(self) -> Tensor:
        """All weight bits as -1 and +1, float32 of shape (neurons, fan_in)."""
        return self.all.float().mul_(2).sub_(1)

    @property
    def matrix(self) -> Tensor:
        return self.bits.float().mul_(2).sub_(1)

    def extend(self, x: Tensor) -> Tensor:
        """Bits of shape (in_width, columns) to -1 and +1, with the bias below."""
        signs = x.float() * 2 - 1
        return torch.cat([signs, signs.new_ones(self.bias, x.shape[1])]) if self.bias else signs

    def count(self, signs: Tensor) -> Tensor:
        """Agreements of an extended input with all weights, shape (neurons, columns)."""
        return (self.signs @ signs + self.fan_in) / 2

    def product(self, x: Tensor) -> Tensor:
        return self.count(self.extend(x))

    def flip(self, mask: Tensor, *, inverted: bool = False) -> None:
        """Flip the weight bits of a mask of bool, shape (neurons, fan_in).

        Parameters
        ----------
        mask : Tensor
        inverted : bool
            Flip those outside the mask instead.
        """
        self.all ^= ~mask if inverted else mask
