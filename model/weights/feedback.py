"""Layers with a weight matrix, and the way back through it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

__all__ = ["Weighted", "product"]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, x: Tensor, feedback: Tensor) -> Tensor:
        ctx.save_for_backward(x, feedback)
        return weights @ x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, feedback = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (gradient @ x.T if wanted[0] else None,
                feedback.T @ gradient if wanted[1] else None, None)


def product(weights: Tensor, x: Tensor, feedback: Tensor | None = None) -> Tensor:
    """Multiply, with a choice of the matrix that carries gradients back to the input.

    Parameters
    ----------
    weights : Tensor, shape (neurons, in_width)
    x : Tensor, shape (in_width, batch)
    feedback : Tensor of the shape of ``weights``, optional
        Its transpose stands where that of the weights would be in the gradient of ``x``. The
        gradient of the weights is the exact one.

    Returns
    -------
    Tensor, shape (neurons, batch)
    """
    return weights @ x if feedback is None else _Product.apply(weights, x, feedback)


class Weighted:
    """Layer or head that multiplies its input by a matrix, then acts on each neuron alone.

    In training, ``forward(x)`` is ``activate(product(x))``.
    """

    feedback: Tensor | None = None
    """Matrix of the shape of :attr:`matrix` by which gradients go back to the input in place of
    the weights. A learning rule sets it; it is no part of the network's state."""

    @property
    @abstractmethod
    def matrix(self) -> Tensor:
        """Weights as the product has them, without a gradient, shape (neurons, in_width)."""

    @abstractmethod
    def product(self, x: Tensor) -> Tensor:
        """Map inputs, shape (in_width, batch), to sums, shape (neurons, batch)."""

    @abstractmethod
    def activate(self, sums: Tensor) -> Tensor:
        """Map sums, shape (neurons, batch), to the layer's outputs."""
