"""The interface of one learning rule: what a step does to a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bitwright.model.base import Part, Trait
from bitwright.model.heads import Head
from bitwright.model.kinds import Named
from bitwright.model.layers import Layer
from bitwright.model.network import Network
from bitwright.model.rules.flip.telemetry import Telemetry
from bitwright.model.tasks import Task

__all__ = ["Figure", "Needs", "Report", "Rule"]

Figure = Tensor | float
"""Of a step: a Tensor of one value where reading it would wait for a GPU."""

Report = dict[str, Figure]
"""Figures of a step by name."""


@dataclass(frozen=True)
class Needs:
    """What a rule asks of the parts of a network that learn.

    Parameters
    ----------
    layers, head : Trait
    first : Trait, optional
        What it asks of a layer in front of which nothing learns, if that is something else.
    per_frame : bool, optional
        Whether the head has to make every frame a class, or must not. Left out, both will do.
    gathers : bool
        Whether the head may read several layers.
    input : Trait, optional
        What it asks of a modulation that learns. Left out, it trains none.
    """

    layers: Trait = Trait.GRADIENT
    head: Trait = Trait.GRADIENT
    first: Trait | None = None
    per_frame: bool | None = None
    gathers: bool = True
    input: Trait | None = None

    def of_layer(self, *, first: bool) -> Trait:
        """What it asks of a layer, which may be one in front of which nothing learns."""
        return self.first if first and self.first is not None else self.layers

    def allows(self, head: type[Head] | Head) -> bool:
        """Whether it allows a head."""
        return (self.head in head.traits and (self.gathers or not head.gathers)
                and self.per_frame in (None, head.per_frame))


class Rule(Named, ABC):
    """How a network learns from a batch.

    Everything else (data, epochs, checkpoints, early stopping, freezing) is shared: a rule
    changes the network that it was given, in place, and nothing outside itself.

    A concrete rule has a class ``Settings``, the frozen dataclass of what a recipe may say about
    it in the table of the rule's name.

    Parameters
    ----------
    network : Network
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
    needs: ClassVar[Needs] = Needs()
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})
    """Kinds of tasks that it can train for."""
    weighs: ClassVar[bool] = True
    """Whether it follows the task's loss, in which samples may count differently."""
    observes: ClassVar[bool] = False
    """Whether it tells :attr:`telemetry`, where that is set, of its layers."""
    telemetry: Telemetry | None = None

    def __init__(self, network: Network, settings: Any, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        self._network = network
        self._settings = settings
        self._epochs = epochs
        self._task = task
        self._generator = generator

    @classmethod
    def check(cls, network: Network, settings: Any, epochs: int, task: Task) -> None:
        """Check that the rule can train a network for a task.

        Raises
        ------
        ValueError
            If it cannot. The message is one line and names the rule, the place in the network, and
            what is allowed there.
        """
        del settings, epochs
        needs = cls.needs
        for index, (name, layer) in enumerate(network.named_layers):
            trait = needs.of_layer(first=name in network.first_layers)
            if not layer.passes and trait not in layer.traits:
                raise ValueError(cls._refusal(f"layers.{index}", layer, (
                    other for other in Layer.kinds.values() if trait in other.traits)))
        if not needs.allows(network.head):
            raise ValueError(cls._refusal("a head", network.head, filter(
                needs.allows, Head.kinds.values())))
        modulator = network.modulator
        if modulator.learns and needs.input not in modulator.traits:
            raise ValueError(f"learning {cls.kind!r} cannot train thresholds: modulate.levels must "
                             f"not be {modulator.levels!r}")
        if task.kind not in cls.tasks:
            known = sorted(other.kind for other in Rule.kinds.values() if task.kind in other.tasks)
            raise ValueError(f"learning must be one of {', '.join(known)} for {task.kind}, "
                             f"not {cls.kind!r}")
        if task.weighted and not cls.weighs:
            raise ValueError(f"balance must be false where learning is {cls.kind!r}, which does "
                             "not follow the loss")

    @classmethod
    def _refusal(cls, place: str, part: Part, others: Iterable[type[Part]]) -> str:
        known = sorted(other.kind for other in others if other.values == part.values)
        if part.kind in known:
            return (f"learning {cls.kind!r} cannot train {place} of kind {part.kind!r} with groups "
                    "above 1")
        allowed = f"it trains {', '.join(known)}" if known else f"nor any other of {part.values}"
        return f"learning {cls.kind!r} cannot train {place} of kind {part.kind!r}; {allowed}"

    def begin_epoch(self, epoch: int) -> None:
        """Prepare for an epoch, counted from 0. The default is to do nothing.

        A schedule is a function of the epoch, so that a resumed training is where it was.
        """
        del epoch

    def end_epoch(self) -> None:
        """Finish what the steps of an epoch have started. The default is to do nothing."""

    def averaged(self) -> AbstractContextManager[None]:
        """Put into the network what is to be validated and frozen, for a while.

        The default is what the steps have left there.
        """
        return nullcontext()

    def batch(self, epoch: int, batch: int, samples: int) -> int:
        """Samples of a step in an epoch, of ``samples`` in all. The default is the recipe's."""
        del epoch, samples
        return batch

    @abstractmethod
    def step(self, features: Tensor, labels: Tensor) -> Report:
        """Learn from one batch.

        Parameters
        ----------
        features : Tensor of integers, shape (batch, n)
        labels : Tensor, shape (batch,)
            Targets of the task.

        Returns
        -------
        Report
            Means over the batch, by name; ``loss`` and the task's metric at least.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold beside the network: tensors and plain values."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave."""
