"""The head of forward-forward networks of reals: how active the layers are, one frame a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright.model.base import Context, RealHead, Trait
from bitwright.model.heads.reading import Reading

__all__ = ["MeanSquareHead"]


@dataclass(frozen=True)
class Settings(Reading):
    """What a recipe says about the mean-square goodness."""

    inverted: bool = False
    """Whether the class with the least goodness wins, and rules learn accordingly."""


class MeanSquareHead(RealHead, kind="mean_square"):
    """Mean of the layers' goodnesses, each the mean square of the layer's activities.

    Parameters
    ----------
    widths : sequence of int
        Of the layers that count.
    reads : slice
        See :attr:`bitwright.model.base.Head.reads`.
    inverted : bool
        Whether the score is the negated goodness.
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT})
    tasks = frozenset({"classification"})
    per_frame = True
    gathers = True

    def __init__(self, widths: Sequence[int], reads: slice, *, inverted: bool = False) -> None:
        super().__init__()
        self.widths = list(widths)
        self.reads = reads
        self.inverted = inverted

    def forward(self, x: Tensor) -> Tensor:
        layers = x.square().split(self.widths)
        mean = torch.stack([layer.mean(0) for layer in layers]).mean(0)[:, None]
        return -mean if self.inverted else mean

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        reads = settings.reads(len(context.widths) - 1)
        return cls(context.widths[reads], reads, inverted=settings.inverted)
