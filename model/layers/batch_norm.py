"""Batch norm of real values, also where several processes share out the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bitwright.model import processes

__all__ = ["batch_norm"]

EPSILON = 1e-5
MOMENTUM = 0.1
"""Both are those of torch."""


def batch_norm(x: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, shift: Tensor, *,
               training: bool) -> Tensor:
    """Normalise channels, and let running statistics follow those of the batch in training.

    As :func:`torch.nn.functional.batch_norm`, whose statistics are those of one process.

    Parameters
    ----------
    x : Tensor, shape (samples, channels)
    mean, variance : Tensor, shape (channels,)
        Running ones, which change in training.
    scale, shift : Tensor, shape (channels,)
    training : bool
    """
    if not training or processes.alone():
        return functional.batch_norm(x, mean, variance, scale, shift, training=training)
    z, middle, deviation = processes.normalised(x.T, scale, shift, EPSILON)
    samples = processes.everyone(len(x))
    with torch.no_grad():
        spread = deviation.square() - EPSILON
        mean.lerp_(middle, MOMENTUM)
        variance.lerp_(spread * (samples / (samples - 1)), MOMENTUM)
    return z.T
