"""Feedback alignment: errors go back through fixed random matrices."""

from __future__ import annotations

from typing import Any

import torch

from bitwright.model.network import Chain
from bitwright.model.rules.feedback import RandomSettings, Relaxation, draw, parts, seeded
from bitwright.model.tasks import Task

__all__ = ["FeedbackAlignment"]


class FeedbackAlignment(Relaxation, kind="feedback-alignment"):
    """Backpropagation with a fixed random matrix in place of every transposed weight matrix.

    ``dE/dx = B' dE/dy`` where ``y = W x`` (Lillicrap et al., Nature Communications 7:13276,
    2016). The weights come to agree with B, so that the steps come to point downhill.

    Raises
    ------
    ValueError
        If a layer after the first has no weight matrix.
    """

    Settings = RandomSettings

    def __init__(self, network: Chain, settings: RandomSettings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._parts = parts(network, self.kind, first=False)
        matrices = seeded(generator)
        for part in self._parts.values():
            shape = tuple(part.matrix.shape)
            part.feedback = draw(shape, shape[0], settings.matrix, matrices)

    def state_dict(self) -> dict[str, Any]:
        matrices = {name: part.feedback for name, part in self._parts.items()}
        return {**super().state_dict(), "matrices": matrices}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        for name, part in self._parts.items():
            part.feedback = state["matrices"][name]
