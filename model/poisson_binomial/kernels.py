"""Compiled loops of :mod:`model.poisson_binomial.tail`. Importing this module imports numba.

The distribution is never stored: it is known through its characteristic function at a few angles.
With ``r = 2 p - 1`` and half angles ``h``, a Bernoulli of probability p contributes the factor
``cos h + i r sin h`` to that of ``S - n / 2``, and

    P(S >= t) = 1/2 + 1/M sum_l Im(f_l) / sin h_l
    P(S = t - 1/2 + g) = 2/M sum_l Re(f_l exp(-2 i g h_l))

where ``h_l = (2 l + 1) pi / (2 M)`` and f_l is the characteristic function of ``S - t + 1/2`` at
the angle ``2 h_l`` (the inversion of Gil-Pelaez, Biometrika 1951, on a lattice, by the midpoint
rule). With M an even whole number and all M / 2 angles, both are exact as long as S stays within M
of t. A narrow distribution takes M = 2 ANGLES; a wide one takes M in proportion to its deviation
and leaves out the angles at which f has vanished. Either way there are ANGLES factors a Bernoulli,
where a recursion over the distribution would compute a window of about 11 deviations.

All arrays are float32. Columns are worked on in blocks of LANES, the innermost index everywhere,
so that every inner loop is made of vector instructions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from bitwright.model.compiled import compiled

__all__ = ["ANGLES", "CELLS", "backward_equations", "backward_precise", "forward"]

F = np.float32

ANGLES = 10
"""Angles at which the characteristic function is known."""

CELLS = 6
"""Cells of the distribution around the threshold that :func:`forward` gives: t - 3 to t + 2."""

LANES = 64
REACH, MARGIN = F(5.3), F(3)
"""A threshold further than ``REACH`` deviations and ``MARGIN`` from the mean is taken as never, or
always, reached. The mass beyond is below 2e-7."""

ONE, HALF, QUARTER, TWO, ZERO = F(1), F(0.5), F(0.25), F(2), F(0)
PI = F(math.pi)
TURN, PER_TURN = F(2 * math.pi), F(1 / (2 * math.pi))
S3, S5, S7, S9 = (F(1 / math.factorial(n)) for n in (3, 5, 7, 9))
C4, C6, C8 = (F(1 / math.factorial(n)) for n in (4, 6, 8))

_inlined = njit(inline="always", error_model="numpy")
"""Calls of these would cost a backward pass a fifth of its speed."""


@_inlined
def _load(a: Any, start: int, width: int, block: Any) -> None:
    """Copy columns of ``a`` into the lanes of a block."""
    for k in range(len(a)):
        for b in range(width):
            block[k, b] = a[k, start + b]


@_inlined
def _store(block: Any, start: int, width: int, a: Any) -> None:
    """Copy the lanes of a block into columns of ``a``."""
    for k in range(len(a)):
        for b in range(width):
            a[k, start + b] = block[k, b]


@_inlined
def _share(slope: Any, weight: Any, x: Any, total: Any, k: int) -> Any:
    """Add the lanes' ``slope * weight`` to ``total``. Returns the sum of ``slope * x``."""
    change = ZERO
    for b in range(LANES):
        change += slope[b] * x[k, b]
        total[k, b] += slope[b] * weight
    return change


@compiled
def _angles(period: Any, cosine: Any, sine: Any, cos: Any, sin: Any) -> None:
    """Cosine and sine of every half angle, by rotation from the smallest."""
    for b in range(LANES):
        x = HALF * PI / period[b]  # at most pi / 40: three terms are exact
        x2 = x * x
        s = x * (ONE - x2 * (S3 - x2 * S5))
        c = ONE - x2 * (HALF - x2 * C4)
        cos[0, b] = c
        sin[0, b] = s
        cosine[b] = ONE - TWO * s * s
        sine[b] = TWO * s * c
    for i in range(1, ANGLES):
        for b in range(LANES):
            cos[i, b] = cos[i - 1, b] * cosine[b] - sin[i - 1, b] * sine[b]
            sin[i, b] = sin[i - 1, b] * cosine[b] + cos[i - 1, b] * sine[b]


