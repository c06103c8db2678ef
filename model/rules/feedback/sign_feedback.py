"""Uniform sign-concordant feedback: errors go back through the signs of the weights."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.base import Trait
from bitwright.model.network import Network
from bitwright.model.rules.feedback.relaxation import MeasuredSettings, Relaxation, behind_the_first
from bitwright.model.rules.rule import Needs
from bitwright.model.tasks import Task

__all__ = ["SignFeedback"]


class SignFeedback(Relaxation, kind="sign-feedback"):
    """Backpropagation with the sign of every weight in place of the weight.

    ``dE/dx = sign(W)' dE/dy`` where ``y = W x`` (Liao, Leibo and Poggio, AAAI 2016, uSF). It was
    found to need batch normalisation. Binary weights are their own signs: there it is
    backpropagation itself.
    """

    Settings = MeasuredSettings
    needs = Needs(Trait.MATRIX, Trait.MATRIX, first=Trait.GRADIENT)

    def __init__(self, network: Network, settings: MeasuredSettings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._parts = behind_the_first(network)

    def differentiate(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        for part in self._parts.values():
            part.weights.feedback = part.weights.matrix.sign()
        return super().differentiate(features, labels)
