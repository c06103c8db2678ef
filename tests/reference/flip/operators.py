"""Operators of flip backpropagation on packed bits, forward and backward.

A flip bit of 1 means "this bit should be inverted". Axes are named b (batch), d (depth), o (out)
and i (in); the last axis is packed (:mod:`tests.reference.flip.words`). This is the definition,
one tensor of b x d x o x i bits at a time: what trains a network of some size is
:mod:`bitwright.model.rules.flip.votes`, which is equal to it.

Source: reports v1 and v2 of FlipBackprop-pytorch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tests.reference.flip.words import occupied, pack, popcount, unpack

__all__ = ["and_backward", "and_gate", "binarize", "binarize_backward", "grad_of_flips",
           "or_backward", "or_gate", "over_threshold", "pnb", "pnb_backward", "popcount_backward",
           "popcount_normalize", "vote", "xnor", "xnor_backward"]


def binarize(x: Tensor, levels: Tensor) -> Tensor:
    """Compare real values with thresholds: (b, i) and (d,) to bits (b, d, i)."""
    return pack(x[:, None, :] > levels[:, None])


def binarize_backward(flips: Tensor, bits: Tensor, n: int) -> Tensor:
    """Flips of the bits (b, d, i) to a gradient of the values, shape (b, n).

    It pushes a value down for each 1 that should be a 0, up for each 0 that should be a 1, and is
    divided by its standard deviation over the batch, if that is not 0.
    """
    return grad_of_flips(_pull(flips, bits, n).float())


def grad_of_flips(pull: Tensor) -> Tensor:
    """Divide a gradient by its standard deviation, if that is not 0."""
    if pull.numel() < 2:
        return pull
    deviation = pull.std()
    return pull if deviation == 0 else pull / deviation


def popcount_normalize(h: Tensor, n: int) -> Tensor:
    """Count ones over d and i, less what chance gives: (b, d, o, i) to reals (b, o).

    ``(P - N / 2) / sqrt(N / 4)`` with ``N = d * n``: of fair coins, mean 0 and deviation 1.
    """
    total = h.shape[1] * n
    return (popcount(h).sum(1) - total / 2) / (total / 4) ** 0.5


def popcount_backward(gradient: Tensor, h: Tensor, n: int) -> Tensor:
    """Gradient of the counts (b, o) to flips of the bits (b, d, o, i).

    A count that should rise wants every bit to be 1, one that should fall every bit to be 0, and
    one without a gradient wants nothing.
    """
    rise, any_wish = _spread(gradient < 0, n), _spread(gradient != 0, n)
    return (h ^ rise) & any_wish


def pnb(h: Tensor, levels: Tensor, n: int) -> Tensor:
    """Popcount, normalise, binarize: (b, d, o, i) to bits (b, d', o), packed along o."""
    return binarize(popcount_normalize(h, n), levels)


def pnb_backward(flips: Tensor, bits: Tensor, h: Tensor, n: int) -> Tensor:
    """Flips of the output bits (b, d', o) to flips of the products (b, d, o, i)."""
    return popcount_backward(_pull(flips, bits, h.shape[2]), h, n)


def xnor(x: Tensor, w: Tensor, n: int) -> Tensor:
    """1 where bits of rows of ``n`` agree. Shapes broadcast."""
    return ~(x ^ w) & occupied(n)


def xnor_backward(flips: Tensor, old: Tensor | None = None, new: Tensor | None = None) -> Tensor:
    """Flips of a product are those of either factor, given what the other factor has become.

    Where the other one has changed from ``old`` to ``new`` since, a flip is done already, or a
    new one is due.
    """
    return flips if old is None or new is None else flips ^ (old ^ new)


def and_gate(x: Tensor, y: Tensor) -> Tensor:
    """1 where both bits are. Shapes broadcast; pad bits stay 0."""
    return x & y


def and_backward(flips: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Flips of ``and_gate(x, y)`` to flips of ``x``; those of ``y`` with ``x`` and ``y`` swapped.

    What the output should be is what each input should be, so an input that is so already stays:
    a 1 beside a 0. Where only one of the two can change, as a weight beside a fixed input, the
    output may stay wrong. If ``y`` has changed since, ``flips`` are those that
    :func:`xnor_backward` gives for the old and the new output, and ``y`` is the new one.
    """
    return flips & ~(x & ~y)


def or_gate(x: Tensor, y: Tensor) -> Tensor:
    """1 where either bit is. Shapes broadcast; pad bits stay 0."""
    return x | y


def or_backward(flips: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Flips of ``or_gate(x, y)`` to flips of ``x``, as :func:`and_backward`.

    A 0 beside a 1 stays.
    """
    return flips & ~(~x & y)


def over_threshold(votes: Tensor, voters: int, least: float) -> Tensor:
    """Decide votes: more than a share ``max(least, mean share)`` of the voters.

    Parameters
    ----------
    votes : Tensor of whole numbers
        Votes for each flip.
    voters : int
    least : float
        1/2 for signals, 0.02 for the mask of a weight.

    Returns
    -------
    Tensor of bool
    """
    mean = float(votes.sum(dtype=torch.float64)) / votes.numel()
    return votes > max(least * voters, mean)


def vote(flips: Tensor, axis: int, n: int, least: float = 0.5) -> Tensor:
    """Let the flips along an axis vote: packed flips without that axis."""
    votes = unpack(flips, n).sum(axis, dtype=torch.int64)
    return pack(over_threshold(votes, flips.shape[axis], least))


def _pull(flips: Tensor, bits: Tensor, n: int) -> Tensor:
    """``sum over d of (2 * bit - 1) * flip``: (b, d, i) and the same to whole numbers (b, n)."""
    sign = 2 * unpack(bits, n).short() - 1
    return (sign * unpack(flips, n)).sum(1)


def _spread(flags: Tensor, n: int) -> Tensor:
    """One flag for every bit of a row: (b, o) to words (b, 1, o, i)."""
    return flags[:, None, :, None] * occupied(n)
