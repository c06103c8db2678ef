"""The heads of forward-forward networks: how active the layers are, one frame a class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright import ir
from bitwright.model.base import Context, Head, RealHead

__all__ = ["GoodnessHead", "MeanSquareHead"]


@dataclass(frozen=True)
class Counted:
    """Which layers count."""

    first_layer: int = 1
    """First layer whose goodness counts, from 1."""
    last_layer: int = 0
    """Last such layer; 0 is the last one that there is. Layers past it are not run."""

    def __post_init__(self) -> None:
        if self.first_layer < 1:
            raise ValueError(f"first_layer must be at least 1, not {self.first_layer}")
        if self.last_layer and self.last_layer < self.first_layer:
            raise ValueError(f"last_layer must be 0 or at least first_layer, "
                             f"not {self.last_layer}")

    def reads(self, layers: int) -> slice:
        """Places in the list of the modulator's and all layers' values.

        Raises
        ------
        ValueError
            If the network has fewer layers.
        """
        last = self.last_layer or layers
        if not self.first_layer <= last <= layers:
            raise ValueError(f"layers {self.first_layer} to {last} are not among the {layers} of "
                             "the network")
        return slice(self.first_layer, last + 1)


@dataclass(frozen=True)
class Settings(Counted):
    """What a recipe says about the popcount goodness."""

    temperature: float = 10.0
    """Scores are divided by it to become logits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0 and finite, not {self.temperature}")


class GoodnessHead(Head, kind="goodness"):
    """Popcount of the bits of some layers, which is the score of the class of the frame.

    With bits the popcount is the sum of squared activities: the goodness of the forward-forward
    paper (Hinton, arXiv:2212.13345, section 2).

    Parameters
    ----------
    width : int
        Bits of all the layers that count.
    reads : slice
        See :attr:`model.layers.Head.reads`.
    temperature : float
    """

    Settings = Settings
    per_frame = True

    def __init__(self, width: int, reads: slice, *, temperature: float) -> None:
        super().__init__()
        self.node = ir.Goodness(width)
        self.reads = reads
        self.temperature = temperature

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0)[:, None]

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


@dataclass(frozen=True)
class MeanSquareSettings(Counted):
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
        See :attr:`model.layers.Head.reads`.
    inverted : bool
        Whether the score is the negated goodness.
    """

    Settings = MeanSquareSettings
    per_frame = True

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
    def build(cls, settings: MeanSquareSettings, context: Context,
              generator: torch.Generator) -> Self:
        reads = settings.reads(len(context.widths) - 1)
        return cls(context.widths[reads], reads, inverted=settings.inverted)
