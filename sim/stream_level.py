"""Levels rtl and netlist: the AXI4-Stream design against the golden evaluator."""

import logging
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.hw.contents import Contents
from bitwright.hw.flow import synth
from bitwright.hw.interface import Video
from bitwright.hw.layout import Layout
from bitwright.hw.pictures import video
from bitwright.hw.plan import VIDEO, Plan
from bitwright.sim import design
from bitwright.sim.job import StreamJob
from bitwright.sim.locate import locate
from bitwright.sim.options import Options
from bitwright.sim.process import run_bench
from bitwright.sim.simulator import FAST_CYCLES, Design, Simulator
from bitwright.sim.verdict import Difference, Verdict

__all__ = ["explain", "judge", "pack", "run_stream"]

logger = logging.getLogger(__name__)

def run_stream(network: ir.Network, features: NDArray[np.int32], options: Options,
               simulator: Simulator, verdict: Verdict, folder: Path) -> None:
    """Simulate, and write what was found into the verdict.

    Parameters
    ----------
    network : ir.Network
        Whose hardware it is; simplified or not, as it is to be built.
    features : array, shape (vectors, features)
    folder : Path
        For the files of this run.

    Raises
    ------
    ToolError, SimulatorError
        One line each, which a user can act on.
    """
    built = options.faults.built or network
    layout = options.plan.layout(network)
    started = time.monotonic()
    made = design.rtl(built, options.plan, options.out, options.naming)
    cycles = int(len(features) * made.interval / (1 - max(options.stall_in, options.stall_out)))
    image = _image(built, options.plan)
    source = _source(made.text, layout, options, video(built, options.plan), image,
                     fast=cycles > FAST_CYCLES)
    model = simulator.build(source, options.out, logger.info)
    verdict.cached = model.cached
    verdict.compile_seconds = time.monotonic() - started
    job = _job(layout, made, features, options, folder)
    plusargs = _written(image, folder)
    if options.waves:
        verdict.waves = str(folder / "waves.vcd")
        plusargs.append(f"+waves={verdict.waves}")
    outcome = run_bench(
        model, "bitwright.sim.bench_stream", vars(job), folder, total=len(features),
        title=f"{options.level}: {len(features):,} vectors", plusargs=plusargs, seed=options.seed)
    verdict.cycles, verdict.run_seconds = outcome["cycles"], outcome["seconds"]
    verdict.resets, verdict.malformed = outcome["resets"], outcome["malformed"]
    first = judge(network, features, options.plan, outcome, verdict)
    if first is None:
        return
    explain(network, features, layout, options, simulator, folder, first, verdict, "m_axis_tdata")
    if outcome["error"]:
        verdict.notes.append(outcome["error"])


def explain(network: ir.Network, features: NDArray[np.int32], layout: Layout, options: Options,
            simulator: Simulator, folder: Path, wrong: tuple[int, int, int], verdict: Verdict,
            port: str) -> None:
    """Find the first node and bit that differ for a sample whose result is wrong.

    Parameters
    ----------
    wrong : tuple
        Sample, word, expected word.
    port : str
        Where the word came out: named if every node is right.
    """
    sample, got, expected = wrong
    verdict.difference = _located(network, features, layout, options, simulator, folder, sample)
    if verdict.difference is None:
        bit = ((got ^ expected) & -(got ^ expected)).bit_length() - 1
        verdict.difference = Difference(sample, port, None, bit, got >> bit & 1,
                                        expected >> bit & 1)
        verdict.notes.append("every node hands on what it should: the fault is behind them"
                             if options.level == "rtl" else
                             f"in the design before level {options.level} no node has a fault")
    verdict.failure = str(verdict.difference)


def _source(text: str, layout: Layout, options: Options, pictures: Video | None,
            image: bytes, *, fast: bool) -> Design:
    models = None
    if options.level == "netlist":
        logger.info("synthesising for %s", options.family)
        text = design.netlist(text, options.naming.module, options.family, options.out)
        models = synth.cell_models(options.family)
    if options.faults.edit is not None:
        text = options.faults.edit(text)
    return design.stream_design(layout, text, options.naming, models=models,
                                writable=bool(options.plan.writable), image=image,
                                video=pictures, waves=options.waves, fast=fast)


