"""Ordinary backpropagation: the layers' surrogate gradients, cross-entropy, Adam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from model.network import Chain

from .rule import Rule

__all__ = ["Backprop"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about backpropagation."""

    learning_rate: float = 0.01
    """At the first epoch; it falls to 0 along half a cosine."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over all classes."""

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < math.inf:
            raise ValueError("learning_rate must be above 0 and finite, "
                             f"not {self.learning_rate}")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError("label_smoothing must be from 0 to below 1, "
                             f"not {self.label_smoothing}")


class Backprop(Rule, kind="backprop"):
    """Gradient descent on latent real values through straight-through and surrogate gradients."""

    Settings = Settings

    def __init__(self, network: Chain, settings: Settings, epochs: int) -> None:
        self._network = network
        self._settings = settings
        self._epochs = epochs
        self._optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)

    def begin_epoch(self, epoch: int) -> None:
        rate = self._settings.learning_rate * (1 + math.cos(math.pi * epoch / self._epochs)) / 2
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def step(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        logits = self._network(features)
        loss = cross_entropy(logits, labels, label_smoothing=self._settings.label_smoothing)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self._network.constrain()
        correct = (logits.detach().argmax(1) == labels).float().mean()
        return {"loss": loss.item(), "accuracy": correct.item()}

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
