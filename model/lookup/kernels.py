"""Look-ups as kernels for a GPU, each a pass over what it reads. Importing this imports triton.

The functions are those of :mod:`model.lookup.tensors`, of which two are as good as they are. A
program of a kernel has a node and a block of samples: what it reads of neighbours lies side by
side, and a table stays in its cache. With ``TRITON_INTERPRET=1`` in the environment they run on a
processor, slowly, as tests do.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from bitwright.model.lookup.tensors import match, mixed

__all__ = ["back", "back_to_rows", "first", "later", "match", "mixed"]

_BLOCK = 1024
"""Samples of a node that a program looks up at most."""

_COMPARED = 8192
"""Samples times entries that a program of the way back compares at a time: its registers."""

_BLOCKS = 16
"""Blocks of samples that it adds up at most, one after the other, before it writes."""


# Triton compiles what annotations name, too, so that there are none but its own.
@triton.jit
def _forward(rows, sources, tables, hits, y, samples,  # type: ignore[no-untyped-def]
             fan_in: tl.constexpr, gathered: tl.constexpr, block: tl.constexpr):
    node = tl.program_id(0).to(tl.int64)
    s = tl.program_id(1) * block + tl.arange(0, block)
    inside = s < samples
    hit = tl.zeros((block,), tl.int32)
    for slot in tl.static_range(fan_in):
        row = node * fan_in + slot
        if gathered:
            row = tl.load(sources + row)
        bit = tl.load(rows + row * samples + s, mask=inside, other=0)
        hit |= bit.to(tl.int32) << slot
    found = tl.load(tables + (node << fan_in) + hit, mask=inside, other=0)
    tl.store(hits + node * samples + s, hit.to(tl.uint8), mask=inside)
    tl.store(y + node * samples + s, found, mask=inside)


@triton.jit
def _backward(hits, gradient, sums, slopes, sources, out,  # type: ignore[no-untyped-def]
              samples, fan_in: tl.constexpr, gathered: tl.constexpr, wanted: tl.constexpr,
              block: tl.constexpr, blocks: tl.constexpr):
    node, part = tl.program_id(0).to(tl.int64), tl.program_id(1)
    entries = tl.arange(0, 1 << fan_in)
    total = tl.zeros((1 << fan_in,), gradient.dtype.element_ty)
    for number in range(blocks):
        s = (part * blocks + number) * block + tl.arange(0, block)
        inside = s < samples
        hit = tl.load(hits + node * samples + s, mask=inside, other=0).to(tl.int32)
        g = tl.load(gradient + node * samples + s, mask=inside, other=0)
        # Compared with all entries rather than added where it belongs: threads would queue there.
        total += tl.sum(tl.where(hit[:, None] == entries[None, :], g[:, None], 0), axis=0)
        if wanted:
            for slot in tl.static_range(fan_in):
                place = node * fan_in + slot
                slope = tl.load(slopes + (place << fan_in) + hit, mask=inside, other=0)
                if gathered:
                    row = tl.load(sources + place)
                    tl.atomic_add(out + row * samples + s, slope * g, mask=inside)
                else:
                    tl.store(out + place * samples + s, slope * g, mask=inside)
    place = (node * tl.num_programs(1) + part) << fan_in
    tl.store(sums + place + entries, total)


def first(rows: Tensor, sources: Tensor, tables: Tensor, hits: Tensor, y: Tensor) -> None:
    """Look rows of bits up in tables that read any of them."""
    _look_up(rows, sources, tables, hits, y, sources.shape[1])


def later(x: Tensor, tables: Tensor, hits: Tensor, y: Tensor) -> None:
    """Look bits up in tables that read ``fan_in`` rows each, in order."""
    _look_up(x, None, tables, hits, y, len(x) // len(hits))


def back(hits: Tensor, gradient: Tensor, of_tables: Tensor, slopes: Tensor,
         of_slots: Tensor) -> None:
    """Gradients of tables and of what their slots read."""
    _add_up(hits, gradient, of_tables, slopes, None, of_slots)


def back_to_rows(hits: Tensor, gradient: Tensor, of_tables: Tensor, slopes: Tensor,
                 sources: Tensor, of_rows: Tensor) -> None:
    """As :func:`back`, but what the slots read is added to the rows that they read.

    In no certain order: sums of floats may differ in their last bits from run to run.
    """
    _add_up(hits, gradient, of_tables, slopes, sources, of_rows)


def _look_up(rows: Tensor, sources: Tensor | None, tables: Tensor, hits: Tensor, y: Tensor,
             fan_in: int) -> None:
    nodes, samples = hits.shape
    block = min(_BLOCK, triton.next_power_of_2(samples))
    with torch.cuda.device_of(hits):
        _forward[nodes, triton.cdiv(samples, block)](
            rows, sources, tables, hits, y, samples, fan_in, sources is not None, block)


def _add_up(hits: Tensor, gradient: Tensor, of_tables: Tensor, slopes: Tensor,
            sources: Tensor | None, out: Tensor) -> None:
    (nodes, samples), (_, fan_in, entries) = hits.shape, slopes.shape
    block = min(_BLOCK, _COMPARED // entries, triton.next_power_of_2(samples))
    blocks = min(_BLOCKS, triton.next_power_of_2(triton.cdiv(samples, block)))
    parts = triton.cdiv(samples, block * blocks)
    sums = gradient.new_empty(nodes, parts, entries)
    with torch.cuda.device_of(hits):
        _backward[nodes, parts](hits, gradient, sums, slopes, sources, out, samples, fan_in,
                                sources is not None, out.numel() > 0, block, blocks)
    of_tables += sums.sum(1)
