"""Replies that come over a serial line to the host, and what can be wrong with them."""

from __future__ import annotations

import time
from typing import Protocol

from bitwright.errors import UserError
from bitwright.hw.link import protocol
from bitwright.hw.link.protocol import ErrorCode, Reply, ReplyType

__all__ = ["DeviceError", "Line", "LinkError", "Port", "error_code"]

_READ_S = 0.05
"""How long one read may wait. A shorter time to wait is kept to within this."""

_HINTS = {
    ErrorCode.EMPTY: "its contents are not complete; write them, again if need be, with --load",
    ErrorCode.TYPE: "it cannot do that; its contents are fixed",
}
"""What a user can do about some errors."""


class Port(Protocol):
    """What of ``serial.Serial`` a host needs. An emulator has the same."""

    timeout: float | None

    @property
    def baudrate(self) -> int: ...

    @property
    def in_waiting(self) -> int: ...

    def read(self, size: int = 1) -> bytes: ...

    def write(self, data: bytes, /) -> int | None: ...


class LinkError(UserError):
    """Host and device are out of step. One line, which says what came instead of a reply.

    Parameters
    ----------
    message : str
    sample : int, optional
        The first sample of a stream that has no answer.
    """

    def __init__(self, message: str, sample: int | None = None) -> None:
        super().__init__(message)
        self.sample = sample


class DeviceError(UserError):
    """The device answered with an error code, or left one request out; the next can be sent.

    Parameters
    ----------
    code : ErrorCode, optional
        None where a later request was answered and this one was not.
    """

    def __init__(self, code: ErrorCode | None) -> None:
        if code is None:
            super().__init__("the device did not answer, but answered the next")
        else:
            hint = f": {_HINTS[code]}" if code in _HINTS else ""
            super().__init__(f"the device answered {code.name} (error {code.value}){hint}")
        self.code = code

    @property
    def name(self) -> str:
        return "UNANSWERED" if self.code is None else self.code.name


def error_code(reply: Reply) -> ErrorCode | None:
    """What a reply tells as an error; None where it is none.

    Raises
    ------
    LinkError
        If there is no such code.
    """
    if reply.type != ReplyType.ERROR:
        return None
    for code in ErrorCode:
        if reply.payload == bytes([code]):
            return code
    raise LinkError(f"unknown error code {reply.payload.hex() or 'of no byte'}")


class Line:
    """An open port, and the replies in what comes from it.

    Parameters
    ----------
    port : Port
        Its ``timeout`` is changed.
    """

    def __init__(self, port: Port) -> None:
        self._port = port
        self._port.timeout = _READ_S
        self._pending = bytearray()
        self.answered = False
        """Whether a whole reply has come yet."""

    @property
    def baud(self) -> int:
        return self._port.baudrate

    def send(self, data: bytes) -> None:
        self._port.write(data)

    def receive(self, deadline: float) -> Reply | None:
        """The next reply; None if nothing of one has come by then.

        Parameters
        ----------
        deadline : float
            As of ``time.monotonic()``.

        Raises
        ------
        LinkError
            If it broke off, or is damaged in any way.
        """
        if not self._fill(protocol.HEADER_BYTES, deadline):
            return None
        head = bytes(self._pending[:protocol.HEADER_BYTES])
        if head[:2] != protocol.SYNC_REPLY:
            raise LinkError(f"reply must begin with {protocol.SYNC_REPLY.hex()}, not "
                            f"{head[:2].hex()}; is this the right baud rate?")
        size = protocol.OVERHEAD + int.from_bytes(head[4:6], "little")
        self._fill(size, deadline)
        packet = bytes(self._pending[:size])
        del self._pending[:size]
        self.answered = True
        try:
            return protocol.decode_reply(packet)
        except ValueError as error:
            raise LinkError(str(error)) from error

    def _fill(self, count: int, deadline: float) -> bool:
        """Wait for so many bytes; False if there are none by the deadline."""
        while len(self._pending) < count:
            received = self._port.read(max(count - len(self._pending), self._port.in_waiting))
            self._pending += received
            if len(self._pending) < count and time.monotonic() > deadline:
                if not self._pending:
                    return False
                raise LinkError(f"reply broke off after {len(self._pending)} bytes")
        return True

    def silence(self, request: str, patience_s: float) -> LinkError:
        """What to raise when no reply came, with a hint where none ever did."""
        silence = f"no reply to {request} within {patience_s:.1f} s"
        if self.answered:
            return LinkError(silence)
        return LinkError(
            f"{silence}; is the board programmed, is its rate {self.baud} baud, are rx and tx "
            "crossed, and is this the adapter's channel for the serial line (often the last of its "
            "ports)?")
