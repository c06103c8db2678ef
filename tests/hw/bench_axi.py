"""Asks a block through the AXI4-Stream client of cocotbext-axi. Runs inside the simulator."""

import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource


@cocotb.test()
async def ask(dut):
    """Samples, or lines of video, go in as frames of bytes, and results come out as such, with
    pauses on both sides."""
    job = json.loads(Path(os.environ["AXI_JOB"]).read_text(encoding="utf-8"))
    clock, reset = getattr(dut, job["clock"]), getattr(dut, job["reset"])
    active = 0 if job["active_low"] else 1
    noise = random.Random(job["seed"])
    reset.value = active
    cocotb.start_soon(Clock(clock, 2, unit="step").start())
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), clock, reset, bool(active))
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), clock, reset, bool(active))
    if job["writable"]:
        dut.s_load_axis_tvalid.value = 0
    for side in (source, sink):
        side.set_pause_generator(_pauses(noise.randrange(1 << 30), job["stall"]))
    await ClockCycles(clock, 3)
    reset.value = 1 - active
    found = []
    for text, user in job["frames"]:
        content = bytes.fromhex(text)
        # The client has a value a byte, of which the beat gets that of its last one.
        source.send_nowait(AxiStreamFrame(content, tuser=[user] * source.byte_lanes
                                          + [0] * (len(content) - source.byte_lanes)))
    for _ in range(job["results"]):
        frame = await sink.recv()
        found.append(bytes(frame.tdata).hex())
    Path(job["outcome"]).write_text(json.dumps(found), encoding="utf-8")


def _pauses(seed, stall):
    noise = random.Random(seed)
    while True:
        yield noise.random() < stall
