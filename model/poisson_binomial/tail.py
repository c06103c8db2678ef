"""The tail of sums of Bernoullis as a torch function, with a choice of its gradient."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor

__all__ = ["GRADIENTS", "Gradient", "bernoulli_tail", "convolved_tail"]

Gradient = Literal["precise", "three", "five", "autograd"]

GRADIENTS: tuple[Gradient, ...] = ("precise", "three", "five", "autograd")


def bernoulli_tail(u: Tensor, a: Tensor, thresholds: Tensor, gradient: Gradient) -> Tensor:
    """P(S >= t) of sums of product bits, differentiable in everything.

    A product bit of a weight that is 1 with probability v and an input that is 1 with probability
    x is 1 where both agree, with probability ``p = v x + (1 - v) (1 - x)``. In ``u = 2 v - 1`` and
    ``a = 2 x - 1`` that is ``p = (1 + u a) / 2``.

    Parameters
    ----------
    u : Tensor, shape (sums, n)
    a : Tensor, shape (n, columns)
        From -1 to +1.
    thresholds : Tensor, shape (sums,)
        Between whole numbers, the tail is interpolated. Its gradient is minus the mean of the
        masses at t - 1 and t; with "autograd", that of a straight line, minus the mass below t.
    gradient : str
        How the gradients of u and a are found. ``"precise"``: exactly. ``"three"``, ``"five"``:
        from as many equations of the distribution, see
        ``from_equations`` in ``tests/reference/poisson_binomial.py``. ``"autograd"``: exactly,
        by torch,
        through :func:`convolved_tail`: for small sums only.

    Returns
    -------
    Tensor, shape (sums, columns)
        At whole thresholds within 5e-5 of the exact one, in float32; with "autograd", exact, in
        the type of u.
    """
    if gradient == "autograd":
        return convolved_tail((1 + u[:, :, None] * a) / 2, thresholds)
    return _Tail.apply(u, a, thresholds, gradient)


def convolved_tail(p: Tensor, thresholds: Tensor) -> Tensor:
    """P(S >= t) by convolving the Bernoullis in torch: every step is on the autograd tape.

    Between whole thresholds it is interpolated linearly.

    Parameters
    ----------
    p : Tensor, shape (sums, n, columns)
    thresholds : Tensor, shape (sums,)

    Returns
    -------
    Tensor, shape (sums, columns)
    """
    sums, n, columns = p.shape
    y = torch.zeros(sums, n + 1, columns, dtype=p.dtype, device=p.device)
    y[:, 0] = 1
    for k in range(n):
        one = p[:, k : k + 1]
        moved = torch.nn.functional.pad(y[:, :-1], (0, 0, 1, 0))
        y = y + one * (moved - y)
    # The cell just below the threshold counts by the part of it that the threshold leaves.
    whole, places = thresholds.detach().ceil()[:, None], torch.arange(n + 1, device=p.device)
    share = (places >= whole) + (places == whole - 1) * (whole - thresholds[:, None])
    return (y * share.to(p)[:, :, None]).sum(1)


class _Tail(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, a: Tensor, thresholds: Tensor, gradient: Gradient) -> Tensor:
        kernels, device = _kernels(), u.device
        # The loops run on the processor, wherever the rest does.
        u, a = u.detach().cpu().contiguous(), a.detach().cpu().contiguous()
        (sums, n), columns = u.shape, a.shape[1]
        mean = (n + u @ a) / 2
        variance = (n - u.square() @ a.square()).clamp_(min=0) / 4
        tail = torch.empty(sums, columns)
        cells = torch.empty(sums, kernels.CELLS, columns)
        needed = gradient == "precise" and (ctx.needs_input_grad[0] or ctx.needs_input_grad[1])
        transform = torch.empty(sums, 2 * kernels.ANGLES + 1, columns if needed else 0)
        at = thresholds.detach().float().cpu()
        kernels.forward(*(x.numpy() for x in (u, a, mean, variance, at, tail, cells, transform)))
        ctx.save_for_backward(u, a, cells, transform)
        ctx.gradient, ctx.device = gradient, device
        return tail.to(device)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        kernels = _kernels()
        u, a, cells, transform = ctx.saved_tensors
        gradient = gradient.cpu().contiguous()
        du = da = None
        if ctx.needs_input_grad[0] or ctx.needs_input_grad[1]:
            du, da = torch.zeros_like(u), torch.zeros_like(a)
            arrays = [x.numpy() for x in (u, a, gradient,
                                          transform if ctx.gradient == "precise" else cells,
                                          du, da)]
            if ctx.gradient == "precise":
                kernels.backward_precise(*arrays)
            else:
                kernels.backward_equations(3 if ctx.gradient == "three" else 5, *arrays)
        at = -(gradient * (cells[:, 2] + cells[:, 3])).sum(1) / 2  # P(S = t - 1), P(S = t)
        du, da, at = (x if x is None else x.to(ctx.device) for x in (du, da, at))
        return du, da, at, None


def _kernels() -> ModuleType:
    """Compiled on first use: importing numba takes a second that most commands need not spend."""
    from bitwright.model.poisson_binomial import kernels

    return kernels