def _image(network: ir.Network, plan: Plan) -> bytes:
    """Contents that a design does not bring along, and that have to be written first."""
    return Contents(network, plan).image(network) if plan.empty else b""


def _written(image: bytes, folder: Path) -> list[str]:
    """Arguments that have such contents written."""
    if not image:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "image.hex").write_text("".join(f"{byte:02x}\n" for byte in image),
                                      encoding="utf-8")
    return [f"+image={folder / 'image.hex'}"]


def _job(layout: Layout, made: design.Generated, features: NDArray[np.int32], options: Options,
         folder: Path) -> StreamJob:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "packets.npy", pack(layout, features))
    slow = 1 / (1 - max(options.stall_in, options.stall_out))
    return StreamJob(
        packets=str(folder / "packets.npy"), beats=layout.beats,
        out_width=8 * layout.result_beat_bytes * layout.result_beats, seed=options.seed,
        stall_in=options.stall_in, stall_out=options.stall_out, resets=options.resets,
        # What is malformed video, the tests of the block say.
        malformed=0 if options.plan.input == VIDEO else options.malformed,
        window=2 * (made.latency + layout.beats),
        idle_limit=int((made.latency + made.interval) * slow * 4) + 1000,
        drain=2 * (made.latency + made.interval) + 64,
        progress=str(folder / "progress"), outcome=str(folder / "outcome.json"),
        drop=options.faults.drop)


def pack(layout: Layout, features: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Bytes of the beats of each sample, shape (vectors, beats * beat_bytes).

    The same as :meth:`hw.layout.Layout.sample`, for all samples at once.
    """
    kind = np.dtype(f"<{'i' if layout.signed else 'u'}{layout.feature_bytes}")
    rows = np.ascontiguousarray(features.astype(kind)).view(np.uint8)
    size = layout.beats // layout.copies * layout.beat_bytes
    packets = np.zeros((len(features), size), np.uint8)
    packets[:, : rows.shape[1]] = rows
    return np.tile(packets, layout.copies)


def judge(network: ir.Network, features: NDArray[np.int32], plan: Plan, outcome: dict,
          verdict: Verdict) -> tuple[int, int, int] | None:
    """Compare every answer. Returns the first wrong one: sample, word, expected word."""
    expected, layout = plan.evaluate(network, features), plan.layout(network)
    words = [int.from_bytes(layout.pack_result(decision, scores), "little")
             for decision, scores in zip(expected.decision.tolist(), expected.scores.tolist(),
                                         strict=True)]
    wrong = [(sample, word, words[sample]) for sample, word in outcome["results"]
             if word != words[sample]]
    answered = {sample for sample, _ in outcome["results"]}
    verdict.mismatches = len(wrong)
    verdict.missing = len(features) - len(answered)
    if wrong:
        return wrong[0]
    if outcome["error"] is not None:
        verdict.failure = outcome["error"]
    elif verdict.missing:
        verdict.failure = f"{verdict.missing} vectors have no result"
    return None


def _located(network: ir.Network, features: NDArray[np.int32], layout: Layout,
             options: Options, simulator: Simulator, folder: Path,
             sample: int) -> Difference | None:
    """Simulate the same again with all nodes in sight, up to the sample that is wrong."""
    logger.info("sample %d is wrong; looking for the first node that differs", sample)
    built = options.faults.built or network
    made = design.tapped(built, options.plan, options.out, options.naming)
    image = _image(built, options.plan)
    source = design.stream_design(layout, made.text, options.naming, taps=made.taps,
                                  writable=bool(options.plan.writable), image=image,
                                  video=video(network, options.plan))
    model = simulator.build(source, options.out, logger.info)
    folder = folder / "taps"
    log = folder / "taps.txt"
    job = vars(_job(layout, made, features, options, folder)) | {"until": sample}
    outcome = run_bench(model, "bitwright.sim.bench_stream", job, folder, total=len(features),
                           title="looking inside",
                           plusargs=[f"+taps={log}", *_written(image, folder)], seed=options.seed)
    return locate(network, made.taps, log, outcome["order"], sample, features[sample])
