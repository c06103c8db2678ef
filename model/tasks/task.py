"""The interface of one task: what the scores of a network mean, and how good they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from numpy.typing import NDArray
from torch import Tensor

from bitwright import ir
from bitwright.model.kinds import Named

__all__ = ["Task"]


class Task(Named, ABC):
    """Loss, metric and answer of networks that are trained for one purpose.

    What takes Tensors takes them on any one device. A sample is a row; logits are what
    :meth:`bitwright.model.network.Network.forward` gives.

    Attributes
    ----------
    metric_name : str
        What :meth:`metric` is called in reports, and by :meth:`figures`.
    answer : ir.Answer, optional
        What numbers the scores of the frozen network mean. None: they decide between classes.
    weighted : bool
        Whether samples count differently in the loss.
    """

    kinds: ClassVar[dict[str, type[Task]]] = {}

    metric_name: str
    answer: ir.Answer | None = None
    weighted: bool = False

    @abstractmethod
    def targets(self, labels: NDArray[Any]) -> Tensor:
        """What the loss compares logits with, shape (samples,), on the processor.

        Parameters
        ----------
        labels : array, shape (samples,)
            Of a data set.
        """

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
    def metric(self, logits: Tensor, targets: Tensor) -> Tensor:
        """How good the answers on a batch are, as one value of float64: the higher, the better.

        The metric of several batches is the mean of theirs, each as often as it has samples.
        """

    @abstractmethod
    def told(self, metric: float) -> str:
        """A value of the metric for people, such as ``95.61 %``."""

    @abstractmethod
    def brief(self, figures: Mapping[str, Any]) -> str:
        """Of :meth:`figures` the one that matters most, for people."""

    @abstractmethod
    def figures(self, scores: NDArray[Any], labels: NDArray[Any]) -> dict[str, Any]:
        """Every figure of scores, shape (samples, scores), on a data set's labels.

        See :mod:`bitwright.model.figures`.
        """
