"""The binary linear layer of flip backpropagation: bits to bits, with weights that are bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import BitLayer, Context
from bitwright.model.flip.operators import cuts
from bitwright.model.weights.bits import BitWeights, Centre
from bitwright.model.wiring import Geometry

__all__ = ["BmabLayer"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a BMAB layer."""

    neurons: int
    """Neurons, each with a weight bit for every input bit."""
    depth: int = 1
    """Thresholds of a neuron, each one output bit. They cut the normal distribution into equal
    masses."""
    centre: Centre = "half"
    """"half": counts are normalised as those of fair coins, and nothing of the layer is real.
    "batch": by their mean and variance over the batch, of which running values are kept."""
    bias: int = 0
    """Input bits that are always 1."""

    def __post_init__(self) -> None:
        for name in ("neurons", "depth"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.bias < 0:
            raise ValueError(f"bias must be at least 0, not {self.bias}")


class BmabLayer(BitLayer, BitWeights, kind="bmab"):
    """Agreement counts of binary neurons, normalised and compared with the cuts.

    BMAB stands for binary multiply-accumulate, binarize. A bit is 1 where the count is *above*
    its threshold. Frozen it is an :class:`ir.Xnor`.

    Parameters
    ----------
    in_width : int
    settings : Settings
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings

    cuts: Tensor

    def __init__(self, in_width: int, settings: Settings, *, generator: torch.Generator) -> None:
        BitWeights.__init__(self, in_width, settings.neurons, bias=settings.bias,
                            centre=settings.centre, generator=generator)
        self.geometry = Geometry.line(settings.neurons, settings.depth)
        self.register_buffer("cuts", cuts(settings.depth), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        counts = self.count(self.extend(x))
        if self.training:
            return self.cut(self.normalise(counts))
        return (counts[:, None, :] >= self.thresholds[:, :, None]).flatten(0, 1).float()

    def normalise(self, counts: Tensor) -> Tensor:
        """Counts in deviations from their mean. See :meth:`BitWeights.moments`."""
        mean, deviation = self.moments(counts)
        return (counts - mean) / deviation

    def cut(self, z: Tensor) -> Tensor:
        """Bits of normalised counts, shape (neurons, batch) to (neurons * depth, batch)."""
        return (z[:, None, :] > self.cuts.to(z)[:, None]).flatten(0, 1).float()

    def distance(self, z: Tensor) -> Tensor:
        """How far normalised counts are from the nearest cut, shape (neurons, batch)."""
        return (z[:, None, :] - self.cuts.to(z)[:, None]).abs().amin(1)

    @property
    def thresholds(self) -> Tensor:
        """Least counts, the bias among them, at which a bit is 1: int32, (neurons, depth).

        The one place where something real becomes a whole number.
        """
        if self.centre == "half":
            levels = self.fan_in / 2 + self.cuts * (self.fan_in / 4) ** 0.5
            levels = levels.expand(len(self.words), -1)
        else:
            deviation = self.variance.double()[:, None].clamp(min=0.25).sqrt()
            levels = self.mean.double()[:, None] + self.cuts * deviation
        return (levels.floor() + 1).clamp(0, self.fan_in + 1).to(torch.int32)

    def freeze(self) -> ir.Xnor:
        bits = self.bits.numpy().astype(bool)
        weights, biases = bits[:, : self.in_width], bits[:, self.in_width :]
        thresholds = self.thresholds.numpy() - biases.sum(1, keepdims=True)
        return ir.Xnor(np.ascontiguousarray(weights),
                       thresholds.clip(0, self.in_width + 1).astype(np.int32))

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        return cls(context.geometry.width, settings, generator=generator)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        width, neurons, depth, bias, centre = (
            int(torch.randint(low, low + 6, (), generator=generator)) for low in (3, 2, 1, 0, 0))
        settings = Settings(neurons, depth, ("half", "batch")[centre % 2], bias)
        layer = cls(width, settings, generator=generator)
        if settings.centre == "batch":
            layer.mean += torch.randn(neurons, generator=generator)
            layer.variance += torch.rand(neurons, generator=generator)
        return layer