@compiled
def _product(u: Any, a: Any, symmetric: Any, tan: Any, scale: Any, rest: Any, re: Any,
             im: Any) -> None:
    """Multiply the factors of all Bernoullis, four at a time.

    ``(1 + i r0 z) (1 + i r1 z) ...`` is a polynomial in ``z = tan h`` whose coefficients are the
    elementary symmetric functions of the r, the same at all angles.
    """
    n = len(u)
    for i in range(ANGLES):
        for b in range(LANES):
            re[i, b] = ONE
            im[i, b] = ZERO
    for k in range(0, n, 4):
        u0 = u[k]
        u1 = u[k + 1] if k + 1 < n else ZERO
        u2 = u[k + 2] if k + 2 < n else ZERO
        u3 = u[k + 3] if k + 3 < n else ZERO
        power = scale if k + 4 <= n else rest
        for b in range(LANES):
            r0, r1, r2, r3 = u0 * a[k, b], u1 * a[k + 1, b], u2 * a[k + 2, b], u3 * a[k + 3, b]
            s, p, t, q = r0 + r1, r0 * r1, r2 + r3, r2 * r3
            symmetric[0, b] = s + t
            symmetric[1, b] = p + q + s * t
            symmetric[2, b] = p * t + q * s
            symmetric[3, b] = p * q
        for i in range(ANGLES):
            for b in range(LANES):
                z = tan[i, b]
                z2 = z * z
                x = power[i, b] * (ONE - z2 * (symmetric[1, b] - z2 * symmetric[3, b]))
                y = power[i, b] * z * (symmetric[0, b] - z2 * symmetric[2, b])
                real = re[i, b]
                re[i, b] = real * x - im[i, b] * y
                im[i, b] = real * y + im[i, b] * x


@compiled
def _rotate(by: Any, period: Any, cosine: Any, sine: Any, work: Any, re: Any, im: Any) -> None:
    """Turn the characteristic function at the angle w by ``by * w``."""
    for b in range(LANES):
        x = by * PI / period[b]
        x = QUARTER * (x - TURN * np.floor(x * PER_TURN + HALF))
        x2 = x * x
        s = x * (ONE - x2 * (S3 - x2 * (S5 - x2 * (S7 - x2 * S9))))
        c = ONE - x2 * (HALF - x2 * (C4 - x2 * (C6 - x2 * C8)))
        c, s = ONE - TWO * s * s, TWO * s * c
        c, s = ONE - TWO * s * s, TWO * s * c
        work[0, b] = c
        work[1, b] = s
        cosine[b] = ONE - TWO * s * s
        sine[b] = TWO * s * c
    for i in range(ANGLES):
        for b in range(LANES):
            c, s, real = work[0, b], work[1, b], re[i, b]
            re[i, b] = real * c - im[i, b] * s
            im[i, b] = real * s + im[i, b] * c
            work[0, b] = c * cosine[b] - s * sine[b]
            work[1, b] = s * cosine[b] + c * sine[b]


