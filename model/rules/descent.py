"""What rules that follow a gradient share: loss, Adam, the fall of the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bitwright.model import processes
from bitwright.model.network import Network
from bitwright.model.rules.optimizer import adam, set_rate
from bitwright.model.rules.rule import Report, Rule
from bitwright.model.rules.schedule import half_cosine
from bitwright.model.tasks import Task

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
    tasks = frozenset({"classification", "regression"})

    def __init__(self, network: Network, settings: Any, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._optimizer = adam(network.parameters(), settings.learning_rate)

    @classmethod
    def check(cls, network: Network, settings: Any, epochs: int, task: Task) -> None:
        super().check(network, settings, epochs, task)
        if not any(parameter.requires_grad for parameter in network.parameters()):
            raise ValueError(f"learning {cls.kind!r} finds nothing to train: neither layers nor "
                             "head have parameters")
        if settings.label_smoothing and task.kind == "regression":
            raise ValueError(f"{cls.kind}.label_smoothing must be 0 for regression, "
                             f"not {settings.label_smoothing}")

    def begin_epoch(self, epoch: int) -> None:
        fall = half_cosine(epoch / self._epochs)
        set_rate(self._optimizer, self._settings.learning_rate * fall)

    @property
    def trained(self) -> list[nn.Parameter]:
        """All that has a gradient after :meth:`differentiate`."""
        return list(self._network.parameters())

    def step(self, features: Tensor, labels: Tensor) -> Report:
        self._optimizer.zero_grad()
        logits, loss = self.differentiate(features, labels)
        processes.add_up(self.trained)
        measures = self.measure(features, labels)
        self._optimizer.step()
        self._network.constrain()
        return {"loss": loss.detach(),
                self._task.metric_name: self._task.metric(logits.detach(), labels), **measures}

    def differentiate(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Add to the gradient of every parameter what the batch says.

        Where processes share the batch out, it is what the samples here say of the
        :func:`bitwright.model.processes.weighed` loss.

        The default is the way back that the layers themselves give.

        Returns
        -------
        logits : Tensor, shape (batch, classes)
        loss : Tensor of one value
        """
        logits = self._network(features)
        loss = self.loss(logits, labels)
        processes.weighed(loss).backward()
        return logits, loss

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """What the task says of a batch."""
        return self._task.loss(logits, labels, smoothing=self._settings.label_smoothing)

    def measure(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        """Figures of the gradients just made, by name. The default is none."""
        del features, labels
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
