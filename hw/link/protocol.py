"""The frames of the host link, in plain Python. docs/link.md is the specification.

A frame is two synchronisation bytes, type, sequence number, length of the payload (two bytes,
little endian), payload, CRC (two bytes, big endian). The CRC is CRC-16/IBM-3740 over everything
between the synchronisation bytes and itself.
"""

import binascii
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

__all__ = ["IDENTITY_BYTES", "MAX_PAYLOAD", "OVERHEAD", "SYNC_REPLY", "SYNC_REQUEST", "VERSION",
           "ErrorCode", "Identity", "Parser", "Reply", "ReplyType", "Request", "crc",
           "decode_reply", "encode_reply", "encode_request"]

VERSION = 1
"""Version of this protocol, which a device tells in its identity."""

SYNC_REQUEST = b"\xa5\x5a"
SYNC_REPLY = b"\x5a\xa5"

OVERHEAD = 8
"""Bytes of a frame that are not payload."""

MAX_PAYLOAD = 0xFFFF

IDENTITY_BYTES = 15


class Request(IntEnum):
    """Types of requests."""

    INFER = 0x01  # payload: the features of a sample
    IDENTIFY = 0x02  # no payload


class ReplyType(IntEnum):
    """Types of replies."""

    RESULT = 0x81  # payload: decision and scores
    IDENTITY = 0x82  # payload: an Identity
    ERROR = 0xFF  # payload: an ErrorCode, one byte


class ErrorCode(IntEnum):
    """Why a request has no result."""

    CRC = 1  # the CRC does not fit the bytes
    LENGTH = 2  # the payload has not the length that the type asks for
    TYPE = 3  # no such type of request
    FRAMING = 4  # a byte had no stop bit: line noise, a break, another baud rate
    TIMEOUT = 5  # the line fell silent in the middle of the frame
    BUSY = 6  # the sample before still occupies the buffer


@dataclass(frozen=True)
class Reply:
    """A whole reply with a right CRC.

    Parameters
    ----------
    type : ReplyType
    sequence : int
        Sequence number of the request, as far as it was received.
    payload : bytes
    """

    type: ReplyType
    sequence: int
    payload: bytes


@dataclass(frozen=True)
class Identity:
    """What a device says about itself.

    Parameters
    ----------
    build : bytes
        First eight bytes of the digest of the network.
    features, bits, signed : int, int, bool
        Features of a sample, and their form.
    classes, score_bytes : int
        Scores of a result, and bytes of each.
    version : int
        Of the protocol.
    """

    build: bytes
    features: int
    bits: int
    signed: bool
    classes: int
    score_bytes: int
    version: int = VERSION

    def to_bytes(self) -> bytes:
        """Payload of the reply, :data:`IDENTITY_BYTES` long."""
        return (bytes([self.version]) + self.build + self.features.to_bytes(2, "little")
                + bytes([self.bits | self.signed << 7]) + self.classes.to_bytes(2, "little")
                + bytes([self.score_bytes]))

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """The inverse of :meth:`to_bytes`.

        Raises
        ------
        ValueError
            If the payload has another length.
        """
        if len(payload) != IDENTITY_BYTES:
            raise ValueError(f"An identity must have {IDENTITY_BYTES} bytes, not {len(payload)}")
        return cls(payload[1:9], int.from_bytes(payload[9:11], "little"), payload[11] & 0x7F,
                   bool(payload[11] >> 7), int.from_bytes(payload[12:14], "little"), payload[14],
                   payload[0])


def crc(body: bytes) -> int:
    """CRC-16/IBM-3740, also called CCITT-FALSE."""
    return binascii.crc_hqx(body, 0xFFFF)


def encode_request(type_: int, sequence: int, payload: bytes = b"") -> bytes:
    """Bytes of a request.

    Raises
    ------
    ValueError
        If the sequence number is not a byte or the payload is too long.
    """
    return _encode(SYNC_REQUEST, type_, sequence, payload)


def encode_reply(reply: Reply) -> bytes:
    """Bytes of a reply. Raises as :func:`encode_request` does."""
    return _encode(SYNC_REPLY, reply.type, reply.sequence, reply.payload)


def _encode(sync: bytes, type_: int, sequence: int, payload: bytes) -> bytes:
    if not 0 <= sequence <= 0xFF:
        raise ValueError(f"Sequence number must be between 0 and 255, not {sequence}")
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"Payload must have at most {MAX_PAYLOAD} bytes, not {len(payload)}")
    body = bytes([type_, sequence]) + len(payload).to_bytes(2, "little") + payload
    return sync + body + crc(body).to_bytes(2, "big")


def decode_reply(frame: bytes) -> Reply:
    """Read one reply, which must be whole.

    Raises
    ------
    ValueError
        If it is damaged in any way.
    """
    if len(frame) < OVERHEAD:
        raise ValueError(f"Reply must have at least {OVERHEAD} bytes, not {len(frame)}")
    if frame[:2] != SYNC_REPLY:
        raise ValueError(f"Reply must begin with {SYNC_REPLY.hex()}, not {frame[:2].hex()}")
    length = int.from_bytes(frame[4:6], "little")
    if len(frame) != OVERHEAD + length:
        raise ValueError(f"Reply must have {OVERHEAD + length} bytes, not {len(frame)}")
    body, check = frame[2:-2], int.from_bytes(frame[-2:], "big")
    if crc(body) != check:
        raise ValueError(f"CRC of the reply must be {crc(body):04x}, not {check:04x}")
    if body[0] not in list(ReplyType):
        raise ValueError(f"Type of the reply must be one of {[*map(int, ReplyType)]}, "
                         f"not {body[0]}")
    return Reply(ReplyType(body[0]), body[1], body[4:])


class Parser:
    """Finds the replies in a stream of bytes. Whatever is not a reply is skipped."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, received: bytes) -> list[Reply]:
        """Take bytes as they come. Returns the replies that they complete."""
        self._pending += received
        replies = []
        while True:
            start = self._pending.find(SYNC_REPLY)
            if start < 0:
                # The last byte may be the first of the next frame.
                self._pending = self._pending[-1:]
                return replies
            self._pending = self._pending[start:]
            if len(self._pending) < OVERHEAD:
                return replies
            size = OVERHEAD + int.from_bytes(self._pending[4:6], "little")
            if len(self._pending) < size:
                return replies
            try:
                replies.append(decode_reply(self._pending[:size]))
                self._pending = self._pending[size:]
            except ValueError:
                self._pending = self._pending[len(SYNC_REPLY) :]
