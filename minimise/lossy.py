"""Taking what samples never show for what never happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

from bitwright import ir
from bitwright.minimise.seen import Seen
from bitwright.minimise.size import Size
from bitwright.minimise.steps import Step, completed, tried
from bitwright.minimise.thresholds import rounded

__all__ = ["lossy"]


def lossy(network: ir.Network, learnt: NDArray[Any], quality: Callable[[ir.Network], float],
          allow: float = 0.0, rare: float = 0.0, *, parallel: bool = False) -> Iterator[Step]:
    """Make a network smaller that then answers as before what it was trained on, if not all else.

    Bits that are constant on the samples become constants; those that are like an earlier one, or
    its inverse, are taken for that; what a table holds at addresses that are not reached becomes
    whatever lets it do with fewer inputs, from the last layer to the first.

    Parameters
    ----------
    network : ir.Network
    learnt : array of integers, shape (samples, features)
        What it was trained on.
    quality : callable
        What a network is worth on other samples.
    allow : float
        How far below the network's own worth each of the results may be.
    rare : float
        Share of the samples' frames up to which an address counts as not reached, a bit as
        constant, and a comparison as the same. Above 0, answers to the samples may change, too.
    parallel : bool
        Whether thresholds then move to where a comparison needs fewer bits of its feature, which a
        parallel encoder gains by.

    Yields
    ------
    Step
        Of which each begins with the network of the last one.
    """
    now = ir.simplify(network)
    own = quality(network)
    least, few = own - allow, rare * len(learnt) * network.frames
    yield Step("simplify", 0, 0, now, Size.of(now), own)
    claims = _constant(Seen(now, learnt), few)
    yield (step := tried("constant", now, claims, quality, least))
    now = step.network
    yield (step := tried("alike", now, Seen(now, learnt).alike(), quality, least))
    now = step.network
    for name in [entry.name for entry in now.entries if isinstance(entry.node, ir.Lut)][::-1]:
        if name not in {entry.name for entry in now.entries}:
            continue
        free = Seen(now, learnt).addresses[name] <= few
        yield (step := tried(f"unreached {name}", now, completed(now, name, free), quality, least))
        now = step.network
    if parallel:
        yield tried("rounded", now, rounded(now, learnt, few), quality, least)


def _constant(seen: Seen, few: float) -> dict[ir.Bit, ir.Signal]:
    """Bits that were the same but for a few times, the inputs of the network among them."""
    claims = {}
    for bit in seen.bits:
        ones = seen.ones(bit)
        if min(ones, seen.vectors - ones) <= few:
            claims[bit] = ir.Signal(None, 2 * ones > seen.vectors)
    return claims
