"""Classification: a score a class, the highest decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from bitwright.model.figures import confusion, of_classes
from bitwright.model.tasks.task import Task

__all__ = ["Classification", "balanced"]


def balanced(labels: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Weights by which all classes count the same in sum, and a sample counts 1 in the mean.

    Parameters
    ----------
    labels : array of int64, shape (samples,)
        The training split.
    classes : int
        Those without a sample have no part in it.
    """
    counts = np.bincount(labels, minlength=classes)
    there = np.count_nonzero(counts)
    return np.where(counts, len(labels) / (there * np.maximum(counts, 1)), 0.0)


class Classification(Task, kind="classification"):
    """Cross-entropy of the softmax; the share of right decisions.

    Targets are the numbers of the classes, int64. Of equal scores the first one decides, as in
    hardware.

    Parameters
    ----------
    weights : array of float, shape (classes,), optional
        How much a sample of each class counts, in the loss and in the metric, which is then called
        ``balanced_accuracy``. Left out, all count the same.
    """

    def __init__(self, weights: NDArray[Any] | None = None) -> None:
        self.weighted = weights is not None
        self.metric_name = "accuracy" if weights is None else "balanced_accuracy"
        self._weights = None if weights is None else torch.from_numpy(weights.astype(np.float32))

    def targets(self, labels: NDArray[Any]) -> Tensor:
        return torch.from_numpy(labels)

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        if self._weights is None:
            return cross_entropy(logits, targets, label_smoothing=smoothing)
        each = cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")
        return (each * self._of(targets)).mean()

    def error(self, logits: Tensor, targets: Tensor) -> Tensor:
        error = logits.softmax(1) - one_hot(targets, logits.shape[1])
        return error if self._weights is None else error * self._of(targets)[:, None]

    def metric(self, logits: Tensor, targets: Tensor) -> Tensor:
        right = (logits.argmax(1) == targets).double()
        return (right if self._weights is None else right * self._of(targets)).mean()

    def told(self, metric: float) -> str:
        return f"{100 * metric:.2f} %" + (" (balanced)" if self.weighted else "")

    def brief(self, figures: Mapping[str, Any]) -> str:
        return self.told(figures[self.metric_name])

    def figures(self, scores: NDArray[Any], labels: NDArray[Any]) -> dict[str, Any]:
        return of_classes(confusion(labels, scores.argmax(axis=1), scores.shape[1]))

    def _of(self, targets: Tensor) -> Tensor:
        """Weight of each sample."""
        assert self._weights is not None
        self._weights = self._weights.to(targets.device)
        return self._weights[targets]
