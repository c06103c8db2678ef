"""Unsupervised forward-forward learning: layers tell pictures from hybrids of two pictures.

The layers never see a label; a linear read-out of what they give learns the labels. Source: G.
Hinton, "The Forward-Forward Algorithm: Some Preliminary Investigations", arXiv:2212.13345, section
3.2. There the read-out is trained after the layers, here beside them: it changes nothing in them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.base import Layer
from bitwright.model.network import Network
from bitwright.model.rules.forward_forward.learner import Learner, Loss, check_layers
from bitwright.model.rules.forward_forward.pictures import hybrids
from bitwright.model.rules.optimizer import adam, set_rate
from bitwright.model.rules.rule import Needs, Report, Rule
from bitwright.model.rules.schedule import half_cosine
from bitwright.model.tasks import Task

__all__ = ["UnsupervisedForwardForward"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about unsupervised forward-forward learning."""

    learning_rate: float = 0.003
    """Of the layers, at the first epoch; it falls to 0 along half a cosine."""
    readout_rate: float = 0.003
    """Of the read-out, likewise."""
    loss: Loss = "softplus"
    threshold: float = 1.0
    """Goodness that tells pictures from hybrids, at first: it is learned."""
    temperature: float = 1.0
    """Unit of goodness in the loss."""
    blurs: int = 6
    """Times that the random bits of a mask are blurred."""

    def __post_init__(self) -> None:
        for name in ("learning_rate", "readout_rate", "temperature"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        if not math.isfinite(self.threshold):
            raise ValueError(f"threshold must be finite, not {self.threshold}")
        if self.blurs < 0:
            raise ValueError(f"blurs must be at least 0, not {self.blurs}")


class UnsupervisedForwardForward(Rule, kind="unsupervised-forward-forward"):
    """Layers learn from pictures and hybrids; the head learns from labels."""

    Settings = Settings
    needs = Needs(per_frame=False)

    def __init__(self, network: Network, settings: Settings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._shape = network.modulator.geometry.shape
        self._learners = {name: Learner(layer, settings.loss, settings.threshold,
                                        settings.temperature, inverted=False)
                          for name, layer in network.learning_layers}
        self._readout = adam(network.head.parameters())

    @classmethod
    def check(cls, network: Network, settings: Settings, epochs: int, task: Task) -> None:
        super().check(network, settings, epochs, task)
        check_layers(cls.kind, network)
        if not network.learning_layers:
            raise ValueError(f"learning {cls.kind!r} needs at least one layer in front of the head")
        if next(network.head.parameters(), None) is None:
            raise ValueError(f"learning {cls.kind!r} needs a head that is trained, such as "
                             f"'readout' or 'scores', not {network.head.kind!r}")
        if not network.modulator.geometry.shape:
            raise ValueError(f"learning {cls.kind!r} needs features that are pictures")

    def begin_epoch(self, epoch: int) -> None:
        share = half_cosine(epoch / self._epochs)
        for learner in self._learners.values():
            learner.set_rate(self._settings.learning_rate * share)
        set_rate(self._readout, self._settings.readout_rate * share)

    def step(self, features: Tensor, labels: Tensor) -> Report:
        batch = processes.everyone(len(features))
        pictures = processes.gathered(features, batch)  # each is mixed with any other of them
        if batch == 1:  # a single picture has no other to be mixed with
            pictures = pictures.repeat(2, 1)
        negative = processes.shared_out(
            hybrids(pictures, self._shape, self._settings.blurs, self._generator)[:batch])
        network, seen = self._network, []

        def through(name: str, layer: Layer, x: Tensor) -> Tensor:
            if layer.passes:
                return layer(x)
            activities, figures = self._learners[name].learn(x)
            seen.append(figures)
            return activities

        x = torch.cat([network.modulator(features), network.modulator(negative)], 1)
        read = network.read(network.values(x, through))
        logits = network.logits(network.head(read[:, : x.shape[1] // 2]))
        loss = self._task.loss(logits, labels)
        self._readout.zero_grad()
        processes.weighed(loss).backward()
        processes.add_up(self._network.head.parameters())
        self._readout.step()
        self._network.head.constrain()
        return {"loss": loss.detach(), "layer_loss": sum(one.loss for one in seen) / len(seen),
                "pairs_right": sum(one.accuracy for one in seen) / len(seen),
                self._task.metric_name: self._task.metric(logits.detach(), labels)}

    def state_dict(self) -> dict[str, Any]:
        return {"learners": [learner.state_dict() for learner in self._learners.values()],
                "readout": self._readout.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for learner, own in zip(self._learners.values(), state["learners"], strict=True):
            learner.load_state_dict(own)
        self._readout.load_state_dict(state["readout"])
