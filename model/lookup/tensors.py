"""Look-ups as tensor operations, for a GPU, or where numba is missing.

The functions are those of :mod:`model.lookup.loops`, on Tensors.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["back", "back_to_rows", "first", "later", "match", "mixed"]

_COPIES = 64
"""Copies of a table's gradient, which neighbouring samples add to in turn: a GPU's threads would
queue for the few entries of one."""

_CACHED, _BUFFERED = 1 << 17, 1 << 26
"""Bits of candidates that are gathered together: what stays in a processor's cache, and what fits
the memory of a GPU."""


def first(rows: Tensor, sources: Tensor, tables: Tensor, hits: Tensor, y: Tensor) -> None:
    """Look rows of bits up in tables that read any of them."""
    torch.index_select(rows, 0, sources[:, 0], out=hits)
    for slot in range(1, sources.shape[1]):
        hits |= rows.index_select(0, sources[:, slot]) << slot
    torch.gather(tables, 1, hits.long(), out=y)


def later(x: Tensor, tables: Tensor, hits: Tensor, y: Tensor) -> None:
    """Look bits up in tables that read ``fan_in`` rows each, in order."""
    values = x.view(len(hits), -1, x.shape[1])
    hits.copy_(values[:, 0])
    for slot in range(1, values.shape[1]):
        hits |= values[:, slot] << slot
    torch.gather(tables, 1, hits.long(), out=y)


def back(hits: Tensor, gradient: Tensor, of_tables: Tensor, slopes: Tensor,
         of_slots: Tensor) -> None:
    """Gradients of tables and of what their slots read."""
    index = hits.long()  # what gather wants
    _count(index, gradient, of_tables)
    if of_slots.numel():
        for slot in range(slopes.shape[1]):
            torch.mul(slopes[:, slot].gather(1, index), gradient, out=of_slots[:, slot])


def back_to_rows(hits: Tensor, gradient: Tensor, of_tables: Tensor, slopes: Tensor,
                 sources: Tensor, of_rows: Tensor) -> None:
    """As :func:`back`, but what the slots read is added to the rows that they read."""
    index = hits.long()
    _count(index, gradient, of_tables)
    for slot in range(slopes.shape[1]):
        of_slot = slopes[:, slot].gather(1, index).mul_(gradient)
        of_rows.index_add_(0, sources[:, slot], of_slot)


def match(of_slots: Tensor, rows: Tensor, candidates: Tensor, found: Tensor) -> None:
    """Sums of what slots receive by the bits that they might read."""
    (nodes, offered), samples = candidates.shape, rows.shape[1]
    step = max(1, (_BUFFERED if rows.is_cuda else _CACHED) // (offered * samples))
    for start in range(0, nodes, step):
        part = slice(start, start + step)
        read = rows.index_select(0, candidates[part].reshape(-1)).view(-1, offered, samples)
        torch.bmm(of_slots[part], read.to(found).transpose(1, 2), out=found[part])
    found.mul_(2).sub_(of_slots.sum(2, keepdim=True))


def mixed(share: Tensor, match: Tensor) -> None:
    """Gradient of preferences by that of their mixture."""
    match.sub_((share * match).sum(2, keepdim=True)).mul_(share)


def _count(index: Tensor, gradient: Tensor, of_tables: Tensor) -> None:
    nodes, entries = of_tables.shape
    turn = torch.arange(index.shape[1], device=index.device) % _COPIES * entries
    copies = gradient.new_zeros(nodes, _COPIES * entries).scatter_add_(1, index + turn, gradient)
    of_tables += copies.view(nodes, _COPIES, entries).sum(1)
