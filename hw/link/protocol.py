"""The packets of the host link, in plain Python. docs/link.md is the specification.

A packet is two synchronisation bytes, type, sequence number, length of the payload (two bytes,
little endian), payload, CRC (two bytes, big endian). The CRC is CRC-16/IBM-3740 over everything
between the synchronisation bytes and itself.
"""

import binascii
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from bitwright import ir
from bitwright.hw.contents import Contents
from bitwright.hw.layout import Layout
from bitwright.hw.plan import Plan

__all__ = ["COMMIT_BYTES", "DIGEST_BYTES", "HEADER_BYTES", "IDENTITY_BYTES",
           "LOAD_BYTES", "MAX_PAYLOAD", "OFFSET_BYTES", "OVERHEAD", "SYNC_REPLY", "SYNC_REQUEST",
           "VERSION", "ErrorCode", "Identity", "Parser", "Reply", "ReplyType", "Request",
           "commit_payload", "crc", "decode_reply", "encode_reply", "encode_request",
           "load_payloads", "short"]

VERSION = 2
"""Version of this protocol, which a device tells in its identity."""

SYNC_REQUEST = b"\xa5\x5a"
SYNC_REPLY = b"\x5a\xa5"

HEADER_BYTES = 6
"""Bytes of a packet before its payload."""

OVERHEAD = HEADER_BYTES + 2
"""Bytes of a packet that are not payload."""

MAX_PAYLOAD = 0xFFFF

DIGEST_BYTES = 8
"""Bytes that a device tells of a digest: the first."""

IDENTITY_BYTES = 28

OFFSET_BYTES = 4
"""Bytes of an offset, of a length of contents, and of a CRC-32."""

LOAD_BYTES = 508
"""Most bytes of contents that a request can carry. With their offset they fill the smallest block
RAM there is, of 512 bytes."""

COMMIT_BYTES = 2 * OFFSET_BYTES + DIGEST_BYTES


def short(digest: str) -> bytes:
    """What a device tells of a digest, which is given in hexadecimal."""
    return bytes.fromhex(digest)[:DIGEST_BYTES]


class Request(IntEnum):
    """Types of requests. The reply has the same type with the highest bit set."""

    INFER = 0x01  # payload: the features of a sample
    IDENTIFY = 0x02  # no payload
    LOAD = 0x03  # payload: an offset, and the bytes of the contents from there on
    COMMIT = 0x04  # payload: length, CRC-32 and digest of the contents


class ReplyType(IntEnum):
    """Types of replies."""

    RESULT = 0x81  # payload: decision and scores
    IDENTITY = 0x82  # payload: an Identity
    LOADED = 0x83  # payload: bytes written since offset 0
    COMMITTED = 0x84  # payload: bytes written since offset 0: all
    ERROR = 0xFF  # payload: an ErrorCode, one byte


class ErrorCode(IntEnum):
    """Why a request was not followed."""

    CRC = 1  # the CRC does not fit the bytes
    LENGTH = 2  # the payload has not the length that the type asks for
    TYPE = 3  # no such type of request
    FRAMING = 4  # a byte had no stop bit: line noise, a break, another baud rate
    TIMEOUT = 5  # the line fell silent in the middle of the packet
    BUSY = 6  # the payload before still occupies the buffer
    LOST = 7  # the network gave no result in time
    EMPTY = 8  # the contents are not complete and checked
    OFFSET = 9  # not where the bytes before ended, or past the end
    CHECK = 10  # length or CRC-32 are not those of what was written


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
    structure : bytes
        First eight bytes of the digest of the structure: all that a bitstream fixes.
    contents : bytes
        First eight bytes of the digest of the contents, which can be written over the link. Means
        nothing while they are not complete.
    complete : bool
        Whether the contents are whole and checked: if not, there are no answers.
    size : int
        Bytes of the contents; 0 where nothing can be written.
    features, bits, signed : int, int, bool
        Features of a sample, and their form.
    classes, score_bytes : int
        Scores of a result, and bytes of each.
    version : int
        Of the protocol.
    """

    structure: bytes
    contents: bytes
    complete: bool
    size: int
    features: int
    bits: int
    signed: bool
    classes: int
    score_bytes: int
    version: int = VERSION

    @classmethod
    def of(cls, network: ir.Network, plan: Plan) -> Self:
        """Of the device that is built from a network, as it was frozen, before anything is written.

        Raises
        ------
        PlanError
            As of :class:`hw.contents.Contents`.
        """
        layout, contents = Layout.of(network, plan.lanes), Contents(network, plan)
        return cls(short(contents.structure), short(contents.digest(network)), not plan.empty,
                   contents.bytes, layout.features, layout.bits, layout.signed, layout.classes,
                   layout.score_bytes)

    def to_bytes(self) -> bytes:
        """Payload of the reply, :data:`IDENTITY_BYTES` long."""
        return (bytes([self.version]) + self.structure + self.contents + bytes([self.complete])
                + self.size.to_bytes(OFFSET_BYTES, "little") + self.features.to_bytes(2, "little")
                + bytes([self.bits | self.signed << 7]) + self.classes.to_bytes(2, "little")
                + bytes([self.score_bytes]))

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """The inverse of :meth:`to_bytes`.

        Raises
        ------
        ValueError
            If the payload has another length or tells another version.
        """
        if payload and payload[0] != VERSION:
            raise ValueError(f"the device speaks version {payload[0]} of the protocol, this "
                             f"program version {VERSION}")
        if len(payload) != IDENTITY_BYTES:
            raise ValueError(f"An identity must have {IDENTITY_BYTES} bytes, not {len(payload)}")
        return cls(payload[1:9], payload[9:17], bool(payload[17]),
                   int.from_bytes(payload[18:22], "little"),
                   int.from_bytes(payload[22:24], "little"), payload[24] & 0x7F,
                   bool(payload[24] >> 7), int.from_bytes(payload[25:27], "little"), payload[27])


def load_payloads(image: bytes, size: int = LOAD_BYTES) -> list[bytes]:
    """Payloads of the LOAD requests that write contents, ``size`` bytes each, in their order."""
    return [start.to_bytes(OFFSET_BYTES, "little") + image[start : start + size]
            for start in range(0, len(image), size)]


def commit_payload(image: bytes, digest: bytes) -> bytes:
    """Payload of the COMMIT request that ends the writing of contents.

    Parameters
    ----------
    image : bytes
        All that was written.
    digest : bytes
        That the device is to tell from then on, :data:`DIGEST_BYTES` long.
    """
    return (len(image).to_bytes(OFFSET_BYTES, "little")
            + binascii.crc32(image).to_bytes(OFFSET_BYTES, "little") + digest)


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


def decode_reply(packet: bytes) -> Reply:
    """Read one reply, which must be whole.

    Raises
    ------
    ValueError
        If it is damaged in any way.
    """
    if len(packet) < OVERHEAD:
        raise ValueError(f"Reply must have at least {OVERHEAD} bytes, not {len(packet)}")
    if packet[:2] != SYNC_REPLY:
        raise ValueError(f"Reply must begin with {SYNC_REPLY.hex()}, not {packet[:2].hex()}")
    length = int.from_bytes(packet[4:6], "little")
    if len(packet) != OVERHEAD + length:
        raise ValueError(f"Reply must have {OVERHEAD + length} bytes, not {len(packet)}")
    body, check = packet[2:-2], int.from_bytes(packet[-2:], "big")
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
        replies: list[Reply] = []
        while True:
            start = self._pending.find(SYNC_REPLY)
            if start < 0:
                # The last byte may be the first of the next packet.
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
