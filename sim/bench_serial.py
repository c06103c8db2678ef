"""Bench of the board's design behind a serial line. Runs inside the simulator; sim/run.py starts
it.

Results are written to a file and judged outside, by the golden evaluator; here the replies are
judged: one result a request, the right error code for a damaged one, silence after garbage.
"""

import json
import os
import random
import time
from collections import deque
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import Timer, ValueChange

from bitwright.hw.link.protocol import (
    HEADER_BYTES,
    LOAD_BYTES,
    OFFSET_BYTES,
    SYNC_REQUEST,
    ErrorCode,
    Identity,
    ReplyType,
    Request,
    commit_payload,
    encode_request,
    load_payloads,
)
from bitwright.sim.job import BEAT, Progress, SerialJob, SerialOutcome
from bitwright.sim.uart import LineError, SerialLine

QUEUE = 4
"""Requests that a host may send before it has a reply."""

"""Bytes of a request before its payload."""


@cocotb.test()
async def serial(dut):
    """Intact requests get their result, damaged ones an error code, whatever goes on between."""
    job = SerialJob(**json.loads(Path(os.environ["BITWRIGHT_JOB"]).read_text(encoding="utf-8")))
    outcome = SerialOutcome()
    start = time.monotonic()
    await Timer(1, "step")  # registers get their start values at time 0, before or after this
    try:
        await _Bench(dut, job, outcome).run()
    except LineError as error:
        outcome.error = str(error)
        raise
    finally:
        outcome.seconds = time.monotonic() - start
        outcome.cycles = int(dut.cycles.value)
        Path(job.outcome).write_text(json.dumps(vars(outcome)), encoding="utf-8")


