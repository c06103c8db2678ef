"""The interface of one learning rule: what a step does to a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from bitwright.model.kinds import Named
from bitwright.model.network import Chain
from bitwright.model.tasks import Task

__all__ = ["Rule"]


class Rule(Named, ABC):
    """How a network learns from a batch.

    Everything else (data, epochs, checkpoints, early stopping, freezing) is shared: a rule
    changes the network that it was given, in place, and nothing outside itself.

    A concrete rule has a class ``Settings``, the frozen dataclass of what a recipe may say about
    it in the table of the rule's name.

    Parameters
    ----------
    network : Chain
        One that :meth:`check` has passed.
    settings : Settings
    epochs : int
        Length of the training, for schedules.
    task : Task
    generator : torch.Generator
        All that the rule leaves to chance is drawn from it. It is on the network's device.
    """

    kinds: ClassVar[dict[str, type[Rule]]] = {}
    Settings: ClassVar[type]

    def __init__(self, network: Chain, settings: Any, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        self._network = network
        self._settings = settings
        self._epochs = epochs
        self._task = task
        self._generator = generator

    @classmethod
    def check(cls, network: Chain, settings: Any, epochs: int) -> None:
        """Check that the rule can train a network.

        Raises
        ------
        ValueError
            If it cannot. The message is one line and names the rule, the place in the network, and
            what is allowed there.
        """

    def begin_epoch(self, epoch: int) -> None:
        """Prepare for an epoch, counted from 0. The default is to do nothing.

        A schedule is a function of the epoch, so that a resumed training is where it was.
        """
        del epoch

    def end_epoch(self) -> None:
        """Finish what the steps of an epoch have started. The default is to do nothing."""

    def batch(self, epoch: int, batch: int, samples: int) -> int:
        """Samples of a step in an epoch, of ``samples`` in all. The default is the recipe's."""
        del epoch, samples
        return batch

    @abstractmethod
    def step(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        """Learn from one batch.

        Parameters
        ----------
        features : Tensor of integers, shape (batch, n)
        labels : Tensor, shape (batch,)
            Targets of the task.

        Returns
        -------
        dict
            Means over the batch, by name; ``loss`` and the task's metric at least.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold beside the network: tensors and plain values."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave."""
