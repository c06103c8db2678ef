"""The interface of binary neurons: weights, and thresholds of the counts of agreeing bits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model.base import Trait
from bitwright.model.weights.product import agreements
from bitwright.model.weights.weights import BinaryWeights

__all__ = ["Neurons", "Settings", "apart", "reached"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about any binary neurons."""

    neurons: int
    """Neurons, each with a weight for every bit that it sees."""

    def __post_init__(self) -> None:
        if self.neurons < 1:
            raise ValueError(f"neurons must be at least 1, not {self.neurons}")


def apart(values: Tensor, cuts: Tensor) -> Tensor:
    """Subtract from each row of values every one of its cuts, those of a row side by side.

    Whether rows or columns of the values lie together in memory, so they do in the result.

    Parameters
    ----------
    values : Tensor, shape (rows, columns)
    cuts : Tensor, shape (rows or 1, depth)

    Returns
    -------
    Tensor, shape (rows * depth, columns)
    """
    if values.T.is_contiguous():
        return (values.T[:, :, None] - cuts).flatten(1).T
    return (values[:, None, :] - cuts[:, :, None]).flatten(0, 1)


@torch.no_grad()
def reached(counts: Tensor, thresholds: Tensor) -> Tensor:
    """Compare counts, shape (neurons, columns), with whole thresholds, shape (neurons, depth).

    They are compared half-way between two whole numbers: some of the convolutions of GPUs take a
    detour by which a sum of whole numbers misses its own by a hair.

    Returns
    -------
    Tensor of 0 and 1 of the counts' type, shape (neurons * depth, columns)
    """
    return (apart(counts, thresholds - 0.5) >= 0).to(counts)


class Neurons(nn.Module, ABC):
    """Neurons that all see the same bits: ``forward`` maps (in_width, columns) to bits.

    Outputs are of shape ``(neurons * depth, columns)``, those of a neuron side by side. In
    evaluation, a count of agreeing bits is compared with the whole numbers of :attr:`frozen`, and
    nothing else happens; so :meth:`freeze` is exact.

    A concrete kind takes ``(in_width, settings, *, generator)``.

    Attributes
    ----------
    weights : BinaryWeights
    depth : int
        Thresholds of a neuron.
    """

    Settings: ClassVar[type]
    traits: ClassVar[frozenset[Trait]]
    batch_statistics: bool = True
    """Whether a training pass normalises over its columns."""

    weights: BinaryWeights

    def __init__(self, in_width: int, depth: int) -> None:
        super().__init__()
        self.in_width, self.depth = in_width, depth

    @property
    @abstractmethod
    def settles(self) -> bool:
        """Whether a pass in training moves running statistics that thresholds depend on."""

    @abstractmethod
    def activate(self, sums: Tensor) -> Tensor:
        """Map what the weights' product gives to outputs, in training."""

    @property
    @abstractmethod
    def thresholds(self) -> Tensor:
        """Least counts at which outputs are 1, from 0 to in_width + 1: int32, (neurons, depth)."""

    @property
    def frozen(self) -> tuple[Tensor, Tensor]:
        """Weight bits, bool of shape (neurons, in_width), and :attr:`thresholds`."""
        return self.weights.bits, self.thresholds

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return self.activate(self.weights.product(x))
        return self.compare(x)

    @torch.no_grad()
    def compare(self, x: Tensor) -> Tensor:
        """Run the neurons as they will be frozen, on columns of 0 and 1."""
        x = x.float()
        weights, thresholds = self.frozen
        return reached(agreements(weights.to(x), x), thresholds)

    def freeze(self) -> ir.Xnor:
        """Node with the same function as :meth:`compare`."""
        weights, thresholds = (tensor.cpu().numpy() for tensor in self.frozen)
        return ir.Xnor(np.ascontiguousarray(weights), thresholds)

    def perturb(self, generator: torch.Generator) -> None:
        """Move thresholds at random from where they begin. Feeds the conformance tests."""

    @classmethod
    def sample_settings(cls, generator: torch.Generator) -> dict[str, Any]:
        """Draw settings of a few neurons. Feeds the conformance tests."""
        return {"neurons": int(torch.randint(2, 8, (), generator=generator))}