class _Bench:
    def __init__(self, dut, job: SerialJob, outcome: SerialOutcome) -> None:
        self._dut = dut
        self._job = job
        self._outcome = outcome
        self._random = random.Random(job.seed)
        self._line = SerialLine(dut, job.bit_ps, self._random.uniform(-job.skew, job.skew))
        self._samples = np.load(job.samples, mmap_mode="r")
        self._todo = deque(range(len(self._samples)))
        self._progress = Progress(job.progress)
        self._sequence = self._random.randrange(256)
        self._reset_go = 0
        self._identity = bytes.fromhex(job.identity)
        # Silence that ends an unfinished packet, and time enough for a reply after that.
        self._silence = job.timeout * job.period_ps
        self._limit = (self._silence + job.latency * job.period_ps
                       + QUEUE * job.reply_bytes * self._line.byte_ps * 2)

    async def run(self) -> None:
        cocotb.start_soon(self._live())
        await ValueChange(self._dut.resets)
        await self._identify()
        if not Identity.from_bytes(self._identity).complete:
            await self._line.send(self._request())
            await self._refused(ErrorCode.EMPTY, self._sequence)
        if self._job.image is not None:
            await self._load(Path(self._job.image).read_bytes())
        events = [*self._damages(), *[self._reset] * self._job.resets]
        self._random.shuffle(events)
        # Between which samples, counted from the end, each event comes.
        places = sorted(self._random.randint(0, len(self._samples)) for _ in events)
        while self._todo or events:
            while events and places[-1] >= len(self._todo):
                places.pop()
                await events.pop()()
            if self._todo:
                await self._burst()
        await self._identify()
        await self._line.idle(2 * self._job.reply_bytes * self._line.byte_ps)
        self._line.check_quiet()

    async def _live(self) -> None:
        while True:
            await Timer(round(BEAT * self._job.period_ps), "ps")
            self._progress.update(len(self._outcome.results))

    async def _burst(self) -> None:
        """A few requests without waiting for replies, then all the replies."""
        count = min(self._random.randint(1, QUEUE), len(self._todo))
        samples = [self._todo.popleft() for _ in range(count)]
        for sample in self._replied(await self._send(samples), await self._take(count)):
            # The device was still busy with the one before: ask again, alone.
            sent = await self._send([sample])
            if self._replied(sent, await self._take(1)):
                raise LineError("a request that came alone was answered with BUSY")

    async def _send(self, samples: list[int]) -> list[tuple[int, int]]:
        """Send a request each. Returns the samples with their sequence numbers."""
        sent = []
        for sample in samples:
            request = self._request(sample)
            sent.append((sample, request[3]))
            if sample == self._job.drop:  # a planted fault: the host loses a byte
                request = request[:-1]
            await self._line.send(request)
            if self._random.random() < self._job.gaps:
                await self._line.idle(self._random.uniform(0, 3) * self._line.byte_ps)
        return sent

    async def _take(self, count: int) -> list:
        return [await self._line.reply(self._limit) for _ in range(count)]

    def _replied(self, sent: list[tuple[int, int]], replies: list) -> list[int]:
        """Check the replies to intact requests. Returns the samples to send again."""
        again = []
        for (sample, sequence), reply in zip(sent, replies, strict=True):
            if reply.sequence != sequence:
                raise LineError(f"a reply has sequence number {reply.sequence}, not {sequence}")
            if reply.type == ReplyType.RESULT:
                self._outcome.results.append((sample, int.from_bytes(reply.payload, "little")))
            elif reply.type == ReplyType.ERROR and reply.payload == bytes([ErrorCode.BUSY]):
                self._outcome.busy += 1
                again.append(sample)
            else:
                raise LineError(f"an intact request of sample {sample} was answered with "
                                f"{_named(reply)}")
        return again

    def _damages(self) -> list:
        """The damage to do, every kind about as often."""
        kinds = [self._flipped, self._unstopped, self._cut, self._misfit, self._unknown,
                 self._garbage]
        self._random.shuffle(kinds)
        return [kinds[index % len(kinds)] for index in range(self._job.damaged)]

    async def _flipped(self) -> None:
        """One bit of sequence number, payload or CRC is wrong."""
        request = bytearray(self._request())
        places = [3, *range(HEADER_BYTES, len(request))]
        request[self._random.choice(places)] ^= 1 << self._random.randrange(8)
        await self._line.send(bytes(request))
        await self._refused(ErrorCode.CRC, request[3])

    async def _unstopped(self) -> None:
        """A byte of the payload has no stop bit."""
        request = self._request()
        broken = self._random.randrange(HEADER_BYTES, len(request) - 2)
        await self._line.send(request, broken=broken)
        await self._refused(ErrorCode.FRAMING, request[3])

    async def _cut(self) -> None:
        """The end is missing."""
        request = self._request()
        await self._line.send(request[: self._random.randrange(HEADER_BYTES, len(request))])
        await self._refused(ErrorCode.TIMEOUT, request[3])

    async def _misfit(self) -> None:
        """The payload is one byte short or long, and says so."""
        payload = bytes(self._samples[self._random.randrange(len(self._samples))])
        payload = self._random.choice([payload[:-1], payload + b"\0"])
        await self._line.send(encode_request(Request.INFER, self._next(), payload))
        await self._refused(ErrorCode.LENGTH, self._sequence)

    async def _unknown(self) -> None:
        """A type that there is not."""
        payload = bytes(self._samples[0])
        await self._line.send(encode_request(0x7E, self._next(), payload))
        await self._refused(ErrorCode.TYPE, self._sequence)

    async def _garbage(self) -> None:
        """Bytes between requests, which look like none."""
        data = bytes(byte for byte in self._random.randbytes(12) if byte != SYNC_REQUEST[0])
        await self._line.send(data)
        await self._line.idle(self._line.byte_ps)
        self._line.check_quiet()
        self._outcome.damaged += 1

    async def _refused(self, code: ErrorCode, sequence: int) -> None:
        reply = await self._line.reply(self._limit)
        self._outcome.damaged += 1
        if reply.type != ReplyType.ERROR or reply.payload != bytes([code]):
            raise LineError(f"a damaged request was answered with {_named(reply)}, not with error "
                            f"{code.name}")
        if reply.sequence != sequence:
            raise LineError(f"an error has sequence number {reply.sequence}, not {sequence}")

    async def _identify(self) -> None:
        await self._line.send(encode_request(Request.IDENTIFY, self._next()))
        reply = await self._line.reply(self._limit)
        if reply.type != ReplyType.IDENTITY or reply.payload != self._identity:
            raise LineError(f"the device says that it is {_named(reply)}, not "
                            f"{self._identity.hex()}")

    async def _load(self, image: bytes) -> None:
        """Write contents, first up to somewhere and broken off in the middle of a packet: until all
        are there and checked there is no answer but an error."""
        # At least three requests, so that there is a middle.
        size = min(LOAD_BYTES, max(1, len(image) // 3))
        payloads = load_payloads(image, size)
        stop = self._random.randrange(1, len(payloads))
        await self._write(payloads[:stop])
        request = encode_request(Request.LOAD, self._next(), payloads[stop])
        await self._line.send(request[: self._random.randrange(HEADER_BYTES, len(request))])
        await self._refused(ErrorCode.TIMEOUT, request[3])
        if self._job.resets:
            await self._reset()
        await self._line.send(self._request())
        await self._refused(ErrorCode.EMPTY, self._sequence)
        await self._incomplete()
        done = await self._write(payloads)
        loaded = bytes.fromhex(self._job.loaded)
        digest = Identity.from_bytes(loaded).contents
        await self._line.send(encode_request(Request.COMMIT, self._next(),
                                             commit_payload(image, digest)))
        await self._written(ReplyType.COMMITTED, done)
        self._identity = loaded
        self._outcome.loaded = done
        await self._identify()

    async def _write(self, payloads: list[bytes]) -> int:
        """Write contents from their beginning. Returns how many bytes are written."""
        done = 0
        for payload in payloads:
            done = int.from_bytes(payload[:OFFSET_BYTES], "little") + len(payload) - OFFSET_BYTES
            await self._line.send(encode_request(Request.LOAD, self._next(), payload))
            await self._written(ReplyType.LOADED, done)
        return done

    async def _written(self, kind: ReplyType, done: int) -> None:
        reply = await self._line.reply(self._limit)
        if (reply.type, reply.sequence, int.from_bytes(reply.payload, "little")) != (
                kind, self._sequence, done):
            raise LineError(f"contents up to byte {done} were answered with {_named(reply)}")

    async def _incomplete(self) -> None:
        """See that the device says that it has no contents."""
        await self._line.send(encode_request(Request.IDENTIFY, self._next()))
        reply = await self._line.reply(self._limit)
        if (reply.type != ReplyType.IDENTITY or Identity.from_bytes(reply.payload).complete):
            raise LineError(f"the device says that it is {_named(reply)} in the middle of a load")

    async def _reset(self) -> None:
        """Reset in the middle of a request, or while the reply to it is under way."""
        request = self._request()
        sent = self._random.randint(1, len(request))
        await self._line.send(request[:sent])
        if sent == len(request):
            await self._line.idle(self._random.uniform(0, self._job.reply_bytes)
                                  * self._line.byte_ps)
        self._reset_go ^= 1
        self._dut.reset_go.value = self._reset_go
        await ValueChange(self._dut.resets)
        await self._line.idle(2 * self._line.byte_ps)
        self._line.forget()
        self._outcome.resets += 1
        # What the device held is lost: if not, this finds it.
        await Timer(round(self._job.reply_bytes * self._line.byte_ps), "ps")
        self._line.check_quiet()

    def _request(self, sample: int | None = None) -> bytes:
        if sample is None:
            sample = self._random.randrange(len(self._samples))
        return encode_request(Request.INFER, self._next(), bytes(self._samples[sample]))

    def _next(self) -> int:
        self._sequence = self._sequence + 1 & 0xFF
        return self._sequence


def _named(reply) -> str:
    if reply.type == ReplyType.ERROR and len(reply.payload) == 1:
        known = {code.value: code.name for code in ErrorCode}
        return f"error {known.get(reply.payload[0], reply.payload[0])}"
    return f"{reply.type.name} {reply.payload.hex()}"
