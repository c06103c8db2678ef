"""Bop: binary weights without latent values, flipped by a moving average of their gradient.

Source: Helwegen et al., "Latent weights do not exist" (arXiv:1906.02107), algorithm 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bitwright.model.base import Trait
from bitwright.model.network import Network
from bitwright.model.rules.descent import Descent
from bitwright.model.rules.descent import Settings as DescentSettings
from bitwright.model.rules.optimizer import adam
from bitwright.model.rules.rule import Needs, Report
from bitwright.model.rules.schedule import half_cosine
from bitwright.model.tasks import Task

__all__ = ["Bop"]


@dataclass(frozen=True)
class Settings(DescentSettings):
    """What a recipe says about Bop. The learning rate is that of the real parameters, by Adam."""

    adaptivity: float = 1e-3
    """Share of a batch in the moving average; like the learning rate it falls to 0."""
    threshold: float = 1e-7
    """Magnitude of the average above which a weight of its sign is flipped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.adaptivity <= 1:
            raise ValueError(f"adaptivity must be above 0 and at most 1, not {self.adaptivity}")
        if not 0 <= self.threshold < math.inf:
            raise ValueError(f"threshold must be at least 0 and finite, not {self.threshold}")


class Bop(Descent, kind="bop"):
    """``m = (1 - g) m + g dL/dw``; ``w`` becomes ``-w`` where ``|m| > t`` and their signs agree.

    Real are the moving averages, one a weight, and scale and shift of every neuron, which Adam
    trains. The weights stay at -1 and +1.
    """

    Settings = Settings
    needs = Needs(Trait.LATENT, Trait.LATENT, input=Trait.GRADIENT)

    def __init__(self, network: Network, settings: Settings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        self._weights: dict[str, Tensor] = {}
        for name, layer in [*network.learning_layers, ("head", network.head)]:
            layer.weights.values.data = layer.weights.matrix
            self._weights[name] = layer.weights.values
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        chosen = {id(weights) for weights in self._weights.values()}
        self._optimizer = adam(
            [value for value in network.parameters() if id(value) not in chosen],
            settings.learning_rate)
        self._averages = {name: torch.zeros_like(value) for name, value in self._weights.items()}
        self._adaptivity = settings.adaptivity

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self._adaptivity = self._settings.adaptivity * half_cosine(epoch / self._epochs)

    def step(self, features: Tensor, labels: Tensor) -> Report:
        for weights in self._weights.values():
            weights.grad = None
        report = super().step(features, labels)
        flipped = 0
        with torch.no_grad():
            for name, weights in self._weights.items():
                average = self._averages[name]
                average.lerp_(weights.grad, self._adaptivity)
                mask = (average.abs() > self._settings.threshold) & (average * weights > 0)
                weights[mask] *= -1
                flipped += int(mask.sum())
        return {**report, "flipped": float(flipped)}

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "averages": self._averages}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        for name, average in self._averages.items():
            average.copy_(state["averages"][name])
