"""Indirect feedback alignment: the output's error enters in front and is carried forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.base import Trait
from bitwright.model.graph import MODULATE, together
from bitwright.model.network import Network
from bitwright.model.rules.feedback.relaxation import (
    RandomSettings,
    Relaxation,
    draw,
    seeded,
)
from bitwright.model.rules.passed import Passed
from bitwright.model.rules.rule import Needs
from bitwright.model.tasks import Task

__all__ = ["IndirectFeedbackAlignment", "Settings"]


@dataclass(frozen=True)
class Settings(RandomSettings):
    """What a recipe says about indirect feedback alignment."""

    entry: Literal["input", "first-layer"] = "input"
    """Where the error enters: at the network's input, or at the first layer's output, as Nøkland
    describes it."""


class _Inner(NamedTuple):
    """A layer that learns, and what it made of its input."""

    layer: Any
    sums: Tensor
    output: Tensor


class IndirectFeedbackAlignment(Relaxation, kind="indirect-feedback-alignment"):
    """The output's error goes to the input through a fixed random matrix, then forward.

    With e the gradient of the head's output, ``d_0 = B e``; layer l, whose sums are ``a = W x`` and
    whose output is ``h = f(a)``, takes ``dE/dh = W d_(l-1)`` for its gradient, and passes on
    ``d_l = (W d_(l-1)) * f'(a)`` (Nøkland, NeurIPS 2016, figure 1d, where ``d_1 = (B e) * f'(a)``:
    here ``entry = "first-layer"``). Each of the D bits of a neuron takes the error of its neuron.
    """

    Settings = Settings
    needs = Needs(Trait.MATRIX, Trait.MATRIX, per_frame=False, gathers=False)

    def __init__(self, network: Network, settings: Settings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._matrix_generator = seeded(generator)
        self._matrices: dict[str, Tensor] = {}  # drawn in the first step, which has its shape

    @classmethod
    def check(cls, network: Network, settings: Settings, epochs: int, task: Task) -> None:
        super().check(network, settings, epochs, task)
        readers = [name for name, inputs in network.inputs.items() if MODULATE in inputs]
        if settings.entry == "first-layer" and (
                len(readers) > 1 or any(layer.passes for layer in network.layers[:1])):
            raise ValueError(f"{cls.kind}.entry must be 'input' where other layers than a first "
                             f"one that learns read the modulation, not {settings.entry!r}")

    def differentiate(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        network = self._network
        inner: dict[str, _Inner | Passed] = {}

        def through(name: str, layer: Any, x: Tensor) -> Tensor:
            if layer.passes:
                inner[name] = one = Passed(layer, x)
                return one.output
            sums = layer.product(x)
            sums.retain_grad()
            output = layer.activate(sums)
            inner[name] = _Inner(layer, sums, output)
            return output.detach()

        start = network.modulator(features)
        top = network.head(network.read(network.values(start, through)))
        top.retain_grad()
        logits = network.logits(top)
        loss = self.loss(logits, labels)
        processes.weighed(loss).backward()
        self._carry(top.grad.T, len(start), inner)
        return logits, loss

    def _carry(self, error: Tensor, in_width: int, inner: dict[str, _Inner | Passed]) -> None:
        """Take the output's error, shape (classes, batch), through the layers, first to last."""
        if not inner:
            return
        at_input = self._settings.entry == "input"
        width = in_width if at_input else len(next(iter(inner.values())).output)
        if not self._matrices:
            self._matrices["input"] = draw((width, len(error)), len(error), self._settings.matrix,
                                           self._matrix_generator)
        entering = self._matrices["input"] @ error
        signals = {MODULATE: entering}
        for index, (name, one) in enumerate(inner.items()):
            signal = entering
            if index or at_input:
                signal = together(signals, self._network.inputs[name])
                if isinstance(one, Passed):
                    signals[name] = one.forth(signal)
                    continue
                signal = one.layer.carry(signal)
            one.output.backward(signal)
            signals[name] = one.layer.spread(one.sums.grad)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "matrices": self._matrices}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self._matrices = dict(state["matrices"])
