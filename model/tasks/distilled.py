"""Classification that is learned from a teacher, too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax

from bitwright.model.tasks.classification import Classification

__all__ = ["Distill", "Distilled"]


@dataclass(frozen=True)
class Distill:
    """What a recipe says about a teacher."""

    teacher: str = ""
    """A frozen network (a ``.safetensors`` file) or a run (its folder, or its name), of which the
    best epoch is taken: also one of real numbers. Left out, there is none."""
    weight: float = 0.5
    """Share of the loss that the teacher's answers have; the labels have the rest."""
    temperature: float = 2.0
    """Logits of both are divided by it where they are compared: the higher, the more a teacher says
    of the classes that it does not choose."""

    def __post_init__(self) -> None:
        if not 0 < self.weight <= 1:
            raise ValueError(f"weight must be above 0 and at most 1, not {self.weight}")
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")
        said = (self.weight, self.temperature) != (Distill.weight, Distill.temperature)
        if said and not self.teacher:
            raise ValueError("teacher must be named where something is said about it")


class Distilled(Classification):
    """Cross-entropy of labels, and the divergence from a teacher's answers.

    The loss is ``(1 - w) H(labels, student) + w T^2 KL(teacher / T || student / T)`` (Hinton,
    Vinyals and Dean, arXiv:1503.02531, section 2): T squared keeps the size of the gradients.

    Parameters
    ----------
    distill : Distill
    weights : array of float, optional
        See :class:`Classification`.

    Attributes
    ----------
    answers : Tensor, shape (batch, classes), optional
        The teacher's logits for the batch of a step. Where there are none, as in validation, the
        loss is that of the labels.
    """

    answers: Tensor | None = None

    def __init__(self, distill: Distill, weights: NDArray[Any] | None = None) -> None:
        super().__init__(weights)
        self._distill = distill

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        hard = super().loss(logits, targets, smoothing=smoothing)
        if self.answers is None:
            return hard
        share, temperature = self._distill.weight, self._distill.temperature
        student, teacher = (log_softmax(values / temperature, 1)
                            for values in (logits, self.answers.to(logits)))
        each = kl_div(student, teacher, log_target=True, reduction="none").sum(1)
        if self.weighted:
            each = each * self._of(targets)
        return (1 - share) * hard + share * temperature**2 * each.mean()
