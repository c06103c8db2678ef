"""A modelled serial line: the host's end of it. For use inside the simulator."""

from collections import deque

import cocotb
from cocotb.triggers import Event, FallingEdge, First, Timer

from bitwright.hw.link.protocol import Parser, Reply, encode_reply

__all__ = ["LineError", "SerialLine"]

BITS = 10
"""Of a byte on the line: start, eight data bits from the lowest, stop."""


class LineError(AssertionError):
    """The device answers what it must not, or not at all."""


class SerialLine:
    """The host's end of the line.

    Parameters
    ----------
    dut
        Handle of the harness.
    bit_ps : float
        Time of a bit, of the device.
    skew : float
        By how much the host's bits are longer than the device's: 0.01 for 1 %.
    """

    def __init__(self, dut, bit_ps: float, skew: float = 0.0) -> None:
        self._dut = dut
        self._bit_ps = bit_ps * (1 + skew)
        self._parser = Parser()
        self._replies: deque[Reply] = deque()
        self._news = Event()
        self._bytes = 0  # received, and not part of a reply yet
        cocotb.start_soon(self._receive())

    @property
    def byte_ps(self) -> float:
        """Time of a byte."""
        return BITS * self._bit_ps

    async def send(self, data: bytes, *, broken: int | None = None) -> None:
        """Send bytes, back to back.

        Parameters
        ----------
        broken : int, optional
            Place of a byte that has no stop bit; the line is idle for a bit after it.
        """
        for place, byte in enumerate(data):
            word = byte << 1 | (place != broken) << 9
            start = 0
            for end in range(1, BITS + 1):
                if end == BITS or (word >> end ^ word >> start) & 1:
                    self._dut.rx.value = word >> start & 1
                    await self._wait(end - start)
                    start = end
            if place == broken:
                self._dut.rx.value = 1
                await self._wait(1)

    async def idle(self, time_ps: float) -> None:
        """Leave the line alone."""
        self._dut.rx.value = 1
        await Timer(max(1, round(time_ps)), "ps")

    async def reply(self, limit_ps: float) -> Reply:
        """Next reply.

        Raises
        ------
        LineError
            If none comes in time.
        """
        waited = Timer(round(limit_ps), "ps")
        while not self._replies:
            self._news.clear()
            if await First(self._news.wait(), waited) is waited:
                raise LineError("a request got no reply")
        return self._replies.popleft()

    def check_quiet(self) -> None:
        """See that nothing came but the replies that were taken.

        Raises
        ------
        LineError
            If there was anything else.
        """
        if self._replies:
            raise LineError(f"{len(self._replies)} more replies than requests")
        if self._bytes:
            raise LineError(f"{self._bytes} bytes came that belong to no reply")

    def forget(self) -> None:
        """Drop what was received: a reset cut it off."""
        self._parser = Parser()
        self._replies.clear()
        self._bytes = 0

    async def _receive(self) -> None:
        tx = self._dut.tx
        while True:
            await FallingEdge(tx)
            await self._wait(1.5)
            byte = 0
            for place in range(8):
                byte |= int(tx.value) << place
                await self._wait(1)
            # A byte without its stop bit is none, and so leaves its packet without a right CRC.
            if int(tx.value):
                self._bytes += 1
                for reply in self._parser.feed(bytes([byte])):
                    self._bytes -= len(encode_reply(reply))
                    self._replies.append(reply)
                    self._news.set()

    async def _wait(self, bits: float) -> None:
        await Timer(round(bits * self._bit_ps), "ps")
