"""The host's end of the link: one request at a time over an open serial port."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bitwright.errors import UserError
from bitwright.hw.layout import Layout
from bitwright.hw.link import protocol
from bitwright.hw.link.protocol import ErrorCode, Identity, ReplyType, Request

if TYPE_CHECKING:
    from serial import Serial

__all__ = ["DeviceError", "Host", "LinkError"]

PATIENCE_S = 1.0
"""How long a host waits beyond the time that the bytes take: the device's timeout, the adapter, the
operating system."""

_HEADER_BYTES = 6

_HINTS = {
    ErrorCode.EMPTY: "its contents were being written and are not complete; write them again with "
                     "--load",
    ErrorCode.TYPE: "it cannot do that; its contents are fixed",
}
"""What a user can do about some errors."""


class LinkError(UserError):
    """Host and device are out of step. One line, which says what came instead of a reply."""


class DeviceError(UserError):
    """The device answered with an error code; the next request can be sent.

    Parameters
    ----------
    code : ErrorCode
    """

    def __init__(self, code: ErrorCode) -> None:
        hint = f": {_HINTS[code]}" if code in _HINTS else ""
        super().__init__(f"the device answered {code.name} (error {code.value}){hint}")
        self.code = code


class Host:
    """Requests and their replies, as docs/link.md specifies. Nothing is sent twice.

    Parameters
    ----------
    port : serial.Serial
        Open; its ``timeout`` is changed.
    layout : Layout
        Of the network that the device should have.
    """

    def __init__(self, port: Serial, layout: Layout) -> None:
        self._port = port
        self._layout = layout
        self._sequence = 0
        self._answered = False
        longest = 2 * protocol.OVERHEAD + max(
            layout.sample_bytes + layout.result_bytes, protocol.IDENTITY_BYTES,
            2 * protocol.OFFSET_BYTES + protocol.LOAD_BYTES)
        self.patience_s = PATIENCE_S + 10 * longest / port.baudrate
        """Time from a request to the end of its reply after which there is none, in seconds."""

    def identify(self) -> Identity:
        """Ask the device who it is.

        Raises
        ------
        LinkError, DeviceError
        """
        payload = self._ask(Request.IDENTIFY, b"")
        try:
            return Identity.from_bytes(payload)
        except ValueError as error:
            raise LinkError(str(error)) from error

    def infer(self, features: list[int]) -> tuple[int, tuple[int, ...]]:
        """Class and scores of one sample.

        Raises
        ------
        LinkError, DeviceError
        ValueError
            If the features are not those of a sample.
        """
        payload = self._ask(Request.INFER, self._layout.sample(features))
        try:
            return self._layout.unpack_result(payload)
        except ValueError as error:
            raise LinkError(str(error)) from error

    def load(self, image: bytes, digest: bytes,
             progress: Callable[[int], object] = lambda count: None) -> None:
        """Write contents. Before all are there and checked, the device gives no answers.

        Parameters
        ----------
        image : bytes
            As of :meth:`hw.contents.Contents.image`.
        digest : bytes
            First eight bytes of its digest, which the device tells from then on.
        progress : callable
            Told how many bytes have been written more.

        Raises
        ------
        LinkError, DeviceError
            It was not done. The old contents are lost unless nothing was written.
        """
        done = 0
        for payload in protocol.load_payloads(image):
            count = len(payload) - protocol.OFFSET_BYTES
            done += count
            self._written(self._ask(Request.LOAD, payload), done)
            progress(count)
        self._written(self._ask(Request.COMMIT, protocol.commit_payload(image, digest)), done)

    def _written(self, payload: bytes, wanted: int) -> None:
        found = int.from_bytes(payload, "little")
        if len(payload) != protocol.OFFSET_BYTES or found != wanted:
            raise LinkError(f"the device has written {found} bytes, not {wanted}")

    def _ask(self, request: Request, payload: bytes) -> bytes:
        self._sequence = (self._sequence + 1) % 256
        deadline = time.monotonic() + self.patience_s
        self._port.write(protocol.encode_request(request, self._sequence, payload))
        while True:
            reply = self._receive(deadline, request)
            if reply.sequence == self._sequence:
                break
            # An error repeats the number as the device received it: damaged, it is nobody's.
            if reply.type != ReplyType.ERROR:
                raise LinkError(f"reply to request {reply.sequence}, not {self._sequence}")
        if reply.type == ReplyType.ERROR:
            known = {bytes([code]): code for code in ErrorCode}
            if reply.payload not in known:
                raise LinkError(f"unknown error code {reply.payload.hex() or 'of no byte'}")
            raise DeviceError(known[reply.payload])
        if reply.type != request | 0x80:
            raise LinkError(f"{reply.type.name} in reply to {request.name}")
        return reply.payload

    def _receive(self, deadline: float, request: Request) -> protocol.Reply:
        packet = self._read(_HEADER_BYTES, b"", deadline, request)
        if packet[:2] != protocol.SYNC_REPLY:
            raise LinkError(f"reply must begin with {protocol.SYNC_REPLY.hex()}, not "
                            f"{packet[:2].hex()}; is this the right baud rate?")
        rest = int.from_bytes(packet[4:6], "little") + protocol.OVERHEAD - _HEADER_BYTES
        packet += self._read(rest, packet, deadline, request)
        self._answered = True
        try:
            return protocol.decode_reply(packet)
        except ValueError as error:
            raise LinkError(str(error)) from error

    def _read(self, count: int, before: bytes, deadline: float, request: Request) -> bytes:
        self._port.timeout = max(0.0, deadline - time.monotonic())
        received = bytes(self._port.read(count))
        if len(received) < count:
            got = len(before) + len(received)
            raise LinkError(f"reply broke off after {got} bytes" if got else self._silent(request))
        return received

    def _silent(self, request: Request) -> str:
        silence = f"no reply to {request.name} within {self.patience_s:.1f} s"
        if self._answered:
            return silence
        return (f"{silence}; is the board programmed, is its rate {self._port.baudrate} baud, are "
                "rx and tx crossed, and is this the adapter's channel for the serial line (often "
                "the last of its ports)?")
