"""Classification: a score a class, the highest decides."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from bitwright.model.tasks.task import Task

__all__ = ["Classification"]


class Classification(Task, kind="classification"):
    """Cross-entropy of the softmax; the share of right decisions.

    Targets are the numbers of the classes, int64. Of equal scores the first one decides, as in
    hardware.
    """

    metric_name = "accuracy"

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        return cross_entropy(logits, targets, label_smoothing=smoothing)

    def error(self, logits: Tensor, targets: Tensor) -> Tensor:
        return logits.softmax(1) - one_hot(targets, logits.shape[1])

    def decide(self, scores: Tensor) -> Tensor:
        return scores.argmax(1)

    def metric(self, scores: Tensor, targets: Tensor) -> float:
        return (self.decide(scores) == targets).double().mean().item()
