"""Many samples on their way at a time, and each answer with the sample that it belongs to."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bitwright.hw.layout import Layout
from bitwright.hw.link import protocol
from bitwright.hw.link.line import DeviceError, Line, LinkError, error_code
from bitwright.hw.link.protocol import ErrorCode, Reply, Request

__all__ = ["Pipeline", "filler", "window"]

_AHEAD_BYTES = 8192
"""Bytes that may be on their way. At 1 Mbaud half of them lasts 40 ms, longer than an adapter and
an operating system let a host wait; and no more replies lie in between than any system keeps."""

_MOST = 128
"""Requests that may be on their way: half of the numbers, so that none is there twice."""

_FIRST = 4
"""Requests that are on their way at first. A device that is slower than its line refuses one of so
many, but can owe as many replies; of more, it would leave some without a reply."""

_HAND_ON_CYCLES = 2
"""Cycles in which the device hands a byte from its memory to the network."""

_UNCERTAIN = (ErrorCode.CRC, ErrorCode.FRAMING, ErrorCode.TIMEOUT)
"""Errors whose sequence number may be damaged. The others are of packets with a right CRC."""


def filler(layout: Layout, cycles: int) -> int:
    """Bytes between two requests that make a device keep pace, though it is never told to wait.

    Replies must not take longer than requests, or they pile up: a twentieth more than their bytes,
    for both clocks may be off, and between two bytes of its own a device waits a cycle. And the
    memory for a sample must be empty when the first byte of the next comes.

    Parameters
    ----------
    layout : Layout
    cycles : int
        Of the device's clock in a bit.
    """
    request, reply = (protocol.OVERHEAD + size
                      for size in (layout.sample_bytes, layout.result_bytes))
    drain = -(-_HAND_ON_CYCLES * (layout.sample_bytes + protocol.HEADER_BYTES) // (10 * cycles))
    return max(0, -(-21 * reply // 20) - request, drain - protocol.HEADER_BYTES)


def window(layout: Layout, cycles: int) -> int:
    """Requests that are on their way at a time, unless the device says that it is busy."""
    size = protocol.OVERHEAD + max(layout.sample_bytes + filler(layout, cycles),
                                   layout.result_bytes)
    return min(_MOST, max(2, _AHEAD_BYTES // size))


@dataclass
class _Sent:
    """A request on its way.

    Parameters
    ----------
    index : int
        Of the sample.
    sequence : int
        Its number.
    order : int
        Requests that were sent before it.
    suspect : ErrorCode, optional
        An error that may be its own.
    """

    index: int
    sequence: int
    order: int
    suspect: ErrorCode | None = None


class Pipeline:
    """INFER requests, sent ahead of their replies.

    Replies come in the order of the requests, and the number of each but of damaged packets is
    right. So a reply tells whose it is, and that the requests before it will have none.

    Parameters
    ----------
    line : Line
    layout : Layout
    cycles : int
        Of the device's clock in a bit.
    patience_s : float
        Time that a request and its reply may take, if there is nothing before them.
    window_ : int, optional
        Most requests on their way at a time. Left out: :func:`window`. From :data:`_FIRST` on it
        becomes twice as wide whenever so many were answered, until one is refused.
    number : callable
        Gives the next sequence number.
    """

    def __init__(self, line: Line, layout: Layout, cycles: int, patience_s: float,
                 window_: int | None, number: Callable[[], int]) -> None:
        self._line = line
        self._filler = bytes(filler(layout, cycles))
        self._most = window(layout, cycles) if window_ is None else window_
        self._window = min(_FIRST, self._most)
        self._answered = 0  # requests since the window became wider
        self._number = number
        self._patience_s = patience_s + 10 * 2 * _AHEAD_BYTES / line.baud
        self._on_way: collections.deque[_Sent] = collections.deque()
        self._sent = 0  # requests so far
        self._narrowed = 0  # requests that were sent before the window became narrower
        self._doubt = False  # since the last reply with a right number there was another error
        self.repeated = 0

    def run(self, payloads: Sequence[bytes]) -> Iterator[tuple[int, Reply | DeviceError]]:
        """Send all samples. As of :meth:`hw.link.host.Host.stream`, but for what a reply holds."""
        waiting = collections.deque(range(len(payloads)))
        while waiting or self._on_way:
            self._send(waiting, payloads)
            try:
                reply = self._line.receive(time.monotonic() + self._patience_s)
                code = None if reply is None else error_code(reply)
            except LinkError as error:
                raise LinkError(str(error), self._on_way[0].index) from error
            if reply is None:
                yield from self._silent()
            elif code in _UNCERTAIN:
                yield from self._uncertain(reply.sequence, code)
            else:
                yield from self._before(reply)
                sent = self._on_way.popleft()
                if code is ErrorCode.BUSY and self._may_wait(sent):
                    waiting.appendleft(sent.index)
                    self.repeated += 1
                else:
                    self._widen()
                    yield sent.index, reply if code is None else DeviceError(code)

    def _send(self, waiting: collections.deque[int], payloads: Sequence[bytes]) -> None:
        """Send as many as may be on their way, once half of them are answered."""
        if len(self._on_way) > self._window // 2:
            return
        packets = []
        while waiting and len(self._on_way) < self._window:
            sent = _Sent(waiting.popleft(), self._number(), self._sent)
            if self._on_way:
                packets.append(self._filler)
            packets.append(protocol.encode_request(Request.INFER, sent.sequence,
                                                   payloads[sent.index]))
            self._on_way.append(sent)
            self._sent += 1
        if packets:
            self._line.send(b"".join(packets))

    def _before(self, reply: Reply) -> Iterator[tuple[int, DeviceError]]:
        """Make the request of a reply the first on its way. Those before it get no reply more."""
        numbers = [sent.sequence for sent in self._on_way]
        if reply.sequence not in numbers:
            wanted = (f"not {numbers[0]}" if len(numbers) == 1 else
                      f"none of {numbers[0]} to {numbers[-1]}")
            raise LinkError(f"reply to request {reply.sequence}, {wanted}", self._on_way[0].index)
        self._doubt = False
        for _ in range(numbers.index(reply.sequence)):
            sent = self._on_way.popleft()
            yield sent.index, DeviceError(sent.suspect)

    def _uncertain(self, sequence: int, code: ErrorCode) -> Iterator[tuple[int, DeviceError]]:
        """An error that has the number of its request only if that was not what was damaged.

        It is of the first request on its way or of one behind that, so that the first is over if
        the number is its own. Any other is kept until a later reply, or silence, decides.
        """
        self._doubt = True
        if self._on_way[0].sequence == sequence:
            yield self._on_way.popleft().index, DeviceError(code)
            return
        for sent in self._on_way:
            if sent.sequence == sequence:
                sent.suspect = code

    def _silent(self) -> Iterator[tuple[int, DeviceError]]:
        """Nothing comes any more. After an error that explains it, go on with the next."""
        first = self._on_way[0]
        if not self._doubt:
            error = self._line.silence(Request.INFER.name, self._patience_s)
            raise LinkError(str(error), first.index)
        self._doubt = False
        while self._on_way:
            sent = self._on_way.popleft()
            yield sent.index, DeviceError(sent.suspect)

    def _may_wait(self, busy: _Sent) -> bool:
        """Whether less should be sent ahead, as what was sent at this width was too much. If it was
        sent alone, it is not that."""
        if busy.order < self._narrowed:
            return True
        if self._window == 1:
            return False
        self._window //= 2
        self._most = self._window
        self._narrowed = self._sent
        return True

    def _widen(self) -> None:
        """Send further ahead, as nothing was refused at this width."""
        self._answered += 1
        if self._answered >= self._window < self._most:
            self._window = min(2 * self._window, self._most)
            self._answered = 0
