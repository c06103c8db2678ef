"""Feedback alignment: errors go back through fixed random matrices."""

from __future__ import annotations

from typing import Any

import torch

from bitwright.model.base import Trait
from bitwright.model.network import Network
from bitwright.model.rules.feedback.relaxation import (
    RandomSettings,
    Relaxation,
    behind_the_first,
    draw,
    seeded,
)
from bitwright.model.rules.rule import Needs
from bitwright.model.tasks import Task

__all__ = ["FeedbackAlignment"]


class FeedbackAlignment(Relaxation, kind="feedback-alignment"):
    """Backpropagation with a fixed random matrix in place of every transposed weight matrix.

    ``dE/dx = B' dE/dy`` where ``y = W x`` (Lillicrap et al., Nature Communications 7:13276,
    2016). The weights come to agree with B, so that the steps come to point downhill.
    """

    Settings = RandomSettings
    needs = Needs(Trait.MATRIX, Trait.MATRIX, first=Trait.GRADIENT)

    def __init__(self, network: Network, settings: RandomSettings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._parts = behind_the_first(network)
        matrices = seeded(generator)
        for part in self._parts.values():
            shape = tuple(part.weights.matrix.shape)
            part.weights.feedback = draw(shape, shape[0], settings.matrix, matrices)

    def state_dict(self) -> dict[str, Any]:
        matrices = {name: part.weights.feedback for name, part in self._parts.items()}
        return {**super().state_dict(), "matrices": matrices}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        for name, part in self._parts.items():
            part.weights.feedback = state["matrices"][name]
