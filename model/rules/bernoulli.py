"""Bernoulli networks: gradient descent on the probabilities of weights, then their binarisation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.base import Layer, Trait
from bitwright.model.graph import MODULATE, together
from bitwright.model.network import Network
from bitwright.model.poisson_binomial import Gradient
from bitwright.model.rules.optimizer import adam, set_rate
from bitwright.model.rules.rule import Needs, Report, Rule
from bitwright.model.rules.schedule import half_cosine
from bitwright.model.tasks import Task

__all__ = ["Bernoulli"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about learning a Bernoulli network."""

    learning_rate: float = 0.01
    """At the first epoch; it falls along half a cosine, to a tenth."""
    gradient: Gradient = "three"
    """How gradients of tail probabilities are found: exactly ("precise"; "autograd", for small
    layers only), or from three or five equations."""
    schedule: Literal["at-once", "layer-by-layer", "part-by-part"] = "part-by-part"
    """How weights become bits: all at the last epoch; or a layer at a time, or some neurons of a
    layer at a time, from the first layer to the head, while the others are trained on."""
    soft: float = 0.25
    """Share of the epochs before the first weights become bits. Not used by "at-once"."""
    parts: int = 4
    """Steps in which each layer's weights become bits. Used by "part-by-part". Where epochs are
    fewer than steps, several are taken at once."""
    temperature: float = 0.4
    """That of a layer's sigmoids when its first weights become bits. It starts at 1."""
    regulariser: float = 0.3
    """Strength of the pull of a layer's weights to their nearer ends when the first of them become
    bits, in learning rates. It starts at 0."""
    bound: float = 0.8
    """Weights that are no bits yet are never surer than ``v = (1 + bound) / 2``. What doubt that
    leaves keeps the tails smooth, and so the gradients alive."""

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < math.inf:
            raise ValueError("learning_rate must be above 0 and finite, "
                             f"not {self.learning_rate}")
        if not 0 < self.soft < 1:
            raise ValueError(f"soft must be between 0 and 1, not {self.soft}")
        if self.parts < 1:
            raise ValueError(f"parts must be at least 1, not {self.parts}")
        if not 0 < self.temperature <= 1:
            raise ValueError(f"temperature must be above 0 and at most 1, not {self.temperature}")
        if not 0 <= self.regulariser < math.inf:
            raise ValueError(f"regulariser must be at least 0 and finite, not {self.regulariser}")
        if not 0 < self.bound <= 1:
            raise ValueError(f"bound must be above 0 and at most 1, not {self.bound}")

    def rate(self, epoch: int, epochs: int) -> float:
        """Learning rate of an epoch, counted from 0."""
        return self.learning_rate * (0.1 + 0.9 * half_cosine(epoch / epochs))

    def start(self, epochs: int) -> int:
        """Epoch, counted from 0, at whose start the first weights become bits."""
        share = 1.0 if self.schedule == "at-once" else self.soft
        return max(1, min(round(share * epochs), epochs - 1))

    def shares(self, layers: int, epochs: int) -> list[list[float]]:
        """Share of the weights of each layer that are bits, epoch by epoch.

        Steps are spread evenly over the epochs that are left, and all are taken by the last.

        Parameters
        ----------
        layers : int
            The head among them.
        epochs : int
        """
        start = self.start(epochs)
        parts = self.parts if self.schedule == "part-by-part" else 1
        result = []
        for epoch in range(epochs):
            left = max(0, epoch - start + 1) / (epochs - start) if epochs > start else 0
            done = math.ceil(left * layers * parts)
            result.append([min(max(done - layer * parts, 0), parts) / parts
                           for layer in range(layers)])
        return result


class Bernoulli(Rule, kind="bernoulli"):
    """Gradient descent on the probabilities of weights (Pavlyuchenkov, 2023).

    Weights and activations are probabilities, and so the loss is a smooth function of the weights.
    As the epochs pass, the sigmoids of a layer become signs (the temperature falls), its weights
    are pulled to 0 or 1 (the regulariser grows), and then they become bits and stay so, by one of
    three schedules, while the rest is fine-tuned. Neurons whose inputs and weights are all bits
    pass on bits; layers of such neurons cost no more than those of a binary network.

    Beside the network in doubt, every batch also runs through the network of the likelier bits: the
    thresholds of the frozen layers come from its statistics, and ``hard_accuracy`` is its own.
    """

    Settings = Settings
    needs = Needs(Trait.DOUBT, Trait.DOUBT)
    tasks = frozenset({"classification", "regression"})

    def __init__(self, network: Network, settings: Settings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._optimizer = adam(network.parameters(), settings.learning_rate)
        self._layers = [layer for _, layer in network.learning_layers]
        self._parts = (*self._layers, network.head)
        self._shares = settings.shares(len(self._parts), epochs)
        for part in self._parts:
            part.weights.bound.fill_(settings.bound)
        for layer in self._layers:
            layer.neurons.gradient = settings.gradient

    def begin_epoch(self, epoch: int) -> None:
        settings = self._settings
        self._rate = settings.rate(epoch, self._epochs)
        set_rate(self._optimizer, self._rate)
        self._pulls = []
        for part, shares in zip(self._parts, zip(*self._shares, strict=True), strict=True):
            part.weights.settle(shares[epoch])
            first = next((e for e, share in enumerate(shares) if share), self._epochs)
            progress = min(1.0, epoch / first)
            self._pulls.append(settings.regulariser * progress)
            if part is not self._network.head:
                part.neurons.temperature.fill_(settings.temperature**progress)

    def step(self, features: Tensor, labels: Tensor) -> Report:
        network = self._network
        bits = network.modulator(features).float()
        self._hard, self._certain = {MODULATE: bits}, {MODULATE}
        soft = network.read(network.values(bits, self._through))
        logits = network.logits(network.head(soft))
        hard = network.logits(network.head.evaluate(together(self._hard, network.read_names)))
        loss = self._task.loss(logits, labels)
        self._optimizer.zero_grad()
        processes.weighed(loss).backward()
        processes.add_up(network.parameters())
        self._optimizer.step()
        for part, pull in zip(self._parts, self._pulls, strict=True):
            part.weights.polarise(self._rate * pull)
        network.constrain()
        name = self._task.metric_name
        return {"loss": loss.detach(), name: self._task.metric(logits.detach(), labels),
                f"hard_{name}": self._task.metric(hard, labels)}

    def _through(self, name: str, layer: Layer, soft: Tensor) -> Tensor:
        """Pass a layer in doubt, and beside it the bits of :attr:`_hard`, which are calibrated."""
        inputs = self._network.inputs[name]
        certain, seen = self._certain.issuperset(inputs), together(self._hard, inputs)
        if layer.passes:
            hard = layer(seen)
        else:
            hard = layer.through(layer.neurons.calibrate, seen)
        self._hard[name] = hard
        if not certain:
            return layer(soft)
        if layer.passes or layer.weights.binary:
            self._certain.add(name)
            return hard
        return torch.where(layer.certain[:, None], hard, layer(soft))

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
