"""The stages of a build, from a frozen network to the report."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import Any

from bitwright import ir
from bitwright.boards import Board
from bitwright.errors import UserError
from bitwright.hw.families.pll import megahertz
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import cache, toolchain
from bitwright.hw.flow.describe import Describe
from bitwright.hw.flow.flash import WriteRecord, check_bitstream, check_board
from bitwright.hw.flow.generate import Generate
from bitwright.hw.flow.options import Options
from bitwright.hw.flow.pack import Pack
from bitwright.hw.flow.parts import modules
from bitwright.hw.flow.runner import Runner
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.flow.trials import Trials
from bitwright.hw.flow.write import Write
from bitwright.hw.interface import FOLDER
from bitwright.hw.naming import Naming, module_name
from bitwright.hw.report.figures import Findings, compose

__all__ = ["TimingError", "build"]


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
        if options.flash:
            assert options.board is not None
            check_board(options.board)
        self._tools = _Tools.needed(options)
        self._findings = Findings(
            name=name, network=network, board=options.board, target=options.target,
            options={"clock_hz": options.clock_hz, "baud": options.baud, "seed": options.seed,
                     "seeds": options.seeds, "simplify": options.simplify,
                     "contents": "flash" if options.flash else "link"},
            digests={"network": ir.digest(network), "plan": options.plan.digest,
                     "sources": cache.sources_digest()},
            tools=self._tools.labels)
        self._naming = Naming(module_name(name) if options.module is None else options.module,
                              options.reset)
        self._runner = Runner()
        # What is asked for and cannot be had is told before anything is done.
        self._trials = None if options.board is None else Trials(
            options, self._naming, self._tools.yosys, self._tools.nextpnr, self._runner,
            self._findings)

    @property
    def fresh(self) -> bool:
        """Whether every stage was found done."""
        return self._runner.fresh

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
        options, found, yosys = self._options, self._findings, self._tools.yosys
        found.generated = self._runner.stage("generate", options.out, Generate(
            found.network, options.plan, options.simplify, self._naming, yosys,
            importlib.metadata.version("amaranth")))
        self._runner.stage("describe it for other flows", options.out, Describe(
            found.generated.interface, found.network, options.plan))
        if options.flash:
            self._runner.stage("write the contents of the flash", options.out,
                               WriteRecord(found.network, options.plan))
        block = options.out / FOLDER / found.generated.interface.file
        if options.stop_after == "verilog":
            return
        if self._trials is None:
            module = self._naming.module
            found.synthesised = self._runner.stage("synthesise", options.out, Synthesise(
                (block,), module, options.family, modules(module), yosys))
        elif options.stop_after == "synth":
            self._trials.netlist(block)
        else:
            assert options.board is not None
            self._trials.run(block)
            if not self._estimate:
                self._pack(options.board)

    def _pack(self, board: Board) -> None:
        options, place, found = self._options, board.family.place, self._findings
        assert place is not None
        assert found.clock is not None
        assert found.placed is not None
        assert self._tools.packer is not None
        if found.placed.fmax_hz < found.clock.hz and not options.allow_timing_fail:
            cache.discard(options.out, Pack.name)
            raise TimingError(
                f"{found.name} is too slow on {board.name}: {found.placed.fmax_hz / 1e6:.2f} "
                f"MHz reached, {megahertz(found.clock.hz)} MHz wanted; lower levels_per_register "
                f"of the plan (now {options.plan.levels_per_register}), try more placements with "
                "--seeds N, or keep the bitstream with --allow-timing-fail")
        assert found.wrapped is not None
        packed = self._runner.stage("pack", options.out, Pack(
            options.out / place.configuration, board.family, self._tools.packer,
            (*board.part.packer, *found.wrapped.packer)))
        if options.flash:
            check_bitstream(packed.size)

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
    run = _Build(name, network, options)  # a refusal leaves no folder behind
    with cache.exclusive(options.out):
        report = run.run()
        return report, run.fresh
