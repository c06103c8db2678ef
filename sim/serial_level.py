"""Levels board, placed and routed: a design behind a modelled serial line."""

import dataclasses
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import boards, ir
from bitwright.hw.contents import Contents
from bitwright.hw.layout import Layout
from bitwright.hw.link.protocol import OVERHEAD, Identity, short
from bitwright.sim import design
from bitwright.sim.job import SerialJob
from bitwright.sim.names import BUILT
from bitwright.sim.options import Options
from bitwright.sim.placed import Clocking
from bitwright.sim.process import run_bench
from bitwright.sim.simulator import FAST_CYCLES, Design, Simulator
from bitwright.sim.stream_level import explain, judge, pack
from bitwright.sim.verdict import Verdict

__all__ = ["run_serial"]

logger = logging.getLogger(__name__)

BITS = 10
"""Of a byte on the line, with start and stop."""

SKEW = 0.015
"""By how much the modelled host's clock may be off, either way."""


@dataclass(frozen=True)
class _Target:
    """What is compiled, and what the bench must know of it: see :class:`sim.job.SerialJob`."""

    source: Design
    clocking: Clocking
    bit_ps: float
    timeout: int
    latency: int


def run_serial(network: ir.Network, features: NDArray[np.int32], options: Options,
               simulator: Simulator, verdict: Verdict, folder: Path) -> None:
    """Simulate, and write what was found into the verdict. As
    :func:`sim.stream_level.run_stream`."""
    layout = options.plan.layout(network)
    started = time.monotonic()
    make = _placed if options.level in BUILT else _board
    target = make(network, layout, len(features), options, verdict)
    identity = Identity.of(options.frozen or network, options.plan)
    model = simulator.build(target.source, options.out, logger.info)
    verdict.cached = model.cached
    verdict.compile_seconds = time.monotonic() - started
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "samples.npy", pack(layout, features)[:, : layout.sample_bytes])
    resets = 0 if options.level in BUILT else options.resets
    job = SerialJob(
        samples=str(folder / "samples.npy"), reply_bytes=OVERHEAD + layout.result_bytes,
        identity=identity.to_bytes().hex(),
        period_ps=target.clocking.period_ps, bit_ps=target.bit_ps, timeout=target.timeout,
        latency=2 * (target.latency + 8 * layout.sample_bytes) + 1000, skew=SKEW,
        gaps=options.stall_in, seed=options.seed, resets=resets,
        damaged=options.malformed, progress=str(folder / "progress"),
        outcome=str(folder / "outcome.json"), drop=options.faults.drop,
        **_contents(options, identity, folder))
    plusargs = []
    if options.waves:
        verdict.waves = str(folder / "waves.vcd")
        plusargs = [f"+waves={verdict.waves}"]
    outcome = run_bench(model, "bitwright.sim.bench_serial", vars(job), folder,
                        total=len(features), title=f"{options.level}: {len(features):,} vectors",
                        plusargs=plusargs, seed=options.seed)
    verdict.cycles = round(outcome["cycles"] * target.clocking.ratio)
    verdict.run_seconds = outcome["seconds"]
    verdict.resets, verdict.damaged = outcome["resets"], outcome["damaged"]
    verdict.loaded = outcome["loaded"]
    if options.contents is not None:
        network = options.contents
    wrong = judge(network, features, options.plan, outcome, verdict)
    if wrong is not None:
        explain(network, features, layout, options, simulator, folder, wrong, verdict, "payload")
        if outcome["error"]:
            verdict.notes.append(outcome["error"])


def _board(network: ir.Network, layout: Layout, vectors: int, options: Options,
           verdict: Verdict) -> _Target:
    """The board's design as it is generated."""
    built, frozen = options.faults.built or network, options.frozen or network
    board = boards.get(options.board)
    verdict.board = board.name
    made = design.serial(built, options.plan, options.out, clock_hz=board.clock_hz,
                         baud=options.baud or board.baud, frozen=frozen)
    source = design.serial_design(_edited(made.text, options), waves=options.waves,
                                  fast=_fast(layout, vectors, made.cycles))
    clocking = Clocking()
    return _Target(source, clocking, made.cycles * clocking.period_ps, made.timeout, made.latency)


def _placed(network: ir.Network, layout: Layout, vectors: int, options: Options,
            verdict: Verdict) -> _Target:
    """The netlist of a build, as it was placed or routed."""
    build = options.placed
    assert build is not None, "these levels go with a build"
    verdict.board, verdict.netlist = build.board, build.digest
    line = build.line(network, options.frozen or network)
    source = design.serial_design(_edited(build.simulated, options), placed=build,
                                  waves=options.waves, fast=_fast(layout, vectors, line.cycles))
    clocking = build.clocking
    # Where the harness has the oscillator's real clock, the host has the real rate: the design's
    # may be a little off.
    bit_ps = 1e12 / build.baud if clocking.pll else line.cycles * clocking.period_ps
    return _Target(source, clocking, bit_ps, line.timeout, line.latency)


def _contents(options: Options, identity: Identity, folder: Path) -> dict[str, str]:
    """Fields of the job that say what is written over the line first."""
    network = options.contents
    if network is None and options.plan.empty:  # the design does not bring along its own
        network = options.frozen
    if network is None:
        return {}
    assert options.frozen is not None, "contents go into the structure of a frozen network"
    contents = Contents(options.frozen, options.plan)
    image = contents.image(options.faults.built or network if options.plan.empty else network)
    (folder / "image").write_bytes(image)
    loaded = dataclasses.replace(identity, contents=short(contents.digest(network)), complete=True)
    return {"image": str(folder / "image"), "loaded": loaded.to_bytes().hex()}


def _edited(text: str, options: Options) -> str:
    return text if options.faults.edit is None else options.faults.edit(text)


def _fast(layout: Layout, vectors: int, cycles: int) -> bool:
    """Whether so many requests take long enough to compile with more effort."""
    return vectors * (OVERHEAD + layout.sample_bytes) * BITS * cycles > FAST_CYCLES
