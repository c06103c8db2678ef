"""The votes of flip backpropagation as matrix products: no flip of a product bit is ever stored.

A product bit is ``h = xnor(x, w)``; with bits as -1 and +1 it is ``x * w``. Every bit of a count
gets the same target from the gradient (1 where the count should rise, 0 where it should fall), so
a flip of a product is ``target != x * w``, and a sum of flips over outputs or samples is half of
(voters - sum of ``target * x * w``): a product of two matrices of -1, 0 and +1, exact in float32
below 2^24. FBF's ``r = h_flip ^ xnor(W, x_old) ^ xnor(W, x_new)`` is ``target != x_new * w`` in the
same way, and where there is no target, ``x_old != x_new``.

Arrays are of float32 with the values -1, 0, +1; x has shape (in_width, batch), the weights have
shape (neurons, in_width), the targets (neurons, batch), and a target of 0 stands for none.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model import processes

__all__ = ["FLOOR", "flips_of_inputs", "flips_of_weights", "grad_of_flips", "highest",
           "over_threshold", "permitted", "wishes_of_inputs", "wishes_of_weights"]

FLOOR = 0.1
"""Added to the deviation of an input bit, of at most 1: a few samples are no correlation."""


def flips_of_inputs(targets: Tensor, weights: Tensor, x: Tensor,
                    before: Tensor | None = None) -> Tensor:
    """Count the neurons that want an input bit flipped.

    Parameters
    ----------
    targets, weights, x : Tensor
    before : Tensor, optional
        Weights at the time of the targets, where those have changed since: a neuron without a
        target then wants its products back.

    Returns
    -------
    Tensor of whole numbers, shape (in_width, batch)
        From 0 to the number of neurons.
    """
    votes = (targets.abs().sum(0) - x * (weights.T @ targets)) / 2
    if before is not None:
        votes += (before != weights).to(x).T @ (targets == 0).to(x)
    return votes


def flips_of_weights(targets: Tensor, weights: Tensor, x: Tensor,
                     before: Tensor | None = None) -> Tensor:
    """Count the samples that want a weight bit flipped.

    Parameters
    ----------
    targets, weights, x : Tensor
    before : Tensor, optional
        Input at the time of the targets, where it has changed since (FBF's ``r``).

    Returns
    -------
    Tensor of whole numbers, shape (neurons, in_width)
        From 0 to the number of samples: those of all processes.
    """
    votes = (targets.abs().sum(1, keepdim=True) - weights * (targets @ x.T)) / 2
    if before is not None:
        votes += (targets == 0).to(x) @ (before != x).to(x).T
    return processes.summed(votes)


def wishes_of_inputs(targets: Tensor, weights: Tensor) -> Tensor:
    """Count the neurons that want an input bit to be 1, less those that want it to be 0.

    Neurons without a target have no opinion.

    Returns
    -------
    Tensor, shape (in_width, batch)
    """
    return weights.T @ targets


def wishes_of_weights(targets: Tensor, weights: Tensor, x: Tensor, *, centred: bool) -> Tensor:
    """Count the samples that want a weight bit flipped, less those that want it kept.

    The samples are those of all processes.

    Parameters
    ----------
    targets, weights, x : Tensor
    centred : bool
        Count in deviations of the input bit from its mean. A bit that is the same in all samples
        then has no votes, instead of the most, and one that seldom changes has as many as the
        others for the same correlation: else the rank rule would never come to it.

    Returns
    -------
    Tensor, shape (neurons, in_width)
    """
    votes = processes.summed(targets @ x.T)
    if centred:
        mean = processes.mean(x)
        votes -= processes.summed(targets.sum(1, keepdim=True)) * mean
        votes /= (1 - mean * mean).clamp(min=0).sqrt() + FLOOR
    return -weights * votes


def highest(votes: Tensor, share: float) -> Tensor:
    """Rank rule of v3: the votes above the quantile ``1 - share``, so at most that share.

    Returns
    -------
    Tensor of bool
    """
    count = max(1, round(share * votes.numel()))
    if count == votes.numel():
        return torch.ones_like(votes, dtype=torch.bool)
    return votes > votes.flatten().kthvalue(votes.numel() - count).values


def over_threshold(votes: Tensor, voters: int | Tensor, least: float, *,
                   sampled: bool = False) -> Tensor:
    """Decide votes: more than a share ``max(least, mean share)`` of the voters.

    Parameters
    ----------
    votes : Tensor of whole numbers
        Votes for each flip.
    voters : int, or Tensor whose shape broadcasts to that of the votes
    least : float
        1/2 for signals, 0.02 for the mask of a weight.
    sampled : bool
        Whether columns are samples, of which other processes have others: the mean is that of all.

    Returns
    -------
    Tensor of bool
    """
    whole, count = votes.sum(dtype=torch.float64), votes.numel()
    if sampled:
        whole, count = processes.summed(whole), processes.everyone(count)
    mean = whole.item() / count
    if isinstance(voters, Tensor):
        return votes > (least * voters).clamp(min=mean)
    return votes > max(least * voters, mean)


def grad_of_flips(pull: Tensor) -> Tensor:
    """Divide a gradient by its standard deviation, if that is not 0."""
    count = processes.everyone(pull.numel())
    if count < 2:
        return pull
    if processes.alone():
        deviation = pull.std()
    else:
        _, variance = processes.moments(pull.reshape(1, -1))
        deviation = (variance[0] * (count / (count - 1))).sqrt()
    return pull if deviation == 0 else pull / deviation


def permitted(shape: tuple[int, int], suppressor: int, generator: torch.Generator) -> Tensor:
    """Draw flips that are permitted: each with probability ``2 ** -suppressor``.

    Eight bits of a row share a draw, of which the conjunction of ``suppressor`` is taken.

    Returns
    -------
    Tensor of bool
    """
    rows, n = shape
    device = generator.device
    words = torch.full((rows, -(-n // 8)), 255, dtype=torch.uint8, device=device)
    for _ in range(suppressor):
        words &= torch.randint(256, words.shape, dtype=torch.uint8, generator=generator,
                               device=device)
    bits = words[..., None] >> torch.arange(8, dtype=torch.uint8, device=device) & 1
    return bits.flatten(1)[:, :n].bool()
