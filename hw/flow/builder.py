"""The stages of a build, from a frozen network to the report."""

from __future__ import annotations

import importlib.metadata
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bitwright import ir
from bitwright.boards import Board
from bitwright.errors import UserError
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import cache, toolchain
from bitwright.hw.flow.describe import Describe
from bitwright.hw.flow.generate import Generate
from bitwright.hw.flow.options import Options
from bitwright.hw.flow.pack import Pack
from bitwright.hw.flow.parts import BOARD, PATHS, modules
from bitwright.hw.flow.pins import CheckPins
from bitwright.hw.flow.place import Place, PlaceError
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.flow.wrap import Wrap
from bitwright.hw.flow.write import Write
from bitwright.hw.interface import FOLDER
from bitwright.hw.naming import Naming, module_name
from bitwright.hw.report.capacity import FitError, check_fit, explain, shortage
from bitwright.hw.report.figures import Findings, compose
from bitwright.hw.report.results import Placed, Synthesised

__all__ = ["TimingError", "build"]

logger = logging.getLogger(__name__)

R = TypeVar("R")

ORDER = (Generate.name, Describe.name, Wrap.name, CheckPins.name, Synthesise.name, Place.name,
         Pack.name)
"""Stages in the order in which one makes what the next reads."""


class TimingError(UserError):
    """The design is slower than it must be. One line, which says what to change."""


@dataclass(frozen=True)
class _Tools:
    """What a build runs. A missing tool is better told before the first stage than after it."""

    yosys: toolchain.Tool
    nextpnr: toolchain.Tool | None
    packer: toolchain.Tool | None

    @classmethod
    def needed(cls, options: Options) -> _Tools:
        yosys, place = toolchain.find(YOSYS), options.family.place
        if place is None or options.stop_after != "route":
            return cls(yosys, None, None)
        return cls(yosys, toolchain.find(place.nextpnr), toolchain.find(place.packer))

    @property
    def labels(self) -> dict[str, str]:
        tools = (self.yosys, self.nextpnr, self.packer)
        return {tool.name: tool.label for tool in tools if tool is not None} | {
            package: importlib.metadata.version(package)
            for package in ("amaranth", "amaranth-boards")}


