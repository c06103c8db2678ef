"""Several processes that train one network together: what a step needs to be that of one process.

Every process holds the whole network. A batch is shared out among them, each sums what its samples
say, and the sums of all are added: gradients, votes, and the statistics that layers take of a
batch. What is drawn at random is drawn for the whole batch by every process, from generators in the
same state, and each takes its share. Alone, every function here leaves things as they are.

Processes are those of ``torch.distributed``, which :func:`bitwright.model.training.group.joined`
starts: gloo between processors, NCCL between GPUs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from bitwright.errors import UserError

__all__ = ["LOST", "ProcessError", "Share", "add_up", "added", "alone", "count", "everyone",
           "gathered", "is_first", "mean", "mine", "moments", "normalised", "shared_out",
           "sharing", "summed", "total", "weighed"]


LOST = ("The training was told to end, or has lost a process; the same command with --resume goes "
        "on from the last whole epoch")
"""What is said then."""


class ProcessError(UserError, RuntimeError):
    """A process of the training is lost, or none can be reached."""


@dataclass(frozen=True)
class Share:
    """Which samples of a batch are those of a process: a slice that no other one overlaps.

    Parameters
    ----------
    start, stop : int
    total : int
        Samples of the batch.
    """

    start: int
    stop: int
    total: int

    @classmethod
    def of(cls, total: int, rank: int | None = None, processes: int | None = None) -> Share:
        """Share of a process, of this one unless said: shares differ by a sample at most."""
        number = count() if processes is None else processes
        place = _rank() if rank is None else rank
        return cls(total * place // number, total * (place + 1) // number, total)

    @property
    def samples(self) -> int:
        """Samples of the share."""
        return self.stop - self.start

    @property
    def slice(self) -> slice:
        """Where they are in the batch."""
        return slice(self.start, self.stop)


_share: Share | None = None
"""Of the step that goes on, where a batch is shared out."""


def count() -> int:
    """Processes that train together: 1 unless ``torch.distributed`` was started."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def alone() -> bool:
    """Whether no batch is shared out just now."""
    return _share is None


def is_first() -> bool:
    """Whether this process is the one that prints and writes."""
    return _rank() == 0


def _rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


@contextmanager
def sharing(samples: int) -> Iterator[Share]:
    """Share out a batch of so many samples, for the step that is done inside."""
    global _share
    share, before = Share.of(samples), _share
    _share = share if count() > 1 else None
    try:
        yield share
    finally:
        _share = before


def weighed(value: Tensor) -> Tensor:
    """Weigh a mean over the samples here so that the sum over all processes is the batch's mean."""
    return value if _share is None else value * (_share.samples / _share.total)


def everyone(columns: int) -> int:
    """Columns that all processes together have, of those that the samples here have."""
    return columns if _share is None else columns * _share.total // _share.samples


def mine(values: Tensor, dim: int) -> Tensor:
    """Of what was drawn for the columns of all processes, those of the samples here.

    Parameters
    ----------
    values : Tensor
        With :func:`everyone` columns: the samples of the batch, once for each frame.
    dim : int
        Which dimension the columns are.
    """
    if _share is None:
        return values
    return values.unflatten(dim, (-1, _share.total)).narrow(
        dim + 1, _share.start, _share.samples).flatten(dim, dim + 1)


def shared_out(values: Tensor) -> Tensor:
    """Of what one process has for a batch, shape (batch, ...), the samples here."""
    return values if _share is None else values[_share.slice]


def summed(value: Tensor) -> Tensor:
    """Sum a tensor over all processes; it has the same bits in each. No gradient passes."""
    if _share is None:
        return value
    result = value.detach().clone().contiguous()
    _reduce(result)
    return result


def total(value: Tensor) -> Tensor:
    """Sum a tensor over all processes, differentiably."""
    result: Tensor = value if _share is None else _Total.apply(value)
    return result


def mean(x: Tensor) -> Tensor:
    """Mean of each row over the columns of all processes, differentiable: (rows, columns) to rows.
    """
    return x.mean(1) if _share is None else total(x.sum(1)) / everyone(x.shape[1])


