"""Supervised forward-forward learning: every layer by itself tells right labels from wrong ones.

A sample with its label is a positive one, the same sample with a wrong label a negative one; a
layer learns to be active on the one and not on the other. No gradient passes from layer to layer,
so that layers may learn one after the other, together, or each in a process of its own. Source: G.
Hinton, "The Forward-Forward Algorithm: Some Preliminary Investigations", arXiv:2212.13345, section
3.3; layer-parallel and learned thresholds as in R. Miyagi's experiments with it.

Layers of bits and layers of reals learn by the same rule: the mean square of bits is their
popcount over the width, and the gradient passes straight through the sign inside of a layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.graph import MODULATE, together
from bitwright.model.network import Network
from bitwright.model.rules.forward_forward.learner import (
    Figures,
    Learner,
    Loss,
    check_layers,
)
from bitwright.model.rules.forward_forward.pipeline import Pipeline
from bitwright.model.rules.rule import Needs, Report, Rule
from bitwright.model.rules.schedule import half_cosine
from bitwright.model.tasks import Task

__all__ = ["ForwardForward", "wrong_labels"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about forward-forward learning."""

    learning_rate: float = 0.03
    schedule: Literal["cosine", "constant"] = "cosine"
    """Whether the rate falls to 0 along half a cosine over the epochs that a layer learns."""
    order: Literal["together", "one-by-one"] = "together"
    """Whether all layers learn in every epoch, or the epochs are shared out among them, first
    layer first, each on a finished layer before it."""
    loss: Loss = "softplus"
    threshold: float = 5.0
    """Goodness (the mean square of a layer's activities) that tells positive from negative samples,
    at first: it is learned."""
    temperature: float = 1.0
    """Unit of goodness in the loss. Bits want about ``1 / sqrt(width)``, the standard deviation of
    twice the mean of independent bits."""
    candidates: int = 1
    """Wrong labels drawn for every sample, of which the one of the highest score is its negative
    sample: above 1, hard negatives."""
    processes: int = 0
    """Processes that share out the layers as a pipeline; 0 trains them in this one. The result is
    the same, bit for bit."""

    def __post_init__(self) -> None:
        for name in ("learning_rate", "temperature"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        if not math.isfinite(self.threshold):
            raise ValueError(f"threshold must be finite, not {self.threshold}")
        if self.candidates < 1:
            raise ValueError(f"candidates must be at least 1, not {self.candidates}")
        if self.processes < 0:
            raise ValueError(f"processes must be at least 0, not {self.processes}")
        if self.processes and self.order != "together":
            raise ValueError("processes must be 0 where layers learn one by one, "
                             f"not {self.processes}")
        if self.processes and self.candidates > 1:
            raise ValueError("candidates must be 1 where processes share out the layers, "
                             f"not {self.candidates}")


def wrong_labels(labels: Tensor, classes: int, count: int,
                 generator: torch.Generator) -> Tensor:
    """Draw distinct wrong labels for every sample, all of them equally likely.

    Parameters
    ----------
    labels : Tensor of int64, shape (batch,)
    classes : int
    count : int
        Below ``classes``.

    Returns
    -------
    Tensor of int64, shape (count, batch)
    """
    steps = torch.rand(classes - 1, processes.everyone(len(labels)), generator=generator,
                       device=generator.device).argsort(0)[:count] + 1
    steps = processes.mine(steps, 1)
    return (labels + steps) % classes


class ForwardForward(Rule, kind="forward-forward"):
    """Every layer learns from a positive and a negative pass, with a loss of its own."""

    Settings = Settings
    needs = Needs(per_frame=True)
    weighs = False

    def __init__(self, network: Network, settings: Settings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._classes = network.modulator.frames
        self._epoch = 0
        self.learners = [Learner(layer, settings.loss, settings.threshold, settings.temperature,
                                 inverted=network.head.inverted)
                         for _, layer in network.learning_layers]
        self._pipeline = Pipeline(self.learners, settings.processes) if settings.processes else None

    @classmethod
    def check(cls, network: Network, settings: Settings, epochs: int, task: Task) -> None:
        super().check(network, settings, epochs, task)
        check_layers(cls.kind, network)
        layers, classes = len(network.learning_layers), network.modulator.frames
        if settings.processes and processes.count() > 1:
            raise ValueError("forward-forward.processes must be 0 where processes share out the "
                             f"samples, not {settings.processes}")
        if settings.candidates >= classes:
            raise ValueError(f"forward-forward.candidates must be below the {classes} classes, "
                             f"not {settings.candidates}")
        if settings.processes > layers:
            raise ValueError(f"forward-forward.processes must be at most the {layers} layers, "
                             f"not {settings.processes}")
        chain = [MODULATE, *(name for name, _ in network.learning_layers)]
        if settings.processes and any(network.inputs[name] != (chain[index],)
                                      for index, name in enumerate(chain[1:])):
            raise ValueError("forward-forward.processes must be 0 for layers that are no chain, "
                             f"not {settings.processes}")
        if settings.processes and network.device.type != "cpu":
            raise ValueError("forward-forward.processes must be 0 on a device other than the CPU, "
                             f"not {settings.processes}")
        if settings.order == "one-by-one" and epochs < layers:
            raise ValueError(f"epochs must be at least the {layers} layers that learn one by one, "
                             f"not {epochs}")

    @property
    def thresholds(self) -> list[float]:
        """Threshold of the goodness of each layer, as learned so far."""
        return [learner.threshold for learner in self.learners]

    def learning(self, epoch: int) -> tuple[list[bool], float]:
        """Say which layers learn in an epoch, and the share of their time that has passed."""
        count = len(self.learners)
        if self._settings.order == "together":
            return [True] * count, epoch / self._epochs
        passed = epoch * count / self._epochs
        return [index == int(passed) for index in range(count)], passed % 1

    def begin_epoch(self, epoch: int) -> None:
        self._epoch = epoch
        rate = self._settings.learning_rate
        if self._settings.schedule == "cosine":
            rate *= half_cosine(self.learning(epoch)[1])
        for learner in self.learners:
            learner.set_rate(rate)
        if self._pipeline:
            self._pipeline.begin()

    def end_epoch(self) -> None:
        if self._pipeline:
            self._pipeline.end()

    def step(self, features: Tensor, labels: Tensor) -> Report:
        negatives = self._negatives(features, labels)
        x = self._network.modulator.frame(features.repeat(2, 1), torch.cat([labels, negatives]))
        if self._pipeline:
            return _summary(self._pipeline.step(x))
        return _summary(self._learn(x))

    def _learn(self, x: Tensor) -> list[Figures]:
        """Let every layer whose time it is learn from what those before it give."""
        figures: list[Figures] = []
        network, values = self._network, {MODULATE: x}
        turns = zip(self.learners, self.learning(self._epoch)[0], strict=True)
        for name, layer in network.live_layers:
            x = together(values, network.inputs[name])
            if layer.passes:
                with torch.no_grad():
                    values[name] = layer(x)
                continue
            learner, learns = next(turns)
            if learns:
                values[name], figure = learner.learn(x)
                figures.append(figure)
            elif figures:
                break  # the layers behind have not begun
            else:
                values[name] = _finished(learner, x)
        return figures

    @torch.no_grad()
    def _negatives(self, features: Tensor, labels: Tensor) -> Tensor:
        """A wrong label for every sample, shape (batch,)."""
        candidates = wrong_labels(labels, self._classes, self._settings.candidates,
                                  self._generator)
        if len(candidates) == 1:
            return candidates[0]
        self._network.eval()
        x = self._network.modulator.frame(features.repeat(len(candidates), 1),
                                          candidates.flatten())
        scores = self._network.top(x).view(candidates.shape)
        self._network.train()
        return candidates.gather(0, scores.argmax(0, keepdim=True))[0]

    def close(self) -> None:
        """End the processes of the pipeline, if there are any; they end with this one anyway."""
        if self._pipeline:
            self._pipeline.close()

    def state_dict(self) -> dict[str, Any]:
        return {"learners": [learner.state_dict() for learner in self.learners]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for learner, own in zip(self.learners, state["learners"], strict=True):
            learner.load_state_dict(own)


@torch.no_grad()
def _finished(learner: Learner, x: Tensor) -> Tensor:
    """What a layer that learns no more gives: the same as in the finished network."""
    learner.layer.eval()
    x = learner.layer(x)
    learner.layer.train()
    return x


def _summary(figures: list[Figures]) -> dict[str, float]:
    """Means over the layers that learned."""
    return {"loss": sum(figure.loss for figure in figures) / len(figures),
            "accuracy": sum(figure.accuracy for figure in figures) / len(figures)}
