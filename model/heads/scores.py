"""The head of XNOR networks."""

from __future__ import annotations

from typing import Self

import torch

from bitwright.model.base import Trait
from bitwright.model.heads.counts import BiasedHead, Settings
from bitwright.model.weights.latent import LatentSigns

__all__ = ["ScoresHead"]


class ScoresHead(BiasedHead, kind="scores"):
    """Dense head of latent weights: a scaled agreement count and an integer bias a class."""

    traits = frozenset({Trait.GRADIENT, Trait.MATRIX, Trait.LATENT})

    weights: LatentSigns

    @classmethod
    def make(cls, width: int, classes: int, settings: Settings, *,
             generator: torch.Generator) -> Self:
        return cls(LatentSigns(classes, width, generator=generator), settings, classes)
