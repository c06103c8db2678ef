"""The interface of one task: what the scores of a network mean, and how good they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from bitwright.model.kinds import Named

__all__ = ["Task"]


class Task(Named, ABC):
    """Loss, metric and decision of networks that are trained for one purpose.

    Everything takes Tensors on any one device. A sample is a row.
    """

    kinds: ClassVar[dict[str, type[Task]]] = {}

    metric_name: ClassVar[str]
    """What :meth:`metric` is called in reports."""

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """What training makes small: the mean over the batch, differentiable, of one value.

        Parameters
        ----------
        logits : Tensor, shape (batch, scores)
        targets : Tensor, shape (batch,)
        smoothing : float
            Share of a target that is spread over all that it could have been, from 0 to below 1.
        """

    @abstractmethod
    def error(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Gradient of each sample's loss by its logits, for rules that follow no gradient.

        Returns
        -------
        Tensor, shape (batch, scores)
        """

    @abstractmethod
    def decide(self, scores: Tensor) -> Tensor:
        """What the network says, given scores or logits: shape (batch, scores) to (batch,)."""

    @abstractmethod
    def metric(self, scores: Tensor, targets: Tensor) -> float:
        """How good the decisions on a batch are: the higher, the better."""
