"""Tables that do not train: of such nodes only the wiring does."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from bitwright.model.lookup.parametrisations.parametrisation import (
    Parametrisation,
    Start,
    signs,
)

__all__ = ["Majority", "Or"]


class _Fixed(Parametrisation):
    """The same function of every node's inputs."""

    trains = False

    def first(self, nodes: int, start: Start, generator: torch.Generator) -> Tensor:
        del start, generator
        ones = ((signs(self.fan_in) + 1) / 2).sum(0)
        return (self.function(ones).float() * 2 - 1).repeat(nodes, 1)

    def values(self, trained: Tensor) -> Tensor:
        return trained

    @abstractmethod
    def function(self, ones: Tensor) -> Tensor:
        """Bits of addresses of so many ones."""


class Majority(_Fixed, kind="majority"):
    """Whether more than half of the inputs are 1."""

    def function(self, ones: Tensor) -> Tensor:
        return 2 * ones > self.fan_in


class Or(_Fixed, kind="or"):
    """Whether any input is 1."""

    def function(self, ones: Tensor) -> Tensor:
        return ones > 0
