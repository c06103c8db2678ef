"""Tables by their Walsh-Hadamard spectrum."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.lookup.parametrisations.parametrisation import (
    Parametrisation,
    Start,
    first_tables,
    signs,
)

__all__ = ["Walsh"]


class Walsh(Parametrisation, kind="walsh"):
    """One coefficient for each product of inputs: the bit is the sign of their sum (WARP).

    A coefficient changes half of the table at once, so that an entry that no sample hits learns
    from those that are hit. The transform is scaled to keep lengths, and a step is then as long as
    one of entries; the values are its hyperbolic tangent. With ``gradient = "multilinear"`` this is
    the relaxation of WARP, but for the forward pass, which is that of the bits.
    """

    basis: Tensor

    def __init__(self, fan_in: int) -> None:
        super().__init__(fan_in)
        basis = torch.ones(1, 1 << fan_in)
        for row in signs(fan_in):  # row p: product of the inputs in p
            basis = torch.cat([basis, basis * row])
        self.register_buffer("basis", basis / len(basis) ** 0.5, persistent=False)

    def first(self, nodes: int, start: Start, generator: torch.Generator) -> Tensor:
        return first_tables(nodes, self.fan_in, start, generator).atanh() @ self.basis.T

    def values(self, trained: Tensor) -> Tensor:
        return torch.tanh(trained @ self.basis)
