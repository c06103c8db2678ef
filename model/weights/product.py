"""Products with a weight matrix, and the way back through them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["agreements", "product"]


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
    x : Tensor, shape (in_width, columns)
    feedback : Tensor of the shape of ``weights``, optional
        Its transpose stands where that of the weights would be in the gradient of ``x``. The
        gradient of the weights is the exact one.

    Returns
    -------
    Tensor, shape (neurons, columns)
    """
    return weights @ x if feedback is None else _Product.apply(weights, x, feedback)


def agreements(weights: Tensor, x: Tensor, feedback: Tensor | None = None) -> Tensor:
    """Count agreeing bits, exactly, and differentiably in both.

    Parameters
    ----------
    weights : Tensor of 0 and 1, shape (neurons, in_width)
    x : Tensor of 0 and 1, shape (in_width, columns)
    feedback : Tensor, shape (neurons, in_width), optional
        See :func:`product`. The weights count as -1 and +1.

    Returns
    -------
    Tensor, shape (neurons, columns)
        ``popcount(~(x ^ w))``. Floats hold it exactly up to an in_width of 2^23.
    """
    return (product(2 * weights - 1, 2 * x - 1, feedback) + weights.shape[1]) / 2
