"""What rules that follow a gradient share: loss, Adam, the fall of the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bitwright.model.network import Chain
from bitwright.model.rules.rule import Rule

__all__ = ["Descent", "Settings"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about a rule that follows a gradient."""

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


class Descent(Rule):
    """Base of the rules that give every parameter a gradient and let Adam follow it.

    Adam divides a gradient by its own size: a constant factor of a layer's gradient, such as the
    scale of a feedback matrix, changes nothing.
    """

    Settings = Settings

    def __init__(self, network: Chain, settings: Any, epochs: int) -> None:
        self._network = network
        self._settings = settings
        self._epochs = epochs
        self._optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)

    def begin_epoch(self, epoch: int) -> None:
        rate = self._settings.learning_rate * (1 + math.cos(math.pi * epoch / self._epochs)) / 2
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def step(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        self._optimizer.zero_grad()
        logits, loss = self.differentiate(features, labels)
        measures = self.measure(features, labels)
        self._optimizer.step()
        self._network.constrain()
        correct = (logits.detach().argmax(1) == labels).float().mean()
        return {"loss": loss.item(), "accuracy": correct.item(), **measures}

    def differentiate(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Add to the gradient of every parameter what the batch says.

        The default is the way back that the layers themselves give.

        Returns
        -------
        logits : Tensor, shape (batch, classes)
        loss : Tensor of one value
        """
        logits = self._network(features)
        loss = self.loss(logits, labels)
        loss.backward()
        return logits, loss

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy of a batch."""
        return cross_entropy(logits, labels, label_smoothing=self._settings.label_smoothing)

    def measure(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        """Figures of the gradients just made, by name. The default is none."""
        del features, labels
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
