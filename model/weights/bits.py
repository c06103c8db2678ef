"""Weights that are bits and nothing else, for layers that learn by flips."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from bitwright.model.flip.words import occupied, pack, unpack

__all__ = ["BitWeights", "Centre"]

Centre = Literal["half", "batch"]
"""What a count is compared with: half of the inputs, or its own mean over the samples."""

MOMENTUM = 0.1
"""Share of a batch in the running mean and variance of the counts."""


class BitWeights(nn.Module):
    """State and forward pass that the layers ``bmab`` and ``bma`` share.

    The weights are a buffer of packed bits; there is no parameter. Pad bits are 0, are not
    counted, and are never flipped.

    Parameters
    ----------
    in_width, neurons : int
    bias : int
        Input bits that are always 1, each with a weight bit of its own. Frozen, their count is
        part of a threshold.
    centre : Centre
    generator : torch.Generator
        Source of the initial weights.
    """

    words: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, in_width: int, neurons: int, *, bias: int, centre: Centre,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.in_width, self.bias, self.centre = in_width, bias, centre
        bits = torch.randint(2, (neurons, self.fan_in), generator=generator)
        self.register_buffer("words", pack(bits))
        if centre == "batch":
            self.register_buffer("mean", torch.full((neurons,), self.fan_in / 2))
            self.register_buffer("variance", torch.full((neurons,), self.fan_in / 4))

    @property
    def fan_in(self) -> int:
        """Weight bits of a neuron: those of the inputs, then those of the bias."""
        return self.in_width + self.bias

    @property
    def bits(self) -> Tensor:
        """Weight bits, uint8 of shape (neurons, fan_in)."""
        return unpack(self.words, self.fan_in)

    @property
    def signs(self) -> Tensor:
        """Weight bits as -1 and +1, float32 of shape (neurons, fan_in)."""
        return self.bits.float().mul_(2).sub_(1)

    def extend(self, x: Tensor) -> Tensor:
        """Bits of shape (in_width, batch) to -1 and +1, with the bias below: (fan_in, batch)."""
        signs = x.float() * 2 - 1
        return torch.cat([signs, signs.new_ones(self.bias, x.shape[1])]) if self.bias else signs

    def count(self, signs: Tensor) -> Tensor:
        """Agreements of the extended input with the weights, shape (neurons, batch)."""
        return (self.signs @ signs + self.fan_in) / 2

    def moments(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation that the counts of each neuron are normalised with, as columns.

        Those of fair coins where the centre is half of the inputs; else in training those of the
        batch, which the running ones then follow, and in evaluation the running ones.
        """
        if self.centre == "half":
            ones = counts.new_ones(len(counts), 1)
            return ones * self.fan_in / 2, ones * (self.fan_in / 4) ** 0.5
        mean, variance = self.mean, self.variance
        if self.training:
            mean, variance = counts.mean(1), counts.var(1, unbiased=False)
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance, MOMENTUM)
        # A count that never changes deviates by nothing: any unit will do.
        return mean[:, None], variance[:, None].clamp(min=0.25).sqrt()

    def flip(self, mask: Tensor, *, inverted: bool = False) -> None:
        """Flip the weight bits of a mask of bool, shape (neurons, fan_in).

        Parameters
        ----------
        mask : Tensor
        inverted : bool
            Flip those outside the mask instead.
        """
        words = pack(mask)
        self.words ^= words ^ occupied(self.fan_in) if inverted else words