def moments(x: Tensor, *, at_once: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and variance of each row over the columns of all processes, differentiable.

    Parameters
    ----------
    x : Tensor, shape (rows, columns)
    at_once : bool
        Whether one process finds both in one pass, in which the mean is rounded otherwise.

    Returns
    -------
    mean, variance : Tensor, shape (rows,)
        Of at least float32. The variance is that of the columns, without a correction.
    """
    if _share is None:
        if not at_once:
            return x.mean(1), x.var(1, correction=0)
        variance, middle = torch.var_mean(x, 1, correction=0)
        return middle, variance
    middle, variance = _Moments.apply(x, everyone(x.shape[1]))
    return middle, variance.to(middle)


def normalised(x: Tensor, scale: Tensor, shift: Tensor,
               epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm of each row over the columns of all processes.

    Parameters
    ----------
    x : Tensor, shape (rows, columns)
    scale, shift : Tensor, shape (rows,)
    epsilon : float
        Added to the variance.

    Returns
    -------
    values : Tensor, shape (rows, columns)
    mean, deviation : Tensor, shape (rows,)
    """
    middle, variance = _Moments.apply(x, everyone(x.shape[1]))
    deviation = (variance + epsilon).sqrt()
    slope = scale * (1 / deviation).to(middle)
    z = torch.addcmul((shift - middle * slope)[:, None], x.to(middle), slope[:, None])
    return z.to(x), middle, deviation.to(middle)


def gathered(values: Tensor, samples: int) -> Tensor:
    """Bring what every process has of its share together, shape (samples, ...), in each.

    Parameters
    ----------
    values : Tensor, shape (samples here, ...)
    samples : int
        Of which :meth:`Share.of` gives the share here.
    """
    if count() == 1:
        return values
    wide = values if values.is_floating_point() else values.long()
    result = wide.new_zeros(samples, *values.shape[1:])
    result[Share.of(samples).slice] = wide
    _reduce(result)
    return result.to(values)


def added(values: Mapping[str, float]) -> dict[str, float]:
    """Add up numbers over all processes, which have the same names in the same order."""
    if count() == 1 or not values:
        return dict(values)
    together = torch.tensor(list(values.values()), dtype=torch.float64)
    _reduce(together)
    return dict(zip(values, together.tolist(), strict=True))


def add_up(parameters: Iterable[Tensor]) -> None:
    """Add up the gradients of parameters over all processes, in place.

    Gradients are those of a :func:`weighed` loss. Parameters that have none are left out, in all
    processes the same ones.
    """
    if _share is None:
        return
    gradients = {id(one): one.grad for one in parameters if one.grad is not None}
    kinds: dict[torch.dtype, list[Tensor]] = {}
    for gradient in gradients.values():
        kinds.setdefault(gradient.dtype, []).append(gradient)
    for group in kinds.values():
        together = torch.cat([gradient.flatten() for gradient in group])
        _reduce(together)
        for gradient, values in zip(group, together.split([one.numel() for one in group]),
                                    strict=True):
            gradient.copy_(values.view_as(gradient))


def _reduce(value: Tensor) -> None:
    """Sum over all processes, in place."""
    try:
        distributed.all_reduce(value)
    except RuntimeError as error:  # whatever the other end, or the way to it, died of
        raise ProcessError(LOST) from error


class _Total(torch.autograd.Function):
    """Sum over processes. What a value here adds to the loss of all, it adds through every sum."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        del ctx
        return summed(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        del ctx
        return summed(gradient)


class _Moments(torch.autograd.Function):
    """Mean, and variance as float64, over processes: two sums forward, one back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, columns: int) -> tuple[Tensor, Tensor]:
        exact = x.float() if x.dtype == torch.bfloat16 else x
        middle = (summed(exact.sum(1, dtype=torch.float64)) / columns).to(exact)
        squares = (exact - middle[:, None]).square().sum(1, dtype=torch.float64)
        ctx.save_for_backward(x, middle)
        ctx.columns = columns
        return middle, summed(squares) / columns

    @staticmethod
    def backward(ctx: Any, of_mean: Tensor, of_variance: Tensor) -> tuple[Tensor, None]:
        x, middle = ctx.saved_tensors
        both = torch.stack([of_mean.double(), of_variance.double()])
        of_mean, of_variance = (summed(both) / ctx.columns).to(middle)
        slope = of_mean[:, None] + 2 * of_variance[:, None] * (x - middle[:, None])
        return slope.to(x), None
