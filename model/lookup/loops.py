"""Look-ups as compiled loops, for a processor. Importing this module imports numba.

The functions are those of :mod:`model.lookup.tensors`, and :func:`highest`, which tensors have.
Samples are the innermost index everywhere, and are worked on in blocks that stay in the first
cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bitwright.model.compiled import compiled

__all__ = ["back", "back_to_rows", "first", "highest", "later", "match", "mixed"]

_BLOCK = 2048
"""Samples of a node that are worked on together."""

_COPIES = 4
"""Copies of a table's gradient, which neighbouring samples add to in turn: one that waits for the
sum of the one before costs several cycles."""


@compiled
def first(rows: Any, sources: Any, tables: Any, hits: Any, y: Any) -> None:
    """Look rows of bits up in tables that read any of them.

    Parameters
    ----------
    rows : array of uint8, shape (bits, samples)
    sources : array of int64, shape (nodes, fan_in)
    tables : array of uint8, shape (nodes, 2 ** fan_in)
    hits, y : array of uint8, shape (nodes, samples)
        Set to the addresses, and to the bits found there.
    """
    nodes, fan_in = sources.shape
    samples = rows.shape[1]
    for start in range(0, samples, _BLOCK):
        stop = min(start + _BLOCK, samples)
        for n in range(nodes):
            hit = hits[n, start:stop]
            hit[:] = rows[sources[n, 0], start:stop]
            for slot in range(1, fan_in):
                row = rows[sources[n, slot], start:stop]
                for s in range(len(hit)):
                    hit[s] |= np.uint8(row[s] << slot)
            _found(tables[n], hit, y[n, start:stop])


@compiled
def later(x: Any, tables: Any, hits: Any, y: Any) -> None:
    """Look bits up in tables that read ``fan_in`` rows each, in order."""
    nodes, samples = hits.shape
    fan_in = len(x) // nodes
    for n in range(nodes):
        for start in range(0, samples, _BLOCK):
            stop = min(start + _BLOCK, samples)
            hit = hits[n, start:stop]
            hit[:] = x[n * fan_in, start:stop]
            for slot in range(1, fan_in):
                row = x[n * fan_in + slot, start:stop]
                for s in range(len(hit)):
                    hit[s] |= np.uint8(row[s] << slot)
            _found(tables[n], hit, y[n, start:stop])


@compiled
def _found(table: Any, hit: Any, y: Any) -> None:
    for s in range(len(hit)):
        y[s] = table[hit[s]]


@compiled
def back(hits: Any, gradient: Any, of_tables: Any, slopes: Any, of_slots: Any) -> None:
    """Gradients of tables and of what their slots read.

    Parameters
    ----------
    hits : array of uint8, shape (nodes, samples)
    gradient : array, shape (nodes, samples)
    of_tables : array, shape (nodes, 2 ** fan_in)
        Added to.
    slopes : array, shape (nodes, fan_in, 2 ** fan_in)
    of_slots : array, shape (nodes, fan_in, samples)
        Set; left as it is where it is empty.
    """
    samples = hits.shape[1]
    for n in range(len(hits)):
        _count(hits[n], gradient[n], of_tables[n])
        for start in range(0, of_slots.shape[2], _BLOCK):
            stop = min(start + _BLOCK, samples)
            hit, g = hits[n, start:stop], gradient[n, start:stop]
            for slot in range(slopes.shape[1]):
                slope, out = slopes[n, slot], of_slots[n, slot, start:stop]
                for s in range(len(hit)):
                    out[s] = slope[hit[s]] * g[s]


@compiled
def back_to_rows(hits: Any, gradient: Any, of_tables: Any, slopes: Any, sources: Any,
                 of_rows: Any) -> None:
    """As :func:`back`, but what the slots read is added to the rows that they read."""
    samples = hits.shape[1]
    for start in range(0, samples, _BLOCK):
        stop = min(start + _BLOCK, samples)
        for n in range(len(hits)):
            hit, g = hits[n, start:stop], gradient[n, start:stop]
            _count(hit, g, of_tables[n])
            for slot in range(slopes.shape[1]):
                slope, out = slopes[n, slot], of_rows[sources[n, slot], start:stop]
                for s in range(len(hit)):
                    out[s] += slope[hit[s]] * g[s]


@compiled
def match(of_slots: Any, rows: Any, candidates: Any, found: Any) -> None:
    """Sums of what slots receive by the bits that they might read.

    Parameters
    ----------
    of_slots : array, shape (nodes, fan_in, samples)
    rows : array of uint8, shape (bits, samples)
    candidates : array of int64, shape (nodes, offered)
    found : array, shape (nodes, fan_in, offered)
        Set: a sample counts as it is where the bit is 1, and negated where it is 0.
    """
    number = found.dtype.type
    _, fan_in, samples = of_slots.shape
    offered = candidates.shape[1]
    for n in range(len(candidates)):
        mine, sums = of_slots[n], found[n]
        # Eight sums at a time stay in registers, and what is loaded serves two or four of them. At
        # an odd end the last slot and the last candidate stand in for those that are not there.
        last = offered - 1
        for c0 in range(0, offered, 4):
            c1, c2, c3 = min(c0 + 1, last), min(c0 + 2, last), min(c0 + 3, last)
            row0, row1 = rows[candidates[n, c0]], rows[candidates[n, c1]]
            row2, row3 = rows[candidates[n, c2]], rows[candidates[n, c3]]
            for f0 in range(0, fan_in, 2):
                f1 = min(f0 + 1, fan_in - 1)
                g0, g1 = mine[f0], mine[f1]
                a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = number(0)
                for s in range(samples):
                    g, h = g0[s], g1[s]
                    bit0, bit1, bit2, bit3 = (number(row0[s]), number(row1[s]), number(row2[s]),
                                              number(row3[s]))
                    a0 += g * bit0
                    a1 += g * bit1
                    a2 += g * bit2
                    a3 += g * bit3
                    b0 += h * bit0
                    b1 += h * bit1
                    b2 += h * bit2
                    b3 += h * bit3
                sums[f0, c0], sums[f0, c1], sums[f0, c2], sums[f0, c3] = a0, a1, a2, a3
                sums[f1, c0], sums[f1, c1], sums[f1, c2], sums[f1, c3] = b0, b1, b2, b3
        for f in range(fan_in):
            total = number(0)
            for s in range(samples):
                total += mine[f, s]
            for c in range(offered):
                sums[f, c] = 2 * sums[f, c] - total


@compiled
def mixed(share: Any, match: Any) -> None:
    """Gradient of preferences by that of their mixture: what is left of a softmax on the way back.

    Parameters
    ----------
    share : array, shape (nodes, fan_in, offered)
        Of each bit in the mixture of its slot.
    match : array of the same shape
        Gradient by the shares; set to that by the preferences.
    """
    nodes, fan_in, offered = match.shape
    for n in range(nodes):
        for f in range(fan_in):
            part, row = share[n, f], match[n, f]
            mean = match.dtype.type(0)
            for k in range(offered):
                mean += part[k] * row[k]
            for k in range(offered):
                row[k] = part[k] * (row[k] - mean)


@compiled
def highest(values: Any, found: Any) -> None:
    """Places of the highest values, the first of those that are equal.

    Parameters
    ----------
    values : array, shape (nodes, fan_in, offered)
    found : array of int64, shape (nodes, fan_in)
        Set.
    """
    nodes, fan_in, offered = values.shape
    for n in range(nodes):
        for f in range(fan_in):
            row = values[n, f]
            high, place = row[0], 0
            for k in range(1, offered):
                # Chosen, rather than branched to: a third of the time that torch takes.
                place = k if row[k] > high else place
                high = row[k] if row[k] > high else high
            found[n, f] = place


@compiled
def _count(hit: Any, g: Any, of_table: Any) -> None:
    copies = np.zeros((_COPIES, len(of_table)), of_table.dtype)
    even = len(hit) // _COPIES * _COPIES
    for s in range(0, even, _COPIES):
        for k in range(_COPIES):
            copies[k, hit[s + k]] += g[s + k]
    for s in range(even, len(hit)):
        copies[0, hit[s]] += g[s]
    for k in range(_COPIES):
        for a in range(len(of_table)):
            of_table[a] += copies[k, a]
