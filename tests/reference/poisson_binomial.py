"""The distribution of a sum of independent Bernoullis, in float64: what everything is held to.

Everywhere, S is the sum, p the probabilities of its n Bernoullis, ``q = 1 - p``, and the threshold
t a whole number: the tail is P(S >= t), as a frozen neuron is 1 where its count reaches its
threshold. The derivative of the tail with respect to p_k is P(S_k = t - 1), the mass just below
the threshold of the sum S_k of all Bernoullis but k.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["distribution", "from_equations", "precise", "tail", "without"]

Reals = NDArray[np.float64]


def distribution(p: Reals) -> Reals:
    """Convolve Bernoullis one by one.

    Parameters
    ----------
    p : array, shape (n, ...)

    Returns
    -------
    array, shape (n + 1, ...)
        P(S = s) at index s.
    """
    y = np.zeros((len(p) + 1, *p.shape[1:]))
    y[0] = 1
    for k, one in enumerate(p):
        y[1 : k + 2] = y[1 : k + 2] * (1 - one) + y[: k + 1] * one
        y[0] *= 1 - one
    return y


def tail(p: Reals, threshold: int) -> Reals:
    """P(S >= threshold), shape (...). It is 1 up to a threshold of 0, and 0 above n."""
    return distribution(p)[max(threshold, 0) :].sum(axis=0)


def without(y: Reals, p: Reals) -> Reals:
    """Take one Bernoulli out of a distribution: solve ``y_s = q x_s + p x_(s-1)`` for x.

    An error of one step is carried into the next times p / q from below, q / p from above: the
    recursion runs from below where p is at most 1/2, else from above.

    Parameters
    ----------
    y : array, shape (n + 1,)
    p : array, shape (m,)
        Each is taken out by itself.

    Returns
    -------
    array, shape (n, m)
    """
    n = len(y) - 1
    below = p <= 0.5
    q = 1 - p
    most = np.where(below, q, p)
    ratio = np.where(below, p, q) / most
    x = np.empty((n, len(p)))
    previous = np.zeros(len(p))
    for step in range(n):
        previous = np.where(below, y[step], y[n - step]) / most - ratio * previous
        x[step] = previous
    return np.where(below, x, x[::-1])


def precise(p: Reals, threshold: int) -> Reals:
    """Derivatives of :func:`tail`, shape (n,): the whole system is solved for each Bernoulli."""
    if not 1 <= threshold <= len(p):
        return np.zeros(len(p))
    return without(distribution(p), p)[threshold - 1]


def from_equations(p: Reals, threshold: int, equations: int) -> Reals:
    """Approximate derivatives of :func:`tail` from the central equations of the system.

    The rows ``y_s = q x_s + p x_(s-1)`` around ``x = P(S_k = t - 1)`` are fewer than their
    unknowns. Their least-norm solution is ``x = B' (B B')^-1 y``, in which ``B B'`` is tridiagonal
    with ``p^2 + q^2`` on and ``p q`` beside the diagonal. What it leaves out is the solution of
    ``B x = 0``, an alternating series that falls by p / q (or q / p) a step. So the rows reach
    furthest from where that series has fallen: for p of at most 1/2 they are s = t - 2 to t (three)
    or t - 3 to t + 1 (five), else s = t - 1 to t + 1 or t - 2 to t + 2.

    Parameters
    ----------
    p : array, shape (n,)
    threshold : int
    equations : int
        3 or 5.

    Returns
    -------
    array, shape (n,)
    """
    y = np.pad(distribution(p), equations)
    result = np.empty(len(p))
    for k, one in enumerate(p):
        first = threshold - (equations + 1) // 2 + (1 if one > 0.5 else 0)
        rows = np.arange(first, first + equations)
        system = np.zeros((equations, equations + 1))  # the unknowns are x_(first - 1) onwards
        for row in range(equations):
            system[row, row], system[row, row + 1] = one, 1 - one
        known = np.array([y[s + equations] if -equations <= s < len(y) - equations else 0.0
                          for s in rows])
        solution = system.T @ np.linalg.solve(system @ system.T, known)
        result[k] = solution[threshold - first]
    return result
