"""Ordinary backpropagation: the layers' surrogate gradients, cross-entropy, Adam."""

from __future__ import annotations

from bitwright.model.rules.descent import Descent
from bitwright.model.rules.rule import Needs

__all__ = ["Backprop"]


class Backprop(Descent, kind="backprop"):
    """Gradient descent on latent real values through straight-through and surrogate gradients."""

    needs = Needs(input=True)
