"""What the relaxations of backpropagation share: random matrices, and the angle to the gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.base import Summing
from bitwright.model.network import Network
from bitwright.model.rules import descent
from bitwright.model.rules.descent import Descent

__all__ = ["MeasuredSettings", "RandomSettings", "Relaxation", "angle", "behind_the_first", "draw",
           "seeded"]


@dataclass(frozen=True)
class MeasuredSettings(descent.Settings):
    """What a recipe says about any relaxation."""

    angles: bool = False
    """Whether every step measures the angle between its gradient and that of backpropagation. It
    costs a second forward and backward pass, and changes nothing."""


@dataclass(frozen=True)
class RandomSettings(MeasuredSettings):
    """What a recipe says about a relaxation with random matrices."""

    matrix: Literal["normal", "signs", "zeros"] = "normal"
    """Entries: normal, or +1 and -1 alike, which is one bit to store. With zeros only the head
    learns, in front of which the layers stay as they were drawn: a control."""


def seeded(generator: torch.Generator) -> torch.Generator:
    """Make a generator for feedback matrices, which are drawn later, of a draw from another."""
    seed = int(torch.randint(1 << 62, (), generator=generator, device=generator.device))
    return torch.Generator(generator.device).manual_seed(seed)


def draw(shape: tuple[int, int], terms: int, matrix: str, generator: torch.Generator) -> Tensor:
    """Draw a feedback matrix.

    Entries have the mean 0 and the variance ``1 / terms``, so that the sums of a signal have its
    size.

    Parameters
    ----------
    shape : tuple of int
    terms : int
        Entries that a product with the matrix adds up.
    matrix : str
        ``"normal"``, ``"signs"`` or ``"zeros"``.
    generator : torch.Generator
    """
    if matrix == "zeros":
        return torch.zeros(shape, device=generator.device)
    where = {"generator": generator, "device": generator.device}
    entries = (torch.randn(shape, **where) if matrix == "normal"
               else torch.randint(2, shape, **where).float() * 2 - 1)
    return entries / math.sqrt(terms)


def angle(first: Tensor, second: Tensor) -> float:
    """Angle of two vectors in degrees: 90 where one of them is 0."""
    first, second = first.double(), second.double()
    size = float(first.norm() * second.norm())
    cosine = float(first @ second) / size if size else 0.0
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def behind_the_first(network: Network) -> dict[str, Summing]:
    """Layers that learn, and the head, by name; without those from whose way back nobody learns."""
    parts = {name: layer for name, layer in network.learning_layers
             if name not in network.first_layers}
    return parts | ({"head": network.head} if network.learning_layers else {})


class Relaxation(Descent):
    """Base of the rules whose gradients are not quite those of backpropagation."""

    Settings = MeasuredSettings

    def measure(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        """Angles between the layers' gradients and those of backpropagation, in degrees.

        The head is left out: it receives the exact gradient from every relaxation.
        """
        if not self._settings.angles:
            return {}
        network = self._network
        layers = {name: [parameter for parameter in layer.parameters()
                         if parameter.grad is not None]
                  for name, layer in network.learning_layers}
        layers = {name: parameters for name, parameters in layers.items() if parameters}
        if not layers:
            return {}
        with _untouched(network), _exact(network), network.quiet():
            found = torch.autograd.grad(
                processes.weighed(self.loss(network(features), labels)),
                [parameter for group in layers.values() for parameter in group])
        exact = iter([processes.summed(one) for one in found])
        return {f"angle.{name}": angle(_flat(p.grad for p in parameters),
                                       _flat(next(exact) for _ in parameters))
                for name, parameters in layers.items()}


def _flat(tensors: Any) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


@contextmanager
def _exact(network: Network) -> Iterator[None]:
    """Let gradients go back through the weights."""
    chosen = [part.weights for part in (*network.layers, network.head)
              if isinstance(part, Summing)]
    feedback = [weights.feedback for weights in chosen]
    for weights in chosen:
        weights.feedback = None
    yield
    for weights, matrix in zip(chosen, feedback, strict=True):
        weights.feedback = matrix


@contextmanager
def _untouched(network: Network) -> Iterator[None]:
    """Undo what a forward pass does to running statistics."""
    before = [buffer.clone() for buffer in network.buffers()]
    yield
    for buffer, value in zip(network.buffers(), before, strict=True):
        buffer.copy_(value)
