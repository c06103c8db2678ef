"""Look-ups as compiled loops, for a processor. Importing this module imports numba.

The functions are those of :mod:`model.lookup.tensors`. Samples are the innermost index everywhere,
and are worked on in blocks that stay in the first cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bitwright.model.compiled import compiled

__all__ = ["back", "back_to_rows", "first", "later"]

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
