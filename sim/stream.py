"""Drives and watches the packet harness (stream.v). For use inside the simulator."""

from collections import deque
from dataclasses import dataclass

import cocotb
from cocotb.triggers import Event, First, Timer, ValueChange

__all__ = ["PERIOD_NS", "Stream", "StreamError", "Transfer"]

PERIOD_NS = 2
"""Clock period of the harness."""

UNDEFINED = "a control or data output is undefined"

VIOLATIONS = (
    "m_axis_tvalid fell before the beat was taken",
    "m_axis_tdata changed before the beat was taken",
    "m_axis_tlast changed before the beat was taken",
    UNDEFINED,
    "an output was raised in the first cycle after a reset",
    "m_axis_tlast came before the last beat of a result",
    "m_axis_tkeep is not that of the beat",
)
"""Meaning of the bits of the harness's ``violations``."""


class StreamError(AssertionError):
    """The design broke its protocol, hangs, or sent what nobody asked for."""


@dataclass(frozen=True)
class Transfer:
    """A result as it was taken.

    Parameters
    ----------
    word : int
        ``m_axis_tdata`` of its beats, the first at the least significant end.
    last : bool
        ``m_axis_tlast`` of the last of them.
    """

    word: int
    last: bool


class Stream:
    """The Python side of the harness.

    Parameters
    ----------
    dut
        Handle of the harness.
    beats : int
        Beats of a well-formed packet.
    out_width : int
        Bits of all beats of a result.
    idle_limit : int
        Cycles without a transfer on either side, while one is awaited, that count as a hang.
    """

    def __init__(self, dut, *, beats: int, out_width: int, idle_limit: int) -> None:
        self._dut = dut
        self._beats = beats
        self._out_width = out_width
        self._idle_limit = idle_limit
        self._received: deque[Transfer] = deque()
        self._news = Event()
        self._slot_new = 0
        self._reset_go = 0

    async def start(self, *, seed: int, stall_in: float, stall_out: float) -> None:
        """Reset the design and begin. Rates are the share of cycles in which a side stalls."""
        self._dut.seed.value = seed * 2654435761 % 0xFFFF_FFFF + 1  # xorshift never leaves 0
        self._dut.stall_in.value = _share(stall_in)
        self._dut.stall_out.value = _share(stall_out)
        self._dut.idle_limit.value = self._idle_limit
        self._dut.start.value = 1
        cocotb.start_soon(self._collect())
        await ValueChange(self._dut.resets)

    async def send(self, packet: int, beats: int | None = None) -> None:
        """Hand over a packet, and wait until the harness begins to send it.

        Parameters
        ----------
        packet : int
            Its beats, the first at the least significant end.
        beats : int, optional
            Beats to send of it, tlast on the last; another number than the well-formed one makes
            a malformed packet.
        """
        self._slot_new ^= 1
        self._dut.slot.value = packet
        self._dut.slot_beats.value = self._beats if beats is None else beats
        self._dut.slot_new.value = self._slot_new
        await ValueChange(self._dut.taken)

    async def receive(self) -> Transfer:
        """Next result.

        Raises
        ------
        StreamError
            If nothing moves on either side for too long.
        """
        while not self._received:
            self._news.clear()
            stuck = ValueChange(self._dut.stuck)
            if await First(self._news.wait(), stuck) is stuck:
                raise StreamError(f"no beat moved for {self._idle_limit} cycles")
        return self._received.popleft()

    async def reset(self, after: int) -> None:
        """Reset the design after that many cycles; what it holds by then is lost."""
        self._reset_go ^= 1
        self._dut.reset_after.value = after
        self._dut.reset_go.value = self._reset_go
        await ValueChange(self._dut.resets)

    async def drain(self, cycles: int) -> None:
        """Let the design run with an idle input and a ready output.

        Raises
        ------
        StreamError
            If a result comes out that nobody awaits.
        """
        self._dut.stall_out.value = 0
        await Timer(cycles * PERIOD_NS, "ns")
        if self._received:
            raise StreamError(f"{len(self._received)} more results than packets")

    @property
    def violation(self) -> str | None:
        """How the protocol was broken so far, if it was."""
        violations = int(self._dut.violations.value)
        return next((text for bit, text in enumerate(VIOLATIONS) if violations >> bit & 1), None)

    @property
    def waiting(self) -> int:
        """Results that were taken and not yet received."""
        return len(self._received)

    @property
    def cycles(self) -> int:
        """Clock cycles so far."""
        return int(self._dut.cycles.value)

    @property
    def sample_errors(self) -> int:
        """Cycles so far in which ``sample_error`` was raised."""
        return int(self._dut.sample_errors.value)

    async def _collect(self) -> None:
        mask = (1 << self._out_width) - 1
        count = 0
        while True:
            await ValueChange(self._dut.result)
            found = self._dut.result.value
            if not found.is_resolvable:
                raise StreamError(UNDEFINED)
            value = int(found)
            count += 1
            if value >> self._out_width + 1 != count:
                raise StreamError("the bench missed a result")
            self._received.append(Transfer(value & mask, bool(value >> self._out_width & 1)))
            self._news.set()


def _share(rate: float) -> int:
    return min(int(rate * 0x1_0000), 0xFFFF)
