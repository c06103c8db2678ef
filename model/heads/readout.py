"""A linear read-out of several layers of real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bitwright.model.base import Context
from bitwright.model.heads.linear import LinearHead
from bitwright.model.heads.reading import Reading
from bitwright.model.layers.real_dense import unit

__all__ = ["ReadoutHead"]


@dataclass(frozen=True)
class Settings(Reading):
    """What a recipe says about the read-out."""

    first_layer: int = 2
    """First layer that is read, from 1: the very first is left out, as Hinton found it to do
    harm."""


class ReadoutHead(LinearHead, kind="readout"):
    """Matrix product and bias, on the activities of several layers with a mean square of 1.

    It classifies what layers have learned without labels (Hinton, arXiv:2212.13345, section 3.2).

    Parameters
    ----------
    width, classes : int
    reads : slice
        See :attr:`bitwright.model.base.Head.reads`.
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings
    gathers = True

    def __init__(self, width: int, classes: int, reads: slice, *,
                 generator: torch.Generator) -> None:
        super().__init__(width, classes, generator=generator)
        self.reads = reads

    def columns(self, x: Tensor) -> Tensor:
        return unit(x) * len(x) ** 0.5

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        reads = settings.reads(len(context.widths) - 1)
        return cls(sum(context.widths[reads]), context.classes, reads, generator=generator)
