"""The step from a real value to a bit, and the slopes that stand for its own when training."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["SLOPES", "Sign", "SignSwish", "Step", "clipped", "identity", "quadratic", "sign_swish"]


_BEYOND = float(np.nextafter(np.float32(1), np.float32(2)))
"""The float32 next to 1."""


def identity(x: Tensor) -> Tensor:
    """Slope 1 everywhere: the straight-through estimator (Bengio et al., arXiv:1308.3432)."""
    return torch.ones_like(x)


def clipped(x: Tensor) -> Tensor:
    """Slope 1 within ±1, else 0 (Hubara et al., arXiv:1602.02830, equation 4)."""
    return x.abs() <= 1


def quadratic(x: Tensor) -> Tensor:
    """Slope 2 - 2|x| within ±1, else 0 (Bi-Real Net, arXiv:1808.00278, section 3.3)."""
    return (2 - 2 * x.abs()).clamp(min=0)


def sign_swish(x: Tensor, beta: float | Tensor = 5.0) -> Tensor:
    """Slope of SignSwish (Darabi et al., arXiv:1812.11800).

    ``SS(x) = 2 s (1 + beta x (1 - s)) - 1`` with ``s = sigmoid(beta x)`` rises from -1 to +1, goes
    beyond both and comes back, so its slope is negative further away from 0.

    Parameters
    ----------
    x : Tensor
    beta : float or Tensor of one value
        Steepness: the slope at 0.
    """
    y = beta * x
    return beta * (2 - y * torch.tanh(y / 2)) / (1 + torch.cosh(y))


SLOPES: dict[str, Callable[..., Tensor]] = {
    "clipped": clipped, "identity": identity, "quadratic": quadratic, "sign-swish": sign_swish}
"""Slopes by the name that a recipe gives them. All are those of a sign that goes from -1 to +1:
under each but the first the area is 2, and that of a straight line has no end."""


class Sign(torch.autograd.Function):
    """1 from 0 up, else 0; backward, the gradient times a slope, :func:`clipped` unless given.

    ``Sign.apply(x)`` or ``Sign.apply(x, slope)``.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Callable[[Tensor], Tensor] = clipped) -> Tensor:
        ctx.save_for_backward(x)
        ctx.slope = slope
        return (x >= 0).to(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, = ctx.saved_tensors
        if ctx.slope is clipped:  # in one pass: torch's own counts the ends as outside
            return torch.ops.aten.hardtanh_backward(gradient, x, -_BEYOND, _BEYOND), None
        return gradient * ctx.slope(x), None


class SignSwish(torch.autograd.Function):
    """:class:`Sign` with the slope :func:`sign_swish`, of which the steepness is learned.

    ``SignSwish.apply(x, beta)``. As SS is a function of ``beta x`` alone, its derivative by beta is
    ``x / beta`` times its slope along x.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(x, beta)
        return (x >= 0).to(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, beta = ctx.saved_tensors
        through = gradient * sign_swish(x, beta)
        return through, (through * x).sum() / beta


class Step(nn.Module):
    """:class:`Sign` with a slope of :data:`SLOPES`, as a part of a layer.

    Parameters
    ----------
    slope : str
    beta : float, optional
        Steepness of "sign-swish", which others have not.
    learned : bool
        Whether the steepness is a parameter.

    Attributes
    ----------
    beta : Tensor of one value or None
    """

    beta: Tensor | None

    def __init__(self, slope: str = "clipped", beta: float | None = None, *,
                 learned: bool = False) -> None:
        super().__init__()
        self._slope, self._learned = slope, learned
        start = None if beta is None else torch.tensor(beta)
        if learned and start is not None:
            self.beta = nn.Parameter(start)
        else:
            self.register_buffer("beta", start)

    def forward(self, x: Tensor) -> Tensor:
        if self._learned:
            return SignSwish.apply(x, self.beta)
        slope = SLOPES[self._slope]
        return Sign.apply(x, slope if self.beta is None else partial(slope, beta=self.beta))
