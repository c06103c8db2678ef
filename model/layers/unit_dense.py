"""A dense layer of real numbers that sees only the direction of its input."""

from __future__ import annotations

from torch import Tensor

from bitwright.model.layers.dense import DenseLayer

__all__ = ["UnitDenseLayer", "unit"]

EPSILON = 1e-4
"""Added to a length, so that an input of zeros does not divide by 0."""


def unit(x: Tensor) -> Tensor:
    """Scale each sample of values, shape (width, batch), to unit length."""
    return x / (x.norm(dim=0, keepdim=True) + EPSILON)


class UnitDenseLayer(DenseLayer, kind="unit_dense"):
    """Dense layer behind a normalisation of each sample to unit length.

    The length is the goodness of the layer before; with it gone, a forward-forward layer must
    find something new (Hinton, arXiv:2212.13345, section 2).
    """

    def product(self, x: Tensor) -> Tensor:
        return super().product(unit(x))
