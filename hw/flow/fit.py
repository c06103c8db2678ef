"""The planner: which way to build a network for a board, a rate or a clock, by estimates."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bitwright import ir
from bitwright.boards import Board
from bitwright.errors import UserError
from bitwright.hw.contents import as_built
from bitwright.hw.flow.estimate import Estimated, coefficients, estimate
from bitwright.hw.limits import WidthError
from bitwright.hw.pictures import Shape
from bitwright.hw.plan import PARALLEL, SERIAL, STREAMED, Plan, PlanError
from bitwright.hw.rtl.layers import asked, ways
from bitwright.hw.rtl.layers import foldable as can_fold

__all__ = ["FULL", "Candidate", "MisfitError", "Wish", "choose_plan", "smallest"]

FULL = 0.8
"""Share of a device that can usually be filled and still be routed."""

_LANES = (1, 2, 4, 8, 16, 32)
"""Features of a beat that are tried, as far as there are features."""

_CYCLES = (64, 256, 1024, 4096, 16384)
"""Cycles of a frame that are tried where something can be folded."""

_TIMES = (1, 2, 4, 8, 16, 32, 64)
"""Cycles of a pixel that are tried where pixels stream."""

_BITS = (8, 32)
"""Bits that a serial head counts at a time which are tried where it can be serial."""


class MisfitError(UserError):
    """No way to build fits. One line, which names the nearest.

    Parameters
    ----------
    message : str
    nearest : Candidate
    """

    def __init__(self, message: str, nearest: Candidate) -> None:
        super().__init__(message)
        self.nearest = nearest


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
    sample: int = 0
    """Bits of a sample that are kept in registers, as it comes whole."""

    @property
    def per_second(self) -> float:
        """Samples a second."""
        hertz = self.wish.clock_hz
        if hertz is None:
            assert self.estimated.fmax_mhz is not None
            hertz = 1e6 * self.estimated.fmax_mhz
        return hertz / self.estimated.interval

    @property
    def filled(self) -> float:
        """Share of the device: of LUTs, memories, or registers of a sample, whichever is most."""
        return max(*self._routed, *self._memories)

    @property
    def too_large(self) -> float:
        """The same, divided by what it may be at most: memories may all be taken."""
        return max(*(share / FULL for share in self._routed), *self._memories)

    @property
    def _routed(self) -> tuple[float, float]:
        part = self.board.part
        return _share(self.estimated.total, part.luts), _share(self.sample, part.flip_flops)

    @property
    def _memories(self) -> tuple[float, float]:
        part = self.board.part
        return (_share(self.estimated.memories, part.memories),
                _share(self.estimated.large_memories, part.large_memories))

    @property
    def wrong(self) -> str:
        """Why it will not do; nothing where it will."""
        found, wish = self.estimated, self.wish
        if self.too_large > 1:
            return f"{100 * self.filled:.0f} % of the device"
        mhz = found.fmax_mhz  # None: not known of the family, and so not compared
        if wish.clock_hz is not None and mhz is not None and wish.clock_hz > 1e6 * mhz:
            return f"{mhz:.0f} MHz"
        if wish.rate is not None and self.per_second < wish.rate:
            return f"{self.per_second:,.0f} samples/s"
        return ""

    def __str__(self) -> str:
        found = self.estimated
        return (f"{self.words}: {found.total:,} LUTs ({100 * self.filled:.0f} % of the device), "
                f"{found.memories} block RAM{'' if found.memories == 1 else 's'}, "
                f"{found.interval:,} cycles a sample, "
                f"{self.per_second:,.0f} samples/s")


def choose_plan(network: ir.Network, plan: Plan, board: Board, wish: Wish, *,
                simplify: bool = True) -> tuple[Candidate, str]:
    """Choose lanes or a parallel encoder, a serial or a parallel head, and whether nodes are
    unrolled, folded or streamed.

    Where a rate is wanted, the smallest design that reaches it; otherwise the fastest that fits,
    and of equally fast ones the smallest. One in large memories, whose contents must be sent after
    each start, only where no other will do.

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
    PlanError, WidthError
        If nothing can be built at all.
    UserError
        If no clock is wanted, and no Fmax of the family is known.
    """
    if wish.clock_hz is None and not coefficients(board.family.name).mhz:
        raise UserError(f"{board.name}: no Fmax of {board.family.title} is known; --freq says at "
                        "which clock it is to run")
    built = as_built(network, plan, simplify=simplify)
    found, refused = [], []
    for words, one in _plans(network, plan, board):
        try:
            told = estimate(network, one, board.family, board, simplify=simplify)
        except (PlanError, WidthError) as error:
            refused.append(error)  # lanes that make no whole pixels, say
        else:
            found.append(Candidate(words, one, told, board, wish, _sample(built, one)))
    if not found and refused:
        raise refused[0]
    good = [one for one in found if not one.wrong]
    if not good:
        near = min(found, key=_nearness)
        raise MisfitError(f"{board.name}: none of {len(found)} ways to build fits; the nearest is "
                          f"{near.words}, which has {near.wrong}; take a larger board, a lower "
                          "rate or a smaller network", near)
    key = smallest if wish.rate is not None else _fastest
    chosen, *rest = sorted(good, key=key)
    why = ("the smallest that reaches the rate" if wish.rate is not None
           else "the fastest that fits, and of those the smallest")
    if chosen.estimated.large_memories:
        why += ", and no other than in large memories"
    lines = [f"plan: {chosen}", f"  it is {why}, of {len(found)} ways"]
    if rest:
        lines.append(f"runner-up, {_behind(rest[0], chosen)}: {rest[0]}")
    wrong = [one for one in found if one.wrong]
    if wrong:
        near = min(wrong, key=key)
        lines.append(f"left out, with {near.wrong}: {near.words}")
    return chosen, "\n".join(lines)


def _share(needed: int, there: int) -> float:
    return needed / there if there else float(needed > 0)


def smallest(one: Candidate) -> tuple[float, ...]:
    """What the smallest of several candidates has the least of."""
    # Contents of large memories have to be sent after each start: what does without goes first.
    # Where memories are the larger share, all that have as many are equally full.
    return (one.estimated.large_memories > 0, one.filled, one.estimated.total,
            -one.per_second)


def _fastest(one: Candidate) -> tuple[float, ...]:
    # Of two digits: Fmax is not known better.
    return (one.estimated.large_memories > 0, -float(f"{one.per_second:.2g}"), one.filled,
            one.estimated.total)


def _nearness(one: Candidate) -> tuple[float, ...]:
    wanted = one.wish.rate or 0.0
    return max(1.0, one.too_large), max(0.0, wanted - one.per_second), one.filled


def _behind(second: Candidate, first: Candidate) -> str:
    """Why the runner-up is none but that."""
    speed, size = second.per_second / first.per_second, second.filled / first.filled
    told = [f"{abs(100 * (ratio - 1)):.0f} % {more if ratio > 1 else less}"
            for ratio, more, less in ((size, "larger", "smaller"), (speed, "faster", "slower"))
            if abs(ratio - 1) >= 0.005]
    return " and ".join(told) or "as large and as fast"


def _plans(network: ir.Network, plan: Plan, board: Board) -> Iterator[tuple[str, Plan]]:
    """Ways to build, those that the network and the device have, and what they are in words."""
    shape = _pictures(network)
    for words, core in _cores(network, shape, board):
        # More than a pixel at a time would wait where they stream.
        some = sorted({1, shape.colours}) if shape and "stream" in core else _LANES
        encoders: list[tuple[str, dict[str, Any]]] = [
            (f"{lanes} lane{'s' if lanes > 1 else ''}", {"lanes": lanes}) for lanes in some
            if lanes == 1 or lanes <= network.features]
        if not core.keys() & {"cycles", "stream"}:  # else whatever comes whole would wait
            encoders.append(("parallel encoder", {"parallel": True}))
        for noun, encoder in encoders:
            ways = {**core, **encoder}
            try:
                one = asked(dataclasses.replace(plan, lanes=ways.pop("lanes", 1)), network,
                            gated=board.family.gated, **ways)
            except (PlanError, WidthError):
                continue
            yield f"{words}, {noun}", one


def _pictures(network: ir.Network) -> Shape | None:
    """Shape of the pictures that could stream through a network; None where none could."""
    if not any(STREAMED in ways(type(entry.node)) for entry in network.entries):
        return None
    try:
        return Shape.of(network)
    except PlanError:
        return None


def _cores(network: ir.Network, shape: Shape | None,
           board: Board) -> Iterator[tuple[str, dict[str, Any]]]:
    """What core and head can be, in words and as :func:`hw.rtl.layers.asked` takes it."""
    nodes = [entry.node for entry in network.entries]
    cores: list[tuple[str, dict[str, Any]]] = [("unrolled", {})]
    if shape:
        cores.append(("streamed", {"stream": True}))  # and what is behind is unrolled
        cores += [(f"streamed, {cycles:,} cycles", {"stream": True, "cycles": cycles})
                  for cycles in (times * shape.pixels for times in _TIMES)]
    yield from cores
    if SERIAL in ways(type(nodes[-1])):
        for words, core in cores:
            for bits in _BITS:
                yield f"{words}, serial head of {bits} bits", {**core, "serial": bits}
    if any(can_fold(node) for node in nodes):
        for cycles in _CYCLES:
            yield f"folded into {cycles:,} cycles", {"cycles": cycles}
            if board.part.large_memories:
                yield (f"folded into {cycles:,} cycles, in large memories",
                       {"cycles": cycles, "large": True})


def _sample(network: ir.Network, plan: Plan) -> int:
    """Bits of a sample, if it comes whole."""
    whole = plan.way(network.entries[0].name) == PARALLEL
    return network.features * network.modulate.bits if whole else 0
