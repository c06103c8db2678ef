"""Tables whose every entry is a number."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.lookup.parametrisations.parametrisation import (
    Parametrisation,
    Start,
    first_tables,
)

__all__ = ["Entries"]


class Entries(Parametrisation, kind="entries"):
    """One number from -1 to +1 for each entry, and its sign is the bit (DWN, arXiv:2410.11112)."""

    def first(self, nodes: int, start: Start, generator: torch.Generator) -> Tensor:
        return first_tables(nodes, self.fan_in, start, generator)

    def values(self, trained: Tensor) -> Tensor:
        return trained

    def constrain(self, trained: Tensor) -> None:
        with torch.no_grad():
            trained.clamp_(-1, 1)
