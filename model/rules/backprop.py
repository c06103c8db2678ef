"""Ordinary backpropagation: the layers' surrogate gradients, cross-entropy, Adam."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bitwright.model.base import Trait
from bitwright.model.network import Network
from bitwright.model.rules import descent
from bitwright.model.rules.averages import Averages
from bitwright.model.rules.descent import Descent
from bitwright.model.rules.optimizer import adam
from bitwright.model.rules.rule import Needs, Report
from bitwright.model.tasks import Task

__all__ = ["Backprop", "Settings"]


@dataclass(frozen=True)
class Settings(descent.Settings):
    """What a recipe says about backpropagation."""

    weight_decay: float = 0.0
    """Share that what tables are made of loses in a step, in learning rates (decoupled, as in
    AdamW). Wiring, thresholds and the weights of other layers lose nothing."""
    average: float = 0.0
    """Share of a moving average of all that trains that a step leaves: the average is validated and
    frozen. 0: what the last step has left is."""
    cost: float = 0.0
    """What the loss adds, at the last epoch, for the share of inputs that tables depend on."""
    cost_start: float = 0.0
    """The same at the first epoch, from where it rises by equal factors; 0 for the same in all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.average < 1:
            raise ValueError(f"average must be from 0 to below 1, not {self.average}")
        for name in ("weight_decay", "cost", "cost_start"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least 0 and finite, "
                                 f"not {getattr(self, name)}")
        if self.cost_start and not self.cost:
            raise ValueError(f"cost_start must be 0 where cost is, not {self.cost_start}")

    def cost_of(self, epoch: int, epochs: int) -> float:
        """Cost in an epoch, counted from 0."""
        if not self.cost_start:
            return self.cost
        return self.cost_start * (self.cost / self.cost_start) ** (epoch / max(1, epochs - 1))


class Backprop(Descent, kind="backprop"):
    """Gradient descent on latent real values through straight-through and surrogate gradients."""

    Settings = Settings
    needs = Needs(input=Trait.GRADIENT)

    def __init__(self, network: Network, settings: Settings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        if settings.weight_decay:
            self._optimizer = adam(network.parameters(), settings.learning_rate,
                                   decay=settings.weight_decay, decaying=_tables(network))
        self._means = Averages(network, settings.average) if settings.average else None
        self._cost = 0.0

    @classmethod
    def check(cls, network: Network, settings: Settings, epochs: int, task: Task) -> None:
        super().check(network, settings, epochs, task)
        for name in ("weight_decay", "cost"):
            if getattr(settings, name) and not _tables(network):
                raise ValueError(f"{cls.kind}.{name} must be 0 where no layer trains tables, "
                                 f"not {getattr(settings, name)}")

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self._cost = self._settings.cost_of(epoch, self._epochs)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """What the task says of a batch, and what the tables cost."""
        loss = super().loss(logits, labels)
        if not self._cost:
            return loss
        shares = [each.flatten() for layer in self._network.layers for each in layer.dependences()]
        return loss + self._cost * torch.cat(shares).mean()

    def step(self, features: Tensor, labels: Tensor) -> Report:
        report = super().step(features, labels)
        if self._means is not None:
            self._means.take()
        return report

    def averaged(self) -> AbstractContextManager[None]:
        return super().averaged() if self._means is None else self._means.in_place()

    def state_dict(self) -> dict[str, Any]:
        means = {} if self._means is None else {"means": self._means.state_dict()}
        return {**super().state_dict(), **means}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        if self._means is not None:
            self._means.load_state_dict(state["means"])


def _tables(network: Network) -> list[nn.Parameter]:
    """What the tables of a network are made of."""
    return [parameter for layer in network.layers for parameter in layer.decaying]
