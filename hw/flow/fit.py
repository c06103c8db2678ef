"""The planner: which way to build a network for a board, a rate or a clock, by estimates."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from bitwright import ir
from bitwright.boards import Board
from bitwright.errors import UserError
from bitwright.hw.flow.estimate import Estimated, estimate
from bitwright.hw.limits import WidthError
from bitwright.hw.plan import STREAMED, Plan, PlanError
from bitwright.hw.rtl.layers import asked, ways
from bitwright.hw.rtl.layers import foldable as can_fold

__all__ = ["FULL", "Candidate", "MisfitError", "Wish", "choose_plan"]

FULL = 0.8
"""Share of a device that can usually be filled and still be routed."""

_LANES = (1, 2, 4, 8, 16, 32)
"""Features of a beat that are tried, as far as there are features."""

_CYCLES = (64, 256, 1024, 4096, 16384)
"""Cycles of a frame that are tried where something can be folded or streamed."""


class MisfitError(UserError):
    """No way to build fits. One line, which names the nearest."""


@dataclass(frozen=True)
class Wish:
    """What is wanted of a design.

    Parameters
    ----------
    rate : float or None
        Samples a second, at least. None: as many as can be had.
    clock_hz : float or None
        At which it must run. None: the Fmax that is estimated.
    """

    rate: float | None = None
    clock_hz: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A way to build.

    Parameters
    ----------
    words : str
        What it is, for people.
    plan : Plan
    estimated : Estimated
    board : Board
    wish : Wish
    """

    words: str
    plan: Plan
    estimated: Estimated
    board: Board
    wish: Wish

    @property
    def per_second(self) -> float:
        """Samples a second."""
        assert self.estimated.fmax_mhz is not None
        hertz = self.wish.clock_hz or 1e6 * self.estimated.fmax_mhz
        return hertz / self.estimated.interval

    @property
    def filled(self) -> float:
        """Share of the device, of LUTs or block RAMs, whichever is more."""
        part, found = self.board.part, self.estimated
        memories = found.memories / part.memories if part.memories else float(found.memories > 0)
        return max(found.total / part.luts, memories)

    @property
    def wrong(self) -> str:
        """Why it will not do; nothing where it will."""
        found, wish = self.estimated, self.wish
        assert found.fmax_mhz is not None
        if self.filled > FULL:
            return f"{100 * self.filled:.0f} % of the device"
        if wish.clock_hz is not None and wish.clock_hz > 1e6 * found.fmax_mhz:
            return f"{found.fmax_mhz:.0f} MHz"
        if wish.rate is not None and self.per_second < wish.rate:
            return f"{self.per_second:,.0f} samples/s"
        return ""

    def __str__(self) -> str:
        found = self.estimated
        return (f"{self.words}: {found.total:,} LUTs ({100 * self.filled:.0f} % of the device), "
                f"{found.memories} block RAMs, {found.interval:,} cycles a sample, "
                f"{self.per_second:,.0f} samples/s")


def choose_plan(network: ir.Network, plan: Plan, board: Board, wish: Wish, *,
                simplify: bool = True) -> tuple[Candidate, str]:
    """Choose lanes, and whether nodes are unrolled, folded or streamed.

    Where a rate is wanted, the smallest design that reaches it; otherwise the fastest that fits,
    and of equally fast ones the smallest.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
        All else is as it says.
    board : Board
    wish : Wish
    simplify : bool

    Returns
    -------
    chosen : Candidate
    str
        Choice, runner-up and why, a line each.

    Raises
    ------
    MisfitError
        If nothing will do.
    """
    found = [Candidate(words, one, estimate(network, one, board.family, board, simplify=simplify),
                       board, wish)
             for words, one in _plans(network, plan)]
    good = [one for one in found if not one.wrong]
    if not good:
        near = min(found, key=_nearness)
        raise MisfitError(f"{board.name}: none of {len(found)} ways to build fits; the nearest is "
                          f"{near.words}, which has {near.wrong}; take a larger board, a lower "
                          "rate or a smaller network")
    key = _smallest if wish.rate is not None else _fastest
    chosen, *rest = sorted(good, key=key)
    why = ("the smallest that reaches the rate" if wish.rate is not None
           else "the fastest that fits, and of those the smallest")
    lines = [f"plan: {chosen}", f"  it is {why}, of {len(found)} ways"]
    if rest:
        lines.append(f"runner-up: {rest[0]}")
    wrong = [one for one in found if one.wrong]
    if wrong:
        near = min(wrong, key=key)
        lines.append(f"left out, with {near.wrong}: {near.words}")
    return chosen, "\n".join(lines)


def _smallest(one: Candidate) -> tuple[float, ...]:
    return one.filled, -one.per_second


def _fastest(one: Candidate) -> tuple[float, ...]:
    # Of two digits: Fmax is not known better.
    return -float(f"{one.per_second:.2g}"), one.filled


def _nearness(one: Candidate) -> tuple[float, ...]:
    wanted = one.wish.rate or 0.0
    return max(0.0, one.filled - FULL), max(0.0, wanted - one.per_second), one.filled


def _plans(network: ir.Network, plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Ways to build, those that the network has, and what they are in words."""
    nodes = [entry.node for entry in network.entries]
    folds = any(can_fold(node) for node in nodes)
    streams = any(STREAMED in ways(type(node)) for node in nodes)
    kinds: list[tuple[str, bool, int | None]] = [("unrolled", False, None)]
    kinds += [(f"folded into {cycles:,} cycles", False, cycles) for cycles in _CYCLES if folds]
    kinds += [(f"streamed, {cycles:,} cycles", True, cycles)
              for cycles in (1, *_CYCLES) if streams]
    for lanes in _LANES:
        if lanes > 1 and lanes > network.features:
            break
        for words, stream, cycles in kinds:
            with_lanes = dataclasses.replace(plan, lanes=lanes)
            try:
                one = asked(with_lanes, network, stream=stream, cycles=cycles)
                one.layout(network)
            except (PlanError, WidthError):
                continue
            yield f"{words}, {lanes} lane{'s' if lanes > 1 else ''}", one
