"""Level board: the board's design behind a modelled serial line."""

import logging
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import boards, ir
from bitwright.hw.layout import Layout
from bitwright.hw.link.protocol import OVERHEAD, Identity
from bitwright.sim import design
from bitwright.sim.job import SerialJob
from bitwright.sim.options import Options
from bitwright.sim.process import run_bench
from bitwright.sim.simulator import FAST_CYCLES, Simulator
from bitwright.sim.stream_level import explain, judge, pack
from bitwright.sim.verdict import Verdict

__all__ = ["run_serial"]

logger = logging.getLogger(__name__)

BITS = 10
"""Of a byte on the line, with start and stop."""

SKEW = 0.015
"""By how much the modelled host's clock may be off, either way."""


def run_serial(network: ir.Network, features: NDArray[np.int32], options: Options,
               simulator: Simulator, verdict: Verdict, folder: Path) -> None:
    """Simulate, and write what was found into the verdict. As
    :func:`sim.stream_level.run_stream`."""
    built, frozen = options.faults.built or network, options.frozen or network
    board = boards.get(options.board)
    verdict.board = board.name
    layout = Layout.of(network, options.plan.lanes)
    started = time.monotonic()
    made = design.serial(built, options.plan, options.out, clock_hz=board.clock_hz,
                         baud=options.baud or board.baud, frozen=frozen)
    text = made.text if options.faults.edit is None else options.faults.edit(made.text)
    request_bytes = OVERHEAD + layout.sample_bytes
    cycles = len(features) * request_bytes * BITS * made.cycles
    source = design.serial_design(text, waves=options.waves, fast=cycles > FAST_CYCLES)
    model = simulator.build(source, options.out, logger.info)
    verdict.cached = model.cached
    verdict.compile_seconds = time.monotonic() - started
    folder.mkdir(parents=True, exist_ok=True)
    payload = pack(layout, features)[:, : layout.sample_bytes]
    np.save(folder / "samples.npy", payload)
    job = SerialJob(
        samples=str(folder / "samples.npy"), reply_bytes=OVERHEAD + layout.result_bytes,
        identity=Identity.of(frozen, options.plan).to_bytes().hex(), cycles=made.cycles,
        timeout=made.timeout,
        latency=2 * (made.latency + 8 * layout.sample_bytes) + 1000, skew=SKEW,
        gaps=options.stall_in, seed=options.seed, resets=options.resets,
        damaged=options.malformed, progress=str(folder / "progress"),
        outcome=str(folder / "outcome.json"), drop=options.faults.drop)
    plusargs = []
    if options.waves:
        verdict.waves = str(folder / "waves.vcd")
        plusargs = [f"+waves={verdict.waves}"]
    outcome = run_bench(model, "bitwright.sim.bench_serial", vars(job), folder, total=len(features),
                        title=f"board: {len(features):,} vectors", plusargs=plusargs)
    verdict.cycles, verdict.run_seconds = outcome["cycles"], outcome["seconds"]
    verdict.resets, verdict.damaged = outcome["resets"], outcome["damaged"]
    wrong = judge(network, features, layout, outcome, verdict)
    if wrong is not None:
        explain(network, features, layout, options, simulator, folder, wrong, verdict, "payload")
        if outcome["error"]:
            verdict.notes.append(outcome["error"])
