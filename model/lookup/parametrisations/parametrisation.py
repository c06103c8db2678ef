"""The interface of one way to make tables of what trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from bitwright.model.kinds import Named

__all__ = ["START", "Parametrisation", "Start", "check_table", "first_tables", "signs"]

Start = Literal["random", "residual"]
"""Tables before training: at random, or nearly all of a table passes its first input on."""

START = 0.1
"""Largest magnitude of an initial table entry."""

KEPT = 0.95
"""Share of a table that passes its first input on, where training starts so."""


class Parametrisation(nn.Module, Named, ABC):
    """How the tables of the nodes of a layer are made of one Tensor, which trains.

    A layer looks its inputs up in :meth:`bits`, in training too: what is trained is what is frozen.
    Backward, the gradient of an entry of the table goes to :meth:`values`, and on from there. The
    slopes of a table along its inputs are those of its values.

    It has buffers, but no parameters and no state: the Tensor belongs to the layer.

    Parameters
    ----------
    fan_in : int
        Inputs of a node. Input s is bit s of an address.
    """

    kinds: ClassVar[dict[str, type[Parametrisation]]] = {}
    trains: ClassVar[bool] = True
    """Whether there is something to learn."""

    def __init__(self, fan_in: int) -> None:
        super().__init__()
        self.fan_in = fan_in

    @abstractmethod
    def first(self, nodes: int, start: Start, generator: torch.Generator) -> Tensor:
        """What trains, as it is before training: shape (nodes, ...)."""

    @abstractmethod
    def values(self, trained: Tensor) -> Tensor:
        """Tables of relaxed entries, from -1 to +1: differentiable, shape (nodes, 2 ** fan_in)."""

    def bits(self, trained: Tensor) -> Tensor:
        """Tables as bits: bool, shape (nodes, 2 ** fan_in).

        The one place where a trained value becomes one.
        """
        return self.values(trained.detach()) >= 0

    def constrain(self, trained: Tensor) -> None:
        """Return what trains to its range, in place. The default is to leave it."""


def check_table(table: str, start: Start) -> None:
    """Check what a recipe says about the tables of a layer.

    Raises
    ------
    ValueError
        If there is no such parametrisation, or it has no such start.
    """
    kinds = Parametrisation.kinds
    if table not in kinds:
        raise ValueError(f"table must be one of {', '.join(sorted(kinds))}, not {table!r}")
    if start != "random" and not kinds[table].trains:
        raise ValueError(f"start must be 'random' where table is {table!r}, not {start!r}")


def first_tables(nodes: int, fan_in: int, start: Start, generator: torch.Generator) -> Tensor:
    """Relaxed tables before training, shape (nodes, 2 ** fan_in), all within :data:`START` of 0.

    That lets every entry change its mind in the first steps, which trains faster than starting all
    over the range.
    """
    entries = 1 << fan_in
    tables = torch.rand(nodes, entries, generator=generator) * 2 - 1
    if start == "residual":
        kept = torch.rand(nodes, entries, generator=generator) < KEPT
        passed = torch.arange(entries) % 2 * 2 - 1
        tables = torch.where(kept, tables.abs() * passed, tables)
    return START * tables


def signs(fan_in: int) -> Tensor:
    """Inputs of every address, as -1 and +1: shape (fan_in, 2 ** fan_in)."""
    addresses = torch.arange(1 << fan_in)
    return torch.stack([addresses >> slot & 1 for slot in range(fan_in)]).float() * 2 - 1
