"""Bench of the AXI4-Stream design. Runs inside the simulator; sim/run.py starts it.

What came out is written to a file and judged outside, by the golden evaluator; here only the
transport is judged: one result a packet, none for a malformed packet or after a reset, and the
protocol.
"""

import json
import os
import random
import time
from collections import deque
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import Timer

from bitwright.sim.job import BEAT, Progress, StreamJob, StreamOutcome
from bitwright.sim.stream import PERIOD_NS, Stream, StreamError


@cocotb.test()
async def stream(dut):
    """Every sample gives one result, whatever stalls, resets and malformed packets surround it."""
    job = StreamJob(**json.loads(Path(os.environ["BITWRIGHT_JOB"]).read_text(encoding="utf-8")))
    outcome = StreamOutcome()
    bench = _Bench(dut, job, outcome)
    start = time.monotonic()
    await Timer(1, "step")  # registers get their start values at time 0, before or after this
    try:
        await bench.run()
    except _Enough:
        pass
    except StreamError as error:
        # Whatever came of it, a broken protocol is the cause.
        outcome.error = bench.stream.violation or str(error)
        raise
    finally:
        outcome.order = [*bench.order, bench.sent]
        outcome.seconds = time.monotonic() - start
        outcome.cycles = bench.stream.cycles
        outcome.sample_errors = bench.stream.sample_errors
        Path(job.outcome).write_text(json.dumps(vars(outcome)), encoding="utf-8")


class _Enough(Exception):
    """The sample that was waited for has been answered."""


class _Bench:
    def __init__(self, dut, job: StreamJob, outcome: StreamOutcome) -> None:
        self.stream = Stream(dut, beats=job.beats, out_width=job.out_width,
                             idle_limit=job.idle_limit)
        self._job = job
        self._outcome = outcome
        self._random = random.Random(job.seed)
        self._packets = np.load(job.packets, mmap_mode="r")
        self._progress = Progress(job.progress)
        count = len(self._packets)
        self._todo = deque(range(count))
        self._malformed_before = set(self._random.sample(range(count), min(job.malformed, count)))
        self.sent: list[int] = []  # samples since the last reset
        self.order: list[list[int]] = []  # the same, before each reset
        self._answered = 0  # of those sent
        self._malformed = 0  # packets since the last reset

    async def run(self) -> None:
        job = self._job
        cocotb.start_soon(self._live())
        await self.stream.start(seed=job.seed, stall_in=job.stall_in, stall_out=job.stall_out)
        share = max(1, 2 * len(self._packets) // (job.resets + 1))
        for _ in range(job.resets):
            await self._aborted(self._random.randint(1, share))
        before = self.stream.sample_errors
        await self._complete()
        pulses = self.stream.sample_errors - before
        if pulses != self._malformed:
            raise StreamError(f"{self._malformed} malformed packets gave {pulses} cycles of "
                              "sample_error")
        if self.stream.violation is not None:
            raise StreamError(self.stream.violation)

    async def _live(self) -> None:
        while True:
            await Timer(BEAT * PERIOD_NS, "ns")
            self._progress.update(len(self._outcome.results))

    async def _aborted(self, samples: int) -> None:
        """Send up to that many samples, and reset at some moment soon after."""
        before = self.stream.sample_errors
        samples = min(samples, len(self._todo))
        collector = cocotb.start_soon(self._collect())
        for _ in range(samples):
            await self._send()
        reset = cocotb.start_soon(self.stream.reset(self._random.randrange(self._job.window)))
        feeder = cocotb.start_soon(self._feed())
        await reset
        feeder.cancel()
        collector.cancel()
        while self.stream.waiting:
            await self._receive()
        if self.stream.sample_errors - before > self._malformed:
            raise StreamError(f"{self._malformed} malformed packets gave "
                              f"{self.stream.sample_errors - before} cycles of sample_error")
        self._outcome.resets += 1
        # The lost samples go last, so that another sample's answer would be noticed.
        self._todo.extend(self.sent[self._answered:])
        self._begin()

    async def _complete(self) -> None:
        """Send all that is left, and take every answer."""
        if self._job.malformed:
            await self._send_malformed()
        feeder = cocotb.start_soon(self._feed())
        while self._todo or self._answered < len(self.sent):
            await self._receive()
        await feeder
        if self._job.malformed:
            await self._send_malformed()
        await self.stream.drain(self._job.drain)

    def _begin(self) -> None:
        self.order.append(self.sent)
        self.sent, self._answered, self._malformed = [], 0, 0

    async def _feed(self) -> None:
        while self._todo:
            await self._send()

    async def _send(self) -> None:
        sample = self._todo[0]
        if sample in self._malformed_before:
            self._malformed_before.discard(sample)
            await self._send_malformed()
        self.sent.append(self._todo.popleft())
        await self.stream.send(self._packet(sample), self._beats(sample))

    async def _send_malformed(self) -> None:
        """Send a packet that ends too early or too late."""
        beats = self._job.beats
        choices = [*range(1, beats), *range(beats + 1, 2 * beats + 2)]
        self._malformed += 1
        self._outcome.malformed += 1
        sample = self._random.randrange(len(self._packets))
        await self.stream.send(self._packet(sample), self._random.choice(choices))

    def _packet(self, sample: int) -> int:
        return int.from_bytes(self._packets[sample].tobytes(), "little")

    def _beats(self, sample: int) -> int:
        # A planted fault: the driver loses the last beat of a sample.
        return self._job.beats - (sample == self._job.drop)

    async def _collect(self) -> None:
        try:
            while True:
                await self._receive()
        except StreamError as error:
            # No one awaits a task that is to be cancelled.
            self._outcome.error = self.stream.violation or str(error)
            raise

    async def _receive(self) -> None:
        transfer = await self.stream.receive()
        if self._answered == len(self.sent):
            raise StreamError("a result came without a packet")
        if not transfer.last:
            raise StreamError("m_axis_tlast is low on a result")
        sample = self.sent[self._answered]
        self._answered += 1
        self._outcome.results.append((sample, transfer.word))
        if sample == self._job.until:
            raise _Enough