class _Build:
    """One build: runs its stages, and hands what each found to the next."""

    def __init__(self, name: str, network: ir.Network, options: Options) -> None:
        self._options = options
        self._tools = _Tools.needed(options)
        self._findings = Findings(
            name=name, network=network, board=options.board, target=options.target,
            options={"target_hz": options.target_hz, "baud": options.baud, "seed": options.seed,
                     "simplify": options.simplify},
            digests={"network": ir.digest(network), "plan": options.plan.digest,
                     "sources": cache.sources_digest()},
            tools=self._tools.labels)
        self._naming = Naming(module_name(name) if options.module is None else options.module,
                              options.reset)
        self.fresh = True  # whether every stage was found done
        self._started = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Run the stages, write the report even if one fails, and return it."""
        try:
            self._run_stages()
        except UserError as error:
            self._report("failed", str(error))
            raise
        ends = self._options.stop_after == "route" and not self._estimate
        return self._report("done" if ends else "stopped", None)

    @property
    def _estimate(self) -> bool:
        """Whether there is a part alone, for which no bitstream is made."""
        return self._options.board is not None and self._options.board.estimate

    def _run_stages(self) -> None:
        options, found = self._options, self._findings
        board = options.board
        block = self._generate(found.network)
        if options.stop_after == "verilog":
            return
        sources, top = ((block,), self._naming.module) if board is None else (
            (block, self._wrap(found.network, board, block)), BOARD)
        found.synthesised = self._stage("synthesise", Synthesise(
            sources, top, options.family, modules(self._naming.module), self._tools.yosys))
        if board is not None:
            check_fit(found.name, found.synthesised, board, self._foldable)
        if options.stop_after == "synth":
            return
        assert board is not None
        found.placed = self._place(board, found.synthesised)
        if not self._estimate:
            self._pack(board, found.placed)

    def _generate(self, network: ir.Network) -> Path:
        """Write the network as a block. Returns its text."""
        options = self._options
        generated = self._stage("generate", Generate(
            network, options.plan, options.simplify, self._naming, self._tools.yosys,
            importlib.metadata.version("amaranth")))
        self._findings.generated = generated
        self._stage("describe it for other flows", Describe(generated.interface, network))
        return options.out / FOLDER / generated.interface.file

    def _wrap(self, network: ir.Network, board: Board, block: Path) -> Path:
        """Write the board's design around the block. Returns its text."""
        options = self._options
        assert options.baud is not None
        self._findings.wrapped = self._stage("put on the board", Wrap(
            network, options.plan, options.simplify, self._naming, block, board, options.baud,
            importlib.metadata.version("amaranth"), importlib.metadata.version("amaranth-boards")))
        self._check_pins(board)
        return options.out / f"{BOARD}.il"

    def _check_pins(self, board: Board) -> None:
        """Try pins that a user chose now, before anything that takes long."""
        place, nextpnr = board.family.place, self._tools.nextpnr
        if board.chosen and not board.estimate and place is not None and nextpnr is not None:
            out = self._options.out
            self._stage("check pins", CheckPins(
                out / "board.json", out / f"{BOARD}.{place.constraints}", board, nextpnr))

    def _place(self, board: Board, synthesised: Synthesised) -> Placed:
        options, place = self._options, board.family.place
        assert place is not None
        assert options.target_hz is not None
        assert self._tools.nextpnr is not None
        try:
            return self._stage("place and route", Place(
                options.out / "netlist.json", options.out / f"{BOARD}.{place.constraints}", board,
                options.target_hz, options.seed, PATHS, self._tools.nextpnr))
        except PlaceError as error:
            usage = error.utilisation.get(place.logic)
            cells = max(synthesised.logic_cells, 0 if usage is None else usage.used)
            short = shortage(cells, synthesised.total, board)
            if short is None:
                raise  # something else ran out: nextpnr's own words
            raise FitError(explain(self._findings.name, short, cells, synthesised.parts, board,
                                   self._foldable)) from error

    def _pack(self, board: Board, placed: Placed) -> None:
        options, place = self._options, board.family.place
        assert place is not None
        assert options.target_hz is not None
        assert self._tools.packer is not None
        if placed.fmax_hz < options.target_hz and not options.allow_timing_fail:
            cache.discard(options.out, Pack.name)
            raise TimingError(
                f"{self._findings.name} is too slow on {board.name}: {placed.fmax_hz / 1e6:.2f} "
                f"MHz reached, {options.target_hz / 1e6:g} MHz wanted; lower levels_per_register "
                f"of the plan (now {options.plan.levels_per_register}), try another --seed, or "
                "keep the bitstream with --allow-timing-fail")
        self._stage("pack", Pack(options.out / place.configuration[1], board.family,
                                 self._tools.packer))

    @property
    def _foldable(self) -> bool:
        generated = self._findings.generated
        return generated is not None and generated.foldable

    def _stage(self, title: str, stage: cache.Stage[R]) -> R:
        self._say(f"{title} ...")
        start = time.monotonic()
        result, done = cache.run_stage(self._options.out, stage,
                                       ORDER[ORDER.index(stage.name) + 1 :])
        self.fresh &= done
        self._say(f"{title}: {'nothing changed, kept' if done else 'done'} "
                  f"({time.monotonic() - start:.1f} s)")
        return result

    def _say(self, text: str) -> None:
        logger.info("[%6.1f s] %s", time.monotonic() - self._started, text)

    def _report(self, status: str, message: str | None) -> dict[str, Any]:
        content = compose(self._findings, status, message)
        cache.run_stage(self._options.out, Write(content))
        return content


def build(name: str, network: ir.Network, options: Options) -> tuple[dict[str, Any], bool]:
    """Build a network.

    Parameters
    ----------
    name : str
        For messages and the report, and for the block where the options give it no other.
    network : ir.Network
    options : Options

    Returns
    -------
    report : dict
        What report.json holds.
    bool
        Whether nothing was left to do.

    Raises
    ------
    ToolError, PlanError, WidthError, FitError, PlaceError, RouteError, TimingError
        A stage failed. The report has been written, with what is known.
    ToolError, BusyError, NamingError
        It could not begin. All are one line that a user can act on.
    OSError
        If a file cannot be written.
    """
    with cache.exclusive(options.out):
        run = _Build(name, network, options)
        report = run.run()
        return report, run.fresh