@compiled
def forward(u: Any, a: Any, mean: Any, variance: Any, thresholds: Any, tail: Any, cells: Any,
            transform: Any) -> None:
    """Compute the tail of every sum, and what its gradients need.

    Parameters
    ----------
    u : array, shape (sums, n)
    a : array, shape (n, columns)
        Both from -1 to +1: the Bernoullis of a sum have ``p = (1 + u a) / 2``.
    mean, variance : array, shape (sums, columns)
        Of the sum.
    thresholds : array, shape (sums,)
        Between whole numbers, everything is interpolated as a function of limited band.
    tail : array, shape (sums, columns)
        Written: P(S >= t).
    cells : array, shape (sums, CELLS, columns)
        Written: P(S = t - 3) to P(S = t + 2).
    transform : array, shape (sums, 2 * ANGLES + 1, columns), or of no columns
        Written, unless empty: real and imaginary parts at each angle, and M.
    """
    sums, n = u.shape
    columns = a.shape[1]
    kept = transform.shape[2] > 0
    block = np.zeros((n + 3, LANES), F)
    cos, sin = np.empty((ANGLES, LANES), F), np.empty((ANGLES, LANES), F)
    tan, scale = np.empty((ANGLES, LANES), F), np.empty((ANGLES, LANES), F)
    rest = np.empty((ANGLES, LANES), F)
    re, im = np.empty((ANGLES, LANES), F), np.empty((ANGLES, LANES), F)
    work = np.empty((4, LANES), F)
    cosine, sine = np.empty(LANES, F), np.empty(LANES, F)
    period, inside = np.full(LANES, F(2 * ANGLES)), np.zeros(LANES, F)
    sure, total = np.zeros(LANES, F), np.empty((CELLS + 1, LANES), F)
    for start in range(0, columns, LANES):
        width = min(LANES, columns - start)
        _load(a, start, width, block)
        for o in range(sums):
            at = thresholds[o] - HALF
            for b in range(width):
                reach = REACH * np.sqrt(variance[o, start + b]) + MARGIN
                offset = mean[o, start + b] - at
                period[b] = TWO * reach if reach > F(ANGLES) else F(2 * ANGLES)
                inside[b] = ONE if abs(offset) <= reach else ZERO
                sure[b] = ONE if offset > reach else ZERO
            _angles(period, cosine, sine, cos, sin)
            for i in range(ANGLES):
                for b in range(LANES):
                    c = cos[i, b]
                    tan[i, b] = sin[i, b] / c
                    scale[i, b] = c * c * c * c
            for i in range(ANGLES):
                for b in range(LANES):
                    rest[i, b] = ONE
            for _ in range(n % 4):
                for i in range(ANGLES):
                    for b in range(LANES):
                        rest[i, b] *= cos[i, b]
            _product(u[o], block, work, tan, scale, rest, re, im)
            _rotate(HALF * F(n) - at, period, cosine, sine, work, re, im)
            for j in range(CELLS + 1):
                for b in range(LANES):
                    total[j, b] = ZERO
            for i in range(ANGLES):
                for b in range(LANES):
                    x, y, c, s = re[i, b], im[i, b], cos[i, b], sin[i, b]
                    total[6, b] += y / s
                    c2, s2 = ONE - TWO * s * s, TWO * s * c  # of the angle itself
                    for g in range(3):
                        total[2 - g, b] += x * c - y * s
                        total[3 + g, b] += x * c + y * s
                        c, s = c * c2 - s * s2, s * c2 + c * s2
            for b in range(width):
                each = inside[b] / period[b]
                tail[o, start + b] = sure[b] + HALF * inside[b] + total[6, b] * each
            for j in range(CELLS):
                for b in range(width):
                    cells[o, j, start + b] = TWO * total[j, b] * inside[b] / period[b]
            if kept:
                for i in range(ANGLES):
                    for b in range(width):
                        transform[o, i, start + b] = re[i, b] * inside[b]
                        transform[o, ANGLES + i, start + b] = im[i, b] * inside[b]
                for b in range(width):
                    transform[o, 2 * ANGLES, start + b] = period[b]


