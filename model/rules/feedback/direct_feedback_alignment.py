"""Direct feedback alignment: the error of the output goes straight to every layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.base import Layer
from bitwright.model.network import Network
from bitwright.model.rules.feedback.relaxation import RandomSettings, Relaxation, draw, seeded
from bitwright.model.rules.rule import Needs
from bitwright.model.tasks import Task

__all__ = ["DirectFeedbackAlignment"]


class DirectFeedbackAlignment(Relaxation, kind="direct-feedback-alignment"):
    """Each layer learns by itself from the output's error, through a fixed random matrix.

    ``dE/dh = B e`` with h a layer's output and e the gradient of the head's output (Nøkland,
    NeurIPS 2016, figure 1c). Nothing goes back from one layer to another, so any kind of layer
    will do.
    """

    Settings = RandomSettings
    needs = Needs(per_frame=False, gathers=False)

    def __init__(self, network: Network, settings: RandomSettings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._matrix_generator = seeded(generator)
        self._matrices: dict[str, Tensor] = {}  # drawn in the first step, which has their shapes

    def differentiate(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        network = self._network
        outputs: dict[str, Tensor] = {}

        def through(name: str, layer: Layer, x: Tensor) -> Tensor:
            output = layer(x)
            if not layer.passes:
                outputs[name] = output
            return output.detach()

        top = network.head(network.read(network.values(network.modulator(features), through)))
        scores = top.detach().requires_grad_()
        logits = network.logits(scores)
        loss = self.loss(logits, labels)
        error, = torch.autograd.grad(processes.weighed(loss), scores)
        if top.requires_grad:
            top.backward(error)
        for name, output in outputs.items():
            if name not in self._matrices:
                self._matrices[name] = draw((len(output), error.shape[1]), error.shape[1],
                                            self._settings.matrix, self._matrix_generator)
            if output.requires_grad:
                output.backward(self._matrices[name] @ error.T)
        return logits, loss

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "matrices": self._matrices}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self._matrices = dict(state["matrices"])
