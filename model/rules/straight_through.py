"""Backpropagation through binary layers with a choice of slopes, after Darabi and others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from bitwright.model import processes
from bitwright.model.base import Trait
from bitwright.model.network import Network
from bitwright.model.rules import descent
from bitwright.model.rules.descent import Descent
from bitwright.model.rules.rule import Needs, Report
from bitwright.model.tasks import Task
from bitwright.model.weights.surrogate import Step

__all__ = ["Settings", "StraightThrough"]

BETA_LEAST = 0.1
"""A learned steepness stays above it: at 0 no gradient would be left."""


@dataclass(frozen=True)
class Settings(descent.Settings):
    """What a recipe says about straight-through training of XNOR layers."""

    surrogate: Literal["clipped", "identity", "quadratic", "sign-swish"] = "clipped"
    """Slope of a layer's bits along its normalised sums."""
    beta: float = 5.0
    """Steepness of "sign-swish"."""
    steepness: Literal["fixed", "rising", "learned"] = "fixed"
    """Whether it is beta throughout, rises from 1 to beta over the epochs by equal factors, or
    starts at beta and is learned for each layer."""
    regulariser: Literal["none", "manhattan", "euclidean"] = "none"
    """Penalty on the distance of a weight's magnitude from alpha, plain or squared."""
    regularisation: float = 1e-4
    """Factor of the penalty, which is a sum over all weights."""
    alpha: Literal["learned", "one"] = "learned"
    """Magnitude that the penalty draws weights to: one a neuron, learned from its mean; or 1."""
    scaling: Literal["none", "xnor-net"] = "none"
    """Whether logits are multiplied by the mean magnitude of the head's weights."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta", "regularisation"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        if self.steepness != "fixed" and self.surrogate != "sign-swish":
            raise ValueError("steepness must be 'fixed' where surrogate is "
                             f"{self.surrogate!r}, not {self.steepness!r}")


class StraightThrough(Descent, kind="straight-through"):
    """Latent weights trained through the sign, with the variants that the literature has of it.

    With everything at its default it is :class:`Backprop`. Surrogates are those of
    :data:`bitwright.model.weights.surrogate.SLOPES`. The penalties are those of Darabi et al.
    (arXiv:1812.11800): ``k sum |alpha - |w||`` and ``k sum (alpha - |w|)^2``, with an alpha for
    each neuron that is learned along with the weights. A learned k would only fall, as the penalty
    is never negative: it is a setting.

    XNOR-Net (arXiv:1603.05279) multiplies the sums of a neuron by the mean magnitude of its
    weights. Behind an XNOR layer stands a batch norm, which divides it out again; the head has one
    such factor for all classes, because scores that are frozen share one scale.
    """

    Settings = Settings
    needs = Needs(Trait.LATENT, Trait.LATENT, input=Trait.GRADIENT)

    def __init__(self, network: Network, settings: Settings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        learned = settings.steepness == "learned"
        layers = [layer for _, layer in network.learning_layers]
        beta = settings.beta if settings.surrogate == "sign-swish" else None
        for layer in layers:
            step = Step(settings.surrogate, beta, learned=learned)
            layer.neurons.step = step.to(generator.device)
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._weights = [part.weights.values for part in (*layers, network.head)]
        self._betas = [layer.neurons.step.beta for layer in layers] if learned else []
        self._alphas: list[nn.Parameter] = []
        if settings.regulariser != "none" and settings.alpha == "learned":
            self._alphas = [nn.Parameter(values.detach().abs().mean(1))
                            for values in self._weights]
            self._optimizer.add_param_group({"params": self._alphas})

    @classmethod
    def check(cls, network: Network, settings: Any, epochs: int, task: Task) -> None:
        super().check(network, settings, epochs, task)
        if settings.scaling != "none" and task.kind == "regression":
            raise ValueError("straight-through.scaling must be 'none' for regression, "
                             f"not {settings.scaling!r}")

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        if self._settings.steepness == "rising":
            beta = self._settings.beta ** (epoch / max(self._epochs - 1, 1))
            for _, layer in self._network.learning_layers:
                layer.neurons.step.beta.fill_(beta)

    def differentiate(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = self._network(features)
        if self._settings.scaling == "xnor-net":
            logits = logits * self._network.head.weights.values.abs().mean()
        loss = self.loss(logits, labels)
        processes.weighed(loss + self.penalty()).backward()
        return logits, loss

    @property
    def trained(self) -> list[nn.Parameter]:
        return [*super().trained, *self._alphas]

    def penalty(self) -> Tensor:
        """What the weights' magnitudes add to the loss."""
        settings = self._settings
        total = torch.zeros((), device=self._network.device)
        if settings.regulariser == "none":
            return total
        for index, values in enumerate(self._weights):
            alpha = self._alphas[index][:, None] if self._alphas else 1.0
            distance = alpha - values.abs()
            each = distance.abs() if settings.regulariser == "manhattan" else distance ** 2
            total = total + each.sum()
        return settings.regularisation * total

    def step(self, features: Tensor, labels: Tensor) -> Report:
        result = super().step(features, labels)
        with torch.no_grad():
            for beta in self._betas:
                beta.clamp_(min=BETA_LEAST)
        return result

    def measure(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        """Steepness of each layer, where it is learned, and mean alpha, where there is one."""
        names = [name for name, _ in self._network.learning_layers]
        betas = {f"beta.{name}": beta.item()
                 for name, beta in zip(names, self._betas, strict=False)}
        alphas = {f"alpha.{name}": alpha.mean().item()
                  for name, alpha in zip([*names, "head"], self._alphas, strict=False)}
        return betas | alphas

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "alphas": [value.detach() for value in self._alphas]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        with torch.no_grad():
            for parameter, value in zip(self._alphas, state["alphas"], strict=True):
                parameter.copy_(value)
