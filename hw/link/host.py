"""The host's end of the link: one request at a time over an open serial port."""

import time

from bitwright import ir
from bitwright.hw.layout import Layout
from bitwright.hw.link import protocol as frames
from bitwright.hw.link.protocol import ErrorCode, Identity, ReplyType, Request

__all__ = ["DeviceError", "Host", "LinkError", "expected_build"]

PATIENCE_S = 1.0
"""How long a host waits beyond the time that the bytes take: the device's timeout, the adapter, the
operating system."""

_HEADER_BYTES = 6


class LinkError(RuntimeError):
    """Host and device are out of step. One line, which says what came instead of a reply."""


class DeviceError(RuntimeError):
    """The device answered with an error code; the next request can be sent.

    Parameters
    ----------
    code : ErrorCode
    """

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(f"the device answered {code.name} (error {code.value})")
        self.code = code


def expected_build(network: ir.Network) -> bytes:
    """What the identity of a device with this network, as it was frozen, must tell."""
    return bytes.fromhex(ir.digest(network))[:8]


class Host:
    """Requests and their replies, as docs/link.md specifies. Nothing is sent twice.

    Parameters
    ----------
    port : serial.Serial
        Open; its ``timeout`` is changed.
    layout : Layout
        Of the network that the device should have.
    """

    def __init__(self, port, layout: Layout) -> None:
        self._port = port
        self._layout = layout
        self._sequence = 0
        longest = 2 * frames.OVERHEAD + layout.sample_bytes + max(layout.result_bytes,
                                                                  frames.IDENTITY_BYTES)
        self.patience_s = PATIENCE_S + 10 * longest / port.baudrate
        """Time from a request to the end of its reply after which there is none, in seconds."""

    def identify(self) -> Identity:
        """Ask the device who it is.

        Raises
        ------
        LinkError, DeviceError
        """
        payload = self._ask(Request.IDENTIFY, b"", ReplyType.IDENTITY)
        try:
            identity = Identity.from_bytes(payload)
        except ValueError as error:
            raise LinkError(str(error)) from error
        if identity.version != frames.VERSION:
            raise LinkError(f"the device speaks version {identity.version} of the protocol, this "
                            f"program version {frames.VERSION}")
        return identity

    def infer(self, features: list[int]) -> tuple[int, tuple[int, ...]]:
        """Class and scores of one sample.

        Raises
        ------
        LinkError, DeviceError
        ValueError
            If the features are not those of a sample.
        """
        payload = self._ask(Request.INFER, self._layout.sample(features), ReplyType.RESULT)
        try:
            return self._layout.unpack_result(payload)
        except ValueError as error:
            raise LinkError(str(error)) from error

    def _ask(self, request: Request, payload: bytes, wanted: ReplyType) -> bytes:
        self._sequence = (self._sequence + 1) % 256
        deadline = time.monotonic() + self.patience_s
        self._port.write(frames.encode_request(request, self._sequence, payload))
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
        if reply.type != wanted:
            raise LinkError(f"{reply.type.name} in reply to {request.name}")
        return reply.payload

    def _receive(self, deadline: float, request: Request) -> frames.Reply:
        frame = self._read(_HEADER_BYTES, b"", deadline, request)
        if frame[:2] != frames.SYNC_REPLY:
            raise LinkError(f"reply must begin with {frames.SYNC_REPLY.hex()}, not "
                            f"{frame[:2].hex()}; is this the right baud rate?")
        rest = int.from_bytes(frame[4:6], "little") + frames.OVERHEAD - _HEADER_BYTES
        frame += self._read(rest, frame, deadline, request)
        try:
            return frames.decode_reply(frame)
        except ValueError as error:
            raise LinkError(str(error)) from error

    def _read(self, count: int, before: bytes, deadline: float, request: Request) -> bytes:
        self._port.timeout = max(0.0, deadline - time.monotonic())
        received = self._port.read(count)
        if len(received) < count:
            got = len(before) + len(received)
            raise LinkError(f"reply broke off after {got} bytes" if got else
                            f"no reply to {request.name} within {self.patience_s:.1f} s")
        return received