@compiled
def backward_equations(equations: int, u: Any, a: Any, gradient: Any, cells: Any, du: Any,
                       da: Any) -> None:
    """Gradients from three or five equations of the distribution.

    See ``from_equations`` in ``tests/reference/poisson_binomial.py``; both systems are
    solved in closed form here.

    Parameters
    ----------
    equations : int
        3 or 5.
    u, a, cells : array
        As :func:`forward` had and gave them.
    gradient : array, shape (sums, columns)
        Of the loss, with respect to the tails.
    du, da : array
        Of the shapes of u and a: 0, then the gradients of the loss.
    """
    sums, n = u.shape
    columns = a.shape[1]
    y, g = np.zeros((CELLS, LANES), F), np.zeros(LANES, F)
    block, sums_of = np.zeros((n, LANES), F), np.zeros((n, LANES), F)
    slope = np.zeros(LANES, F)
    for start in range(0, columns, LANES):
        width = min(LANES, columns - start)
        _load(a, start, width, block)
        for k in range(n):
            for b in range(LANES):
                sums_of[k, b] = ZERO
        for b in range(LANES):
            g[b] = ZERO
        for o in range(sums):
            for b in range(width):
                g[b] = HALF * gradient[o, start + b]
            for j in range(CELLS):
                for b in range(width):
                    y[j, b] = cells[o, j, start + b]
            # Around the unknown P(S without k = t - 1): y2 and y3 hold it; the rest are beyond
            # y2 for p below 1/2 (low), beyond y3 above (high).
            for k in range(n):
                weight = u[o, k]
                if equations == 3:
                    for b in range(LANES):
                        r = weight * block[k, b]
                        high = r >= ZERO
                        few = HALF - HALF * abs(r)
                        e = few * (ONE - few)
                        d = ONE - TWO * e
                        v1, v2, v3, v4 = y[1, b], y[2, b], y[3, b], y[4, b]
                        y1 = v4 if high else v1
                        y2 = v3 if high else v2
                        y3 = v2 if high else v3
                        top = d * y2 - e * (y1 + y3)
                        bottom = d * d - TWO * e * e
                        slope[b] = g[b] * (((ONE - few) * d - few * e) * top
                                           + few * bottom * y3) / (bottom * d)
                else:
                    for b in range(LANES):
                        r = weight * block[k, b]
                        high = r >= ZERO
                        few = HALF - HALF * abs(r)
                        e = few * (ONE - few)
                        d = ONE - TWO * e
                        v0, v1, v2 = y[0, b], y[1, b], y[2, b]
                        v3, v4, v5 = y[3, b], y[4, b], y[5, b]
                        y1 = v5 if high else v0
                        y2 = v4 if high else v1
                        y3 = v3 if high else v2
                        y4 = v2 if high else v3
                        y5 = v1 if high else v4
                        share = e / d
                        inner = ONE / (d - e * share)
                        left, right = y2 - share * y1, y4 - share * y5
                        third = (y3 - e * inner * (left + right)) / (d - TWO * e * e * inner)
                        slope[b] = g[b] * ((ONE - few) * third
                                           + few * inner * (right - e * third))
                du[o, k] += _share(slope, weight, block, sums_of, k)
        _store(sums_of, start, width, da)


@compiled
def backward_precise(u: Any, a: Any, gradient: Any, transform: Any, du: Any, da: Any) -> None:
    """Exact gradients: the mass at ``t - 1`` of the sum without k, through its transform.

    Where a recursion has to start from the side that is stable for p, a division of transforms is
    stable everywhere: ``cos h + i r sin h`` is never below ``cos h``.

    Parameters
    ----------
    u, a, transform : array
        As :func:`forward` had and gave them.
    gradient, du, da : array
        As in :func:`backward_equations`.
    """
    sums, n = u.shape
    columns = a.shape[1]
    cos, sin = np.empty((ANGLES, LANES), F), np.empty((ANGLES, LANES), F)
    cosine, sine = np.empty(LANES, F), np.empty(LANES, F)
    period = np.full(LANES, F(2 * ANGLES))
    re, im = np.zeros((ANGLES, LANES), F), np.zeros((ANGLES, LANES), F)
    block, sums_of = np.zeros((n, LANES), F), np.zeros((n, LANES), F)
    slope = np.zeros(LANES, F)
    for start in range(0, columns, LANES):
        width = min(LANES, columns - start)
        _load(a, start, width, block)
        for k in range(n):
            for b in range(LANES):
                sums_of[k, b] = ZERO
        for i in range(ANGLES):
            for b in range(LANES):
                re[i, b] = ZERO
                im[i, b] = ZERO
        for o in range(sums):
            for b in range(width):
                period[b] = transform[o, 2 * ANGLES, start + b]
            _angles(period, cosine, sine, cos, sin)
            for i in range(ANGLES):
                for b in range(width):
                    share = gradient[o, start + b] / period[b]
                    # Everything over cos^2: two constants and one ratio an angle are left.
                    c = cos[i, b]
                    re[i, b] = transform[o, i, start + b] * share / c
                    im[i, b] = transform[o, ANGLES + i, start + b] * share * sin[i, b] / (c * c)
                for b in range(LANES):
                    ratio = sin[i, b] / cos[i, b]
                    sin[i, b] = ratio * ratio
            for k in range(n):
                weight = u[o, k]
                for b in range(LANES):
                    slope[b] = ZERO
                for i in range(ANGLES):
                    for b in range(LANES):
                        r = weight * block[k, b]
                        slope[b] += (re[i, b] + im[i, b] * r) / (ONE + sin[i, b] * r * r)
                du[o, k] += _share(slope, weight, block, sums_of, k)
        _store(sums_of, start, width, da)
