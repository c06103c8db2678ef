"""The stages of a build, from a frozen network to the report."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitwright import ir
from bitwright.boards import Board
from bitwright.hw.contents import as_built
from bitwright.hw.flow import cache, route, synth, toolchain
from bitwright.hw.flow.board_top import CONSTRAINTS, TOP, constrain, prepare
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.limits import WidthError
from bitwright.hw.link import protocol as frames
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import FOLDED, Plan
from bitwright.hw.report import capacity as fit
from bitwright.hw.report import figures as report
from bitwright.hw.report import page as report_html
from bitwright.hw.report.resources import logic_cells
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.layers import foldable

__all__ = ["STAGES", "Options", "TimingError", "build"]

logger = logging.getLogger(__name__)

STAGES = ("verilog", "synth", "route")
"""Where a build can stop."""


class TimingError(RuntimeError):
    """The design is slower than it must be. One line, which says what to change."""


@dataclass(frozen=True)
class Options:
    """Settings of a build.

    Parameters
    ----------
    board : Board or None
        None to stop after synthesis for ``family``.
    family : str
    plan : Plan
    out : Path
        The build folder.
    stop_after : str
        One of :data:`STAGES`.
    target_hz : float or None
        Clock that place and route must reach.
    baud : int or None
        Rate of the serial line.
    seed : int
        Of the placer.
    simplify : bool
        Whether the network is simplified first.
    allow_timing_fail : bool
        Whether a bitstream that misses the clock is kept.
    """

    board: Board | None
    family: str
    plan: Plan
    out: Path
    stop_after: str = "route"
    target_hz: float | None = None
    baud: int | None = None
    seed: int = 1
    simplify: bool = True
    allow_timing_fail: bool = False

    @property
    def target(self) -> str:
        return self.family if self.board is None else self.board.name


class _Build:
    """One build: runs its stages, and remembers what each found."""

    def __init__(self, name: str, network: ir.Network, options: Options) -> None:
        self._name, self._network, self._options = name, network, options
        self._tools = {tool: toolchain.find(tool).label
                       for tool in self._needed(toolchain.FAMILY_TOOLS[options.family])}
        self._tools |= {package: importlib.metadata.version(package)
                        for package in ("amaranth", "amaranth-boards")}
        self._digests = {"network": ir.digest(network), "plan": options.plan.digest,
                         "sources": cache.sources_digest()}
        self._facts: dict[str, Any] = {}
        self._key: Mapping[str, Any] = {}
        self.fresh = True  # whether every stage was found done
        self.started = time.monotonic()

    def _needed(self, tools: tuple[str, ...]) -> tuple[str, ...]:
        """Tools of the stages that will run. A missing one is better told now than after them."""
        return tools if self._options.stop_after == "route" else tools[:1]

    def run(self) -> dict[str, Any]:
        """Run the stages, write the report even if one fails, and return it."""
        options = self._options
        self._key = {"digests": self._digests, "tools": self._tools, "target": options.target,
                     "baud": options.baud, "simplify": options.simplify}
        try:
            self._run_stages()
        except (fit.FitError, route.PlaceError, route.RouteError, TimingError, WidthError,
                toolchain.ToolError) as error:
            self._report("failed", str(error))
            raise
        return self._report("done" if options.stop_after == "route" else "stopped", None)

    def _run_stages(self) -> None:
        options = self._options
        self._stage("verilog", "generate", self._generate)
        if options.stop_after == "verilog":
            return
        self._stage("synth", "synthesise", self._synthesise)
        if options.board is not None:
            fit.check_fit(self._name, self._facts["synth"]["logic_cells"], self._parts(),
                          options.board, self._folds)
        if options.stop_after == "synth":
            return
        self._key = {**self._key, "seed": options.seed, "target_hz": options.target_hz,
                     "allow_timing_fail": options.allow_timing_fail}
        self._stage("route", "place and route", self._route)

    def _stage(self, name: str, title: str, work: Callable[[Path], Any]) -> None:
        self._say(f"{title} ...")
        start = time.monotonic()

        def fresh_work(folder: Path) -> Any:
            # What a later stage made of the old result must not be taken for the new.
            for later in STAGES[STAGES.index(name) + 1 :]:
                cache.discard(self._options.out, later)
            return work(folder)

        self._facts[name], done = cache.run_stage(self._options.out, name,
                                                  {**self._key, "stage": name},
                                                  fresh_work)
        self.fresh &= done
        self._say(f"{title}: {'nothing changed, kept' if done else 'done'} "
                  f"({time.monotonic() - start:.1f} s)")

    def _say(self, text: str) -> None:
        logger.info("[%6.1f s] %s", time.monotonic() - self.started, text)

    def _generate(self, folder: Path) -> dict[str, Any]:
        options = self._options
        network = as_built(self._network, options.plan, simplify=options.simplify)
        (folder / "plan.toml").write_text(options.plan.to_toml())
        component = AxiIp(network, options.plan)
        (folder / "top.v").write_text(to_verilog(component, "top"))
        link = None
        if options.board is not None:
            link = self._generate_board(folder, network, options.board)
        ip = component.ip
        return {
            "simplification": {"before": report.network_size(self._network),
                               "after": report.network_size(network)},
            "cycles": {
                "encoder_latency": ip.encoder.latency, "core_latency": ip.core.latency,
                "head_latency": ip.head.latency, "ip_latency": ip.latency,
                "core_interval": network.frames * ip.frame_interval,
                "ip_interval": ip.interval},
            "link": link,
        }

    def _generate_board(self, folder: Path, network: ir.Network, board: Board) -> dict[str, int]:
        serial = SerialTop(network, self._options.plan, clock_hz=board.clock_hz,
                           baud=self._options.baud, frozen=self._network)
        prepared = prepare(serial, board)
        (folder / f"{TOP}.il").write_text(prepared.rtlil)
        (folder / f"{TOP}.{CONSTRAINTS[board.family]}").write_text(prepared.constraints)
        layout = serial.layout
        return {"request_bytes": frames.OVERHEAD + layout.sample_bytes,
                "reply_bytes": frames.OVERHEAD + layout.result_bytes}

    def _synthesise(self, folder: Path) -> dict[str, Any]:
        options = self._options
        source = f"{TOP}.v" if options.board is None else f"{TOP}.il"
        (folder / source).write_bytes((options.out / source).read_bytes())
        result = synth.synthesise(folder / source, TOP, options.family,
                                  log=options.out / "logs" / "yosys.log")
        (folder / source).unlink()
        netlist = json.loads((folder / "netlist.json").read_text())
        return {"mapping": result.mapping, "alternatives": result.alternatives,
                "parts": {part: dataclasses.asdict(values)
                          for part, values in result.parts.items()},
                "total": dataclasses.asdict(result.total),
                "logic_cells": logic_cells(netlist["modules"][TOP]["cells"], options.family)}

    def _parts(self) -> dict[str, Any]:
        return {part: report.resources_from(values)
                for part, values in self._facts["synth"]["parts"].items()}

    @property
    def _folds(self) -> bool:
        """Whether a node is unrolled that could be folded."""
        return any(foldable(entry.node) and self._options.plan.way(entry.name) != FOLDED
                   for entry in self._network.entries)

    def _route(self, folder: Path) -> dict[str, Any]:
        options, board = self._options, self._options.board
        assert board is not None
        assert options.target_hz is not None
        constraints = f"{TOP}.{CONSTRAINTS[board.family]}"
        (folder / "netlist.json").write_bytes((options.out / "netlist.json").read_bytes())
        (folder / constraints).write_text(constrain(
            (options.out / constraints).read_text(), board.family, options.target_hz))
        try:
            result = route.route(folder, board, seed=options.seed,
                                 log_folder=options.out / "logs")
        except route.PlaceError as error:
            cells = error.utilisation.get(route.LOGIC[board.family], {}).get("used", 0)
            cells = max(cells, self._facts["synth"]["logic_cells"])
            short = fit.shortage(cells, sum(self._parts().values(), fit.Resources()), board)
            if short is None:
                raise  # something else ran out: nextpnr's own words
            raise fit.FitError(fit.explain(self._name, short, cells, self._parts(), board,
                                           self._folds)) from error
        facts = dataclasses.asdict(result)
        facts["logic_cells"] = result.utilisation[route.LOGIC[board.family]]["used"]
        if result.fmax_hz < options.target_hz and not options.allow_timing_fail:
            self._facts["route"] = facts
            raise TimingError(
                f"{self._name} is too slow on {board.name}: {result.fmax_hz / 1e6:.2f} MHz "
                f"reached, {options.target_hz / 1e6:g} MHz wanted; lower levels_per_register of "
                f"the plan (now {options.plan.levels_per_register}), try another --seed, or keep "
                "the bitstream with --allow-timing-fail")
        # Both are files of the earlier stages, and the configuration is the bitstream as text.
        for name in ("netlist.json", constraints):
            (folder / name).unlink()
        return facts

    def _report(self, status: str, message: str | None) -> dict[str, Any]:
        options = self._options
        content = report.compose(
            name=self._name, network=self._network, target=options.target, board=options.board,
            options={"target_hz": options.target_hz, "baud": options.baud, "seed": options.seed,
                     "simplify": options.simplify},
            digests=self._digests, tools=self._tools, generated=self._facts.get("verilog"),
            synthesised=self._facts.get("synth"), routed=self._facts.get("route"),
            status=status, message=message)

        def work(folder: Path) -> None:
            (folder / "report.json").write_text(json.dumps(content, indent=2) + "\n")
            (folder / "report.html").write_text(report_html.render(content))

        cache.run_stage(options.out, "report", {"report": content, "stage": "report"}, work)
        return content


def build(name: str, network: ir.Network, options: Options) -> tuple[dict[str, Any], bool]:
    """Build a network.

    Parameters
    ----------
    name : str
        For messages and the report.
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
    ToolError, WidthError, FitError, PlaceError, RouteError, TimingError
        A stage failed. The report has been written, with what is known.
    ToolError, PlanError, BusyError
        It could not begin. All are one line that a user can act on.
    OSError
        If a file cannot be written.
    """
    with cache.exclusive(options.out):
        run = _Build(name, network, options)
        report = run.run()
        return report, run.fresh
