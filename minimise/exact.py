"""Removing what is proven not to matter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bitwright import ir
from bitwright.minimise.proof import Prover
from bitwright.minimise.seen import Seen
from bitwright.minimise.size import Size
from bitwright.minimise.steps import Change, Step, applied, completed

__all__ = ["DEPTH", "exact"]

DEPTH = 3
"""Layers of tables that a proof looks back through, if nothing else is said."""

SAMPLES, SEED = 8192, 0
"""Random samples that tell what need not be proven, as it is not so."""


def exact(network: ir.Network, depth: int = DEPTH) -> Iterator[Step]:
    """Make a network smaller that has the same scores for every input.

    Bits that are proven constant, or equal to an earlier one or its inverse, are taken for that;
    what a table holds at addresses that are proven never to be reached becomes whatever lets it do
    with fewer inputs, from the last layer to the first.

    Parameters
    ----------
    network : ir.Network
    depth : int
        See :class:`minimise.proof.Prover`.

    Yields
    ------
    Step
        Of which each begins with the network of the last one.
    """
    now = ir.simplify(network)
    yield _step("simplify", now, 0, {})
    samples = ir.draw(now, SAMPLES, SEED)
    seen, prover = Seen(now, samples), Prover(now, depth)
    maybe = seen.alike() | {bit: ir.Signal(None, seen.ones(bit) > 0) for bit in seen.bits
                            if seen.ones(bit) in (0, seen.vectors)}
    claims: dict[ir.Bit, Change] = {bit: claim for bit, claim in maybe.items()
                                    if prover.holds(bit, claim)}
    yield (step := _step("equal", now, len(maybe), claims))
    now = step.network
    for name in [entry.name for entry in now.entries if isinstance(entry.node, ir.Lut)][::-1]:
        if name not in {entry.name for entry in now.entries}:
            continue
        unseen, prover = Seen(now, samples).addresses[name] == 0, Prover(now, depth)
        free = np.zeros_like(unseen)
        for index in np.flatnonzero(unseen.any(axis=1)).tolist():
            never = prover.unreachable((name, index), np.flatnonzero(unseen[index]).tolist())
            free[index, never] = True
        changes = completed(now, name, free)
        yield (step := _step(f"unreachable {name}", now, len(changes), changes))
        now = step.network


def _step(name: str, network: ir.Network, wanted: int, changes: dict[ir.Bit, Change]) -> Step:
    found = applied(network, changes)
    return Step(name, wanted, len(changes), found, Size.of(found), None)
