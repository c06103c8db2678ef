"""Regression: one score, which stands for a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bitwright import ir
from bitwright.model.figures import of_numbers
from bitwright.model.network import Network
from bitwright.model.tasks.task import Task

__all__ = ["Regression"]


class Regression(Task, kind="regression"):
    """Mean squared error, in standard deviations of the training targets.

    A logit is a number of such deviations, counted from the middle of what the head can give,
    which stands for the mean of the targets: the head's temperature says how many steps of a score
    make one deviation. The metric, ``r2``, is the share of the training targets' variance that is
    explained: 1 less the loss.

    Parameters
    ----------
    labels : array of float32, shape (samples,)
        The training split.
    network : Network
        Of one score.

    Raises
    ------
    ValueError
        If the targets are all the same.
    """

    metric_name = "r2"

    def __init__(self, labels: NDArray[Any], network: Network) -> None:
        numbers = labels.astype(np.float64)
        self._mean, self._deviation = float(numbers.mean()), float(numbers.std())
        if not self._deviation:
            raise ValueError("targets of the training split must not all be the same, "
                             f"{numbers[0]:g}")
        self._middle = network.head.middle / network.head.temperature
        if network.freezes:
            scale = self._deviation / network.scale
            offset = self._mean - self._deviation * self._middle
            self.answer = ir.Answer(np.array([offset], np.float32), np.array([scale], np.float32))

    def targets(self, labels: NDArray[Any]) -> Tensor:
        scaled = (labels.astype(np.float64) - self._mean) / self._deviation
        return torch.from_numpy(scaled.astype(np.float32))

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        assert not smoothing, "rules refuse it"
        return (self._deviations(logits) - targets).square().mean()

    def error(self, logits: Tensor, targets: Tensor) -> Tensor:
        return 2 * (self._deviations(logits) - targets)[:, None]

    def metric(self, logits: Tensor, targets: Tensor) -> Tensor:
        return 1 - (self._deviations(logits) - targets).double().square().mean()

    def told(self, metric: float) -> str:
        return f"RMSE {max(0.0, 1 - metric) ** 0.5 * self._deviation:.4g}"

    def brief(self, figures: Mapping[str, Any]) -> str:
        return f"RMSE {figures['rmse']:.4g}"

    def figures(self, scores: NDArray[Any], labels: NDArray[Any]) -> dict[str, Any]:
        if self.answer is not None:
            return of_numbers(labels, self.answer.apply(scores)[:, 0])
        numbers = self._deviations(torch.from_numpy(scores)).numpy() * self._deviation + self._mean
        return of_numbers(labels, numbers)

    def _deviations(self, logits: Tensor) -> Tensor:
        return logits[:, 0] - self._middle
