"""A device that is no hardware: the protocol, and answers of the golden evaluator."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.hw.contents import Contents, ContentsError
from bitwright.hw.image import read_image
from bitwright.hw.layout import Layout
from bitwright.hw.link import protocol
from bitwright.hw.link.protocol import ErrorCode, Identity, Reply, ReplyType, Request
from bitwright.hw.plan import Plan

__all__ = ["Device", "EmulatedPort", "Emulator"]


class Device(Protocol):
    """What an emulated line speaks to."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes that follow each other without a pause. Returns the replies to them."""

    def silence(self) -> bytes:
        """Nothing was received for the timeout. Returns the replies that waited for that."""

    def damage(self) -> bytes:
        """A byte without a stop bit was received. Returns the replies to it, if any."""


@dataclass
class _Packet:
    """What was received of a request."""

    type: int = 0
    sequence: int = 0
    length: int = 0
    body: bytes = b""  # from the type on
    left: int = 0  # bytes that are to come of payload and CRC


class Emulator:
    """A device as docs/link.md specifies, whose network takes no time: it is never BUSY.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
        Which contents can be written, and whether frames end early.

    Raises
    ------
    PlanError
        As of :class:`hw.contents.Contents`.
    """

    def __init__(self, network: ir.Network, plan: Plan | None = None) -> None:
        plan = Plan() if plan is None else plan
        self._network, self._plan = network, plan
        self._layout = Layout.of(network)
        self._contents = Contents(network, plan)
        self.identity = Identity.of(network, plan)
        """What it says about itself at present."""
        self._image = b""  # what was written since offset 0
        self._lengths = {Request.INFER: (self._layout.sample_bytes,) * 2,
                         Request.IDENTIFY: (0, 0)}
        if self.identity.size:
            self._lengths |= {
                Request.LOAD: (protocol.OFFSET_BYTES + 1,
                               protocol.OFFSET_BYTES + protocol.LOAD_BYTES),
                Request.COMMIT: (protocol.COMMIT_BYTES,) * 2}
        self._state = self._hunt
        self._packet = _Packet()
        self._code = ErrorCode.CRC  # told when what is thrown away is over
        self._replies: list[Reply | None] = []  # None for a sample that is not evaluated yet
        self._samples: list[tuple[int, bytes]] = []  # number and payload of each of those

    def receive(self, data: bytes) -> bytes:
        at = 0
        while at < len(data):
            packet = self._packet
            if packet.left:  # many bytes, so that they are not taken singly
                taken = data[at : at + packet.left]
                packet.body += taken
                packet.left -= len(taken)
                at += len(taken)
                if not packet.left:
                    self._judge()
            else:
                self._state(data[at])
                at += 1
        return self._answers()

    def silence(self) -> bytes:
        self._packet.left = 0
        if self._state == self._drain:
            self._error(self._code)
        elif self._state not in (self._hunt, self._sync):
            self._error(ErrorCode.TIMEOUT)
        self._state = self._hunt
        return self._answers()

    def damage(self) -> bytes:
        if self._state == self._sync:
            self._state = self._hunt
        elif self._state not in (self._hunt, self._drain):
            self._code, self._state = ErrorCode.FRAMING, self._drain
            self._packet.left = 0
        return self._answers()

    def _answers(self) -> bytes:
        """Bytes of the replies so far. All samples are evaluated together, which is quicker."""
        self._evaluate()
        replies = b"".join(protocol.encode_reply(reply) for reply in self._replies if reply)
        self._replies.clear()
        return replies

    def _evaluate(self) -> None:
        if not self._samples:
            return
        features = np.stack([self._features(payload) for _, payload in self._samples])
        result = self._plan.evaluate(self._network, features)
        found = iter([Reply(ReplyType.RESULT, sequence, self._layout.pack_result(decision, scores))
                      for (sequence, _), decision, scores in
                      zip(self._samples, result.decision.tolist(), result.scores.tolist(),
                          strict=True)])
        self._replies = [next(found) if reply is None else reply for reply in self._replies]
        self._samples.clear()

    def _features(self, payload: bytes) -> NDArray[np.int64]:
        """Features of a sample. A device looks at the bits that a feature has, and no others."""
        bits = self._layout.bits
        words = np.frombuffer(payload, f"<u{self._layout.feature_bytes}").astype(np.int64)
        words &= (1 << bits) - 1
        return words - (words >> bits - 1 << bits) if self._layout.signed else words

    def _error(self, code: ErrorCode) -> None:
        self._replies.append(Reply(ReplyType.ERROR, self._packet.sequence, bytes([code])))

    # The states of the receiver, each of which takes a byte.

    def _hunt(self, byte: int) -> None:
        if byte == protocol.SYNC_REQUEST[0]:
            self._state = self._sync
            self._packet = _Packet()

    def _sync(self, byte: int) -> None:
        if byte == protocol.SYNC_REQUEST[1]:
            self._state = self._type
        elif byte != protocol.SYNC_REQUEST[0]:
            self._state = self._hunt

    def _type(self, byte: int) -> None:
        self._packet.type = byte
        self._state = self._sequence

    def _sequence(self, byte: int) -> None:
        self._packet.sequence = byte
        self._state = self._length_low

    def _length_low(self, byte: int) -> None:
        self._packet.length = byte
        self._state = self._length_high

    def _length_high(self, byte: int) -> None:
        packet = self._packet
        packet.length |= byte << 8
        packet.body = bytes([packet.type, packet.sequence, packet.length & 0xFF, byte])
        packet.left = packet.length + protocol.OVERHEAD - protocol.HEADER_BYTES
        self._state = self._inside

    def _inside(self, byte: int) -> None:
        """Payload and CRC, which :meth:`receive` takes."""

    def _judge(self) -> None:
        """A packet is whole."""
        packet = self._packet
        right = protocol.crc(packet.body) == 0  # over itself, too
        fewest, most = self._lengths.get(packet.type, (1, 0))
        if fewest <= packet.length <= most:
            self._state = self._hunt
            if right:
                self._follow(packet)
            else:
                self._error(ErrorCode.CRC)
            return
        known = packet.type in self._lengths
        self._code = (ErrorCode.CRC if not right else
                      ErrorCode.LENGTH if known else ErrorCode.TYPE)
        self._state = self._drain

    def _drain(self, byte: int) -> None:
        """Thrown away, until the line is silent."""

    # What the requests ask for.

    def _follow(self, packet: _Packet) -> None:
        payload = packet.body[4:-2]
        if packet.type == Request.INFER and self.identity.complete:
            self._replies.append(None)
            self._samples.append((packet.sequence, payload))
            return
        done = {Request.IDENTIFY: self._identify, Request.INFER: self._empty,
                Request.LOAD: self._load, Request.COMMIT: self._commit}[packet.type](payload)
        if isinstance(done, ErrorCode):
            self._error(done)
        else:
            self._replies.append(Reply(ReplyType(packet.type | 0x80), packet.sequence, done))

    def _identify(self, payload: bytes) -> bytes:
        return self.identity.to_bytes()

    def _empty(self, payload: bytes) -> ErrorCode:
        return ErrorCode.EMPTY

    def _load(self, payload: bytes) -> bytes | ErrorCode:
        self._evaluate()  # what came before is answered by the contents before
        start = protocol.OFFSET_BYTES
        offset = int.from_bytes(payload[:start], "little")
        if offset == 0:
            self._image = b""
            self.identity = dataclasses.replace(self.identity, complete=False)
        elif offset != len(self._image):
            return ErrorCode.OFFSET
        image = self._image + payload[start:]
        self._image = image[: self.identity.size]
        return ErrorCode.OFFSET if image != self._image else self._written()

    def _commit(self, payload: bytes) -> bytes | ErrorCode:
        digest = payload[-protocol.DIGEST_BYTES :]
        if (len(self._image) != self.identity.size
                or payload != protocol.commit_payload(self._image, digest)):
            return ErrorCode.CHECK
        try:
            self._network = read_image(self._contents, self._image)
        except ContentsError:  # hardware would compute something that no network does
            return ErrorCode.CHECK
        self.identity = dataclasses.replace(self.identity, contents=digest, complete=True)
        return self._written()

    def _written(self) -> bytes:
        return len(self._image).to_bytes(protocol.OFFSET_BYTES, "little")


class EmulatedPort:
    """A device in place of an open serial port, in the same process.

    Its line is silent whenever its host waits for something and there is nothing to come.

    Parameters
    ----------
    device : Device
    """

    timeout: float | None = None
    baudrate = 1_000_000

    def __init__(self, device: Device) -> None:
        self._device = device
        self._pending = bytearray()

    @property
    def in_waiting(self) -> int:
        return len(self._pending)

    def write(self, data: bytes, /) -> int:
        self._pending += self._device.receive(data)
        return len(data)

    def read(self, size: int = 1) -> bytes:
        if not self._pending:
            self._pending += self._device.silence()
        if not self._pending:
            time.sleep(min(self.timeout or 0, 0.001))
        found = bytes(self._pending[:size])
        del self._pending[:size]
        return found
