"""A device that is the design itself, in Amaranth's simulator."""

from __future__ import annotations

import collections

from amaranth.sim import Simulator

from bitwright import ir
from bitwright.hw.contents import as_built
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan
from bitwright.hw.rate import FEWEST_CYCLES

__all__ = ["Simulated"]

CYCLES = FEWEST_CYCLES
"""Of a bit: the fewest, so that the least is simulated."""

_CLOCK_HZ = 1e6
_BIT_S = CYCLES / _CLOCK_HZ
_BYTE = 10 * CYCLES
_SETTLE = _BYTE + 10
"""Cycles from the last bit of a request until its reply is owed, or from the last reply that was
owed to the end of its last byte; and more."""


class Simulated:
    """The design of a board behind its line, bit by bit. A :class:`hw.link.emulator.Device`.

    Time passes for it only while it has something to do.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
    timeout : int, optional
        Cycles of silence that end an unfinished packet. Left out: so many that none ends while
        other replies are awaited.
    """

    def __init__(self, network: ir.Network, plan: Plan | None = None,
                 timeout: int | None = None) -> None:
        plan = Plan() if plan is None else plan
        built = as_built(network, plan)
        self._top = SerialTop(built, plan, _CLOCK_HZ, _CLOCK_HZ / CYCLES, frozen=network,
                              timeout_s=None if timeout is None else timeout / _CLOCK_HZ)
        self._levels: collections.deque[int] = collections.deque()
        self._received = bytearray()
        self._owing = False
        self._time_s = 0.0
        self._simulator = Simulator(self._top)
        self._simulator.add_clock(1 / _CLOCK_HZ)
        self._simulator.add_testbench(self._drive, background=True)
        self._simulator.add_testbench(self._listen, background=True)
        self._simulator.add_testbench(self._watch, background=True)

    def receive(self, data: bytes) -> bytes:
        for byte in data:
            self._levels += [0, *(byte >> place & 1 for place in range(8)), 1]
        return self._replies()

    def silence(self) -> bytes:
        self._run(self._top.timeout + _BYTE)
        return self._replies()

    def damage(self) -> bytes:
        self._levels += [0] * 10 + [1, 1]
        return self._replies()

    def _replies(self) -> bytes:
        """Go on until nothing is owed."""
        while self._levels:
            self._run(CYCLES * len(self._levels))
        self._run(_SETTLE)
        while self._owing:
            self._run(_SETTLE)
        self._run(_SETTLE)
        replies = bytes(self._received)
        self._received.clear()
        return replies

    def _run(self, cycles: int) -> None:
        self._time_s += cycles / _CLOCK_HZ
        self._simulator.run_until(self._time_s)

    async def _drive(self, ctx) -> None:  # type: ignore[no-untyped-def]
        while True:
            ctx.set(self._top.rx, self._levels.popleft() if self._levels else 1)
            await ctx.delay(_BIT_S)

    async def _listen(self, ctx) -> None:  # type: ignore[no-untyped-def]
        while True:
            await ctx.negedge(self._top.tx)
            await ctx.delay(_BIT_S / 2)
            byte = 0
            for place in range(9):
                await ctx.delay(_BIT_S)
                byte |= ctx.get(self._top.tx) << place
            self._received.append(byte & 0xFF)

    async def _watch(self, ctx) -> None:  # type: ignore[no-untyped-def]
        async for (owing,) in ctx.changed(self._top.link.owing):
            self._owing = bool(owing)
