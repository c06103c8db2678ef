"""Signals through layers that have nothing to learn, for rules that send no gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.base import Layer

__all__ = ["Passed"]


class Passed:
    """What a layer made of an input, and its derivative there.

    A layer that only moves values moves signals likewise; one that chooses between values passes a
    signal on to those that it chose.

    Parameters
    ----------
    layer : Layer
        In training it is passed once, so that what it draws is the same for values and signals.
    x : Tensor, shape (in_width, batch)

    Attributes
    ----------
    output : Tensor, shape (out_width, batch)
    """

    def __init__(self, layer: Layer, x: Tensor) -> None:
        with torch.enable_grad():
            self._x = x.detach().float().requires_grad_()
            self._y = layer(self._x)
        self.output = self._y.detach()

    def back(self, signal: Tensor) -> Tensor:
        """Take a signal of the output to the input: (out_width, batch) to (in_width, batch)."""
        found, = torch.autograd.grad(self._y, self._x, signal, retain_graph=True)
        return found

    def forth(self, signal: Tensor) -> Tensor:
        """Take a signal of the input to the output: (in_width, batch) to (out_width, batch)."""
        with torch.enable_grad():  # the derivative of the way back, which is linear
            weights = torch.zeros_like(self._y, requires_grad=True)
            back, = torch.autograd.grad(self._y, self._x, weights, create_graph=True)
            found, = torch.autograd.grad(back, weights, signal)
        return found
