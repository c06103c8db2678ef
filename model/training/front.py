"""The networks of one training of which no other is both smaller and as good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bitwright import ir
from bitwright.ir.lut import UNCONNECTED

__all__ = ["joined", "luts"]

INPUTS = 6
"""Inputs of the LUTs in which tables are counted."""


def luts(network: ir.Network) -> int:
    """Estimate the LUTs of six inputs that the tables of a network take.

    Counted are the tables that :func:`bitwright.ir.simplify` leaves, without constants and wires: a
    table of more than six inputs as the LUTs of its halves, those of a convolution once, as one
    that slides has them. Encoder and head are not counted.
    """
    total = 0
    for entry in ir.simplify(network).entries:
        body = entry.node.body if isinstance(entry.node, ir.Convolution) else (entry.node,)
        for node in body:
            if isinstance(node, ir.Lut):
                used = (node.sources != UNCONNECTED).sum(axis=1)
                total += sum(1 << max(0, int(count) - INPUTS) for count in used if count > 1)
    return total


def joined(front: Sequence[Mapping[str, Any]], point: Mapping[str, Any],
           metric: str) -> list[Mapping[str, Any]] | None:
    """Let a network join a front.

    Parameters
    ----------
    front : sequence of mapping
        Each with ``luts`` and the metric.
    point : mapping
    metric : str

    Returns
    -------
    list of mapping or None
        The front with it, the smallest first, without those that it beats; nothing if one that is
        there is neither larger nor worse.
    """
    if any(old["luts"] <= point["luts"] and old[metric] >= point[metric] for old in front):
        return None
    kept = [old for old in front
            if not (point["luts"] <= old["luts"] and point[metric] >= old[metric])]
    return sorted([*kept, point], key=lambda one: one["luts"])
