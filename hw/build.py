"""Build a frozen network: Verilog, netlist, bitstream and report."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib.metadata
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ir
from boards import Board, BoardError
from boards import get as get_board
from ir.locate import FILE_NAME, HELP, locate

if TYPE_CHECKING:
    from .plan import Plan

__all__ = ["Options", "build", "main"]

logger = logging.getLogger(__name__)

STAGES = ("verilog", "synth", "route")
TARGETS = ("xilinx",)
DEFAULT_BOARD = "icebreaker"


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
        from . import cache, toolchain

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
        """Run the stages, write the report whatever happens, and return it."""
        options = self._options
        self._key = {"digests": self._digests, "tools": self._tools, "target": options.target,
                     "baud": options.baud, "simplify": options.simplify}
        status, message = "done", None
        from .fit import FitError
        from .route import RouteError
        from .toolchain import ToolError

        try:
            self._stage("verilog", "generate", self._generate)
            if options.stop_after != "verilog":
                self._stage("synth", "synthesise", self._synthesise)
                if options.board is not None:
                    self._check_fit(options.board)
            if options.stop_after == "route":
                self._key = {**self._key, "seed": options.seed, "target_hz": options.target_hz,
                             "allow_timing_fail": options.allow_timing_fail}
                self._stage("route", "place and route", self._route)
        except (FitError, RouteError, TimingError, ToolError) as error:
            status, message = "failed", str(error)
            raise
        else:
            if options.stop_after != "route":
                status = "stopped"
        finally:
            # An interrupted build, or one without space on the disk, keeps its old report.
            if sys.exception() is None or status == "failed":
                report = self._report(status, message)
        return report

    def _stage(self, name: str, title: str, work: Callable[[Path], Any]) -> None:
        from . import cache

        self._say(f"{title} ...")
        start = time.monotonic()
        self._facts[name], done = cache.run_stage(self._options.out, name,
                                                  {**self._key, "stage": name}, work)
        self.fresh &= done
        self._say(f"{title}: {'nothing changed, kept' if done else 'done'} "
                  f"({time.monotonic() - start:.1f} s)")

    def _say(self, text: str) -> None:
        logger.info("[%6.1f s] %s", time.monotonic() - self.started, text)

    def _generate(self, folder: Path) -> dict[str, Any]:
        from . import report
        from .ip import AxiIp
        from .verilog import to_verilog

        options = self._options
        network = ir.simplify(self._network) if options.simplify else self._network
        options.plan.check(tuple(entry.name for entry in self._network.entries))
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
                # A sample occupies the core for one cycle a frame.
                "core_interval": network.frames * ip.core.interval, "ip_interval": ip.interval},
            "link": link,
        }

    def _generate_board(self, folder: Path, network: ir.Network, board: Board) -> dict[str, int]:
        from .board_top import CONSTRAINTS, TOP, prepare
        from .link import frames
        from .top import SerialTop

        serial = SerialTop(network, self._options.plan, clock_hz=board.clock_hz,
                           baud=self._options.baud)
        prepared = prepare(serial, board)
        (folder / f"{TOP}.il").write_text(prepared.rtlil)
        (folder / f"{TOP}.{CONSTRAINTS[board.family]}").write_text(prepared.constraints)
        layout = serial.layout
        return {"request_bytes": frames.OVERHEAD + layout.sample_bytes,
                "reply_bytes": frames.OVERHEAD + layout.result_bytes}

    def _synthesise(self, folder: Path) -> dict[str, Any]:
        from . import synth
        from .board_top import TOP
        from .resources import logic_cells

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
        from .report import resources_from

        return {part: resources_from(values)
                for part, values in self._facts["synth"]["parts"].items()}

    def _check_fit(self, board: Board) -> None:
        from .fit import check_fit

        check_fit(self._name, self._facts["synth"]["logic_cells"], self._parts(), board)

    def _route(self, folder: Path) -> dict[str, Any]:
        from . import fit, route
        from .board_top import CONSTRAINTS, TOP, constrain

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
            raise fit.FitError(fit.explain(self._name, short, cells, self._parts(),
                                           board)) from error
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
        from . import cache, report, report_html

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
    ToolError, FitError, PlaceError, RouteError, TimingError, BusyError, PlanError
        One line each, which a user can act on. The report has been written, with what is known.
    OSError
        If a file cannot be written.
    """
    from . import cache

    with cache.lock(options.out):
        run = _Build(name, network, options)
        report = run.run()
        return report, run.fresh


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hw.build", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--board", metavar="NAME",
                        help=f"the board, or 'list' (default: {DEFAULT_BOARD})")
    parser.add_argument("--target", choices=TARGETS,
                        help="synthesise for a family without a board, to compare sizes")
    parser.add_argument("--plan", metavar="FILE", type=Path,
                        help="choices of the realisation, as in plan.toml of a build")
    parser.add_argument("--stop-after", choices=STAGES, help="do no more than this "
                        "(default: all that the target allows)")
    parser.add_argument("--freq", metavar="MHZ", type=float,
                        help="clock that place and route must reach; the design runs at the "
                             "board's clock (default: that)")
    parser.add_argument("--allow-timing-fail", action="store_true",
                        help="keep a bitstream that misses the clock")
    parser.add_argument("--baud", metavar="N", type=int,
                        help="rate of the serial line (default: the board's)")
    parser.add_argument("--seed", metavar="N", type=int, default=1,
                        help="seed of the placer (default: %(default)s)")
    parser.add_argument("--no-simplify", action="store_true",
                        help="build every node as it was frozen")
    parser.add_argument("--out", metavar="DIR", type=Path,
                        help="the build folder (default: build/NETWORK-BOARD)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


class _UsageError(ValueError):
    """Arguments that do not go together."""


def _options(args: argparse.Namespace, name: str) -> Options:
    from .link.uart import divisor
    from .plan import Plan, PlanError

    if args.target is not None:
        for flag, value in (("--board", args.board), ("--freq", args.freq), ("--baud", args.baud)):
            if value is not None:
                raise _UsageError(f"{flag} is for a board, which --target has not")
        if args.stop_after == "route":
            raise _UsageError(f"--target {args.target} ends after synth, not after route")
    board = None if args.target is not None else get_board(args.board or DEFAULT_BOARD)
    if board is not None and args.freq is not None and not args.freq * 1e6 >= board.clock_hz:
        raise _UsageError(f"--freq must be at least the board's clock of "
                          f"{board.clock_hz / 1e6:g} MHz, not {args.freq:g}")
    if args.baud is not None:
        try:
            divisor(board.clock_hz, args.baud)
        except ValueError as error:
            raise _UsageError(f"--baud {args.baud}: {error}") from error
    if args.plan is None:
        plan = Plan(lut_size=6) if args.target == "xilinx" else Plan()
    else:
        try:
            plan = Plan.from_toml(args.plan.read_text())
        except PlanError as error:
            raise PlanError(f"{args.plan}: {error}") from error
    target = args.target or board.name
    stop_after = args.stop_after or ("route" if board is not None else "synth")
    return Options(
        board=board, family=args.target or board.family, plan=plan,
        out=args.out or Path("build") / f"{name}-{target}", stop_after=stop_after,
        target_hz=None if board is None else
        float(board.clock_hz) if args.freq is None else args.freq * 1e6,
        baud=None if board is None else args.baud or board.baud,
        seed=args.seed, simplify=not args.no_simplify, allow_timing_fail=args.allow_timing_fail)


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it talks of its font cache
    if args.board == "list":
        from boards import list as board_list

        return board_list.main(["--json"] if args.json else [])
    from .cache import BusyError
    from .fit import FitError
    from .plan import PlanError
    from .route import PlaceError, RouteError
    from .toolchain import ToolError

    try:
        with _terminated_as_interrupted():
            if args.target is None and args.board is not None:
                get_board(args.board)  # before anything is read: a mistyped name is told first
            path = locate(args.network)
            name = path.parent.name if path.name == FILE_NAME else path.stem
            options = _options(args, name)
            report, fresh = build(name, ir.load(path), options)
    except (BoardError, _UsageError) as error:
        logger.error("%s", error)
        return 2
    except (ir.ArtifactError, PlanError, BusyError, ToolError, FitError, PlaceError, RouteError,
            TimingError) as error:
        logger.error("%s", error)
        return 1
    except OSError as error:
        logger.error("%s: %s", error.filename or options.out, error.strerror or error)
        return 1
    except KeyboardInterrupt:
        logger.error("interrupted; the same command goes on after the last finished stage")
        return 1
    return _finish(args, options, report, fresh)


def _finish(args: argparse.Namespace, options: Options, report: dict[str, Any],
            fresh: bool) -> int:
    from .report import summary

    if fresh:
        logger.info("%s is up to date: network, plan, options and tools are those of the last "
                    "build", options.out)
    sys.stdout.write((json.dumps(report, indent=2) if args.json else summary(report)) + "\n")
    logger.info("report: %s", options.out / "report.html")
    if options.board is not None and options.stop_after == "route":
        from .route import BITSTREAM

        bitstream = options.out / BITSTREAM[options.family]
        logger.info("program the board: %s", options.board.program.format(bitstream=bitstream))
    return 0


@contextlib.contextmanager
def _terminated_as_interrupted():
    """Treat SIGTERM as Ctrl-C: the running tool is ended, and nothing is left half-written."""
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
