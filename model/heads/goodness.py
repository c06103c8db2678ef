"""The head of forward-forward networks of bits: how active the layers are, one frame a class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import BitHead, Context, Trait
from bitwright.model.heads.reading import Reading

__all__ = ["GoodnessHead"]


@dataclass(frozen=True)
class Settings(Reading):
    """What a recipe says about the popcount goodness."""

    temperature: float = 10.0
    """Scores are divided by it to become logits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")


class GoodnessHead(BitHead, kind="goodness"):
    """Popcount of the bits of some layers, which is the score of the class of the frame.

    With bits the popcount is the sum of squared activities: the goodness of the forward-forward
    paper (Hinton, arXiv:2212.13345, section 2).

    Parameters
    ----------
    width : int
        Bits of all the layers that count.
    reads : slice
        See :attr:`bitwright.model.base.Head.reads`.
    temperature : float
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT})
    tasks = frozenset({"classification"})
    per_frame = True
    gathers = True

    def __init__(self, width: int, reads: slice, *, temperature: float) -> None:
        super().__init__()
        self.node = ir.Goodness(width)
        self.reads = reads
        self.temperature = temperature

    def forward(self, x: Tensor) -> Tensor:
        total = x.float().sum(0)[:, None]
        return total if self.training else total.long()

    def freeze(self) -> ir.Goodness:
        return self.node

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        reads = settings.reads(len(context.widths) - 1)
        return cls(sum(context.widths[reads]), reads, temperature=settings.temperature)

    @classmethod
    def sample(cls, generator: torch.Generator) -> Self:
        width = int(torch.randint(1, 40, (), generator=generator))
        return cls(width, slice(1, None), temperature=1.0)
