"""Build a frozen network: Verilog, netlist, bitstream and report."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright import boards
from bitwright.boards.program import BITSTREAM
from bitwright.command import guarded
from bitwright.errors import UsageError
from bitwright.extras import need
from bitwright.hw import families
from bitwright.hw.flow.options import STAGES, TARGETS, Options
from bitwright.hw.naming import RESETS, Naming, NamingError

if TYPE_CHECKING:
    from bitwright.hw.plan import Plan
from bitwright.locate import HELP, locate, name, title

__all__ = ["main"]

logger = logging.getLogger(__name__)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright build", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--board", metavar="NAME",
                        help=f"the board, or 'list' (default: {boards.DEFAULT})")
    parser.add_argument("--target", choices=TARGETS,
                        help="synthesise for a family without a board, to compare sizes")
    parser.add_argument("--plan", metavar="FILE", type=Path,
                        help="choices of the realisation, as in plan.toml of a build")
    parser.add_argument("--result-beat-bytes", metavar="N", type=int,
                        help="bytes of m_axis_tdata, the output of the block (default: as in the "
                             "plan)")
    parser.add_argument("--module", metavar="NAME",
                        help="name of the block's module (default: the network's name)")
    parser.add_argument("--reset", choices=RESETS, default=RESETS[0],
                        help="reset of the block: rst, active high, beside clk, or aresetn, active "
                             "low, beside aclk (default: %(default)s)")
    parser.add_argument("--fold", metavar="CYCLES", type=int,
                        help="keep the weights of every node that can be folded in memory, and "
                             "take so many cycles a frame (default: as in the plan)")
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
                        help="the build folder (default: build/NETWORK-BOARD, or the family's name "
                             "where there is no board)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _options(args: argparse.Namespace) -> Options:
    """Settings of the arguments, all but what depends on the network: build folder and folds."""
    _check_name(args.module)
    if args.target is not None:
        for flag, value in (("--board", args.board), ("--freq", args.freq), ("--baud", args.baud)):
            if value is not None:
                raise UsageError(f"{flag} is for a board, which --target has not")
        if args.stop_after == "route":
            raise UsageError(f"--target {args.target} ends after synth, not after route")
        family = families.get(args.target)
        return Options(board=None, family=family, plan=_plan(args, family),
                       out=args.out or Path("build"), stop_after=args.stop_after or "synth",
                       seed=args.seed, simplify=not args.no_simplify, module=args.module,
                       reset=args.reset)
    board = boards.get(args.board or boards.DEFAULT)
    if args.stop_after == "verilog" and args.board is None:  # the block goes on any
        for flag, value in (("--freq", args.freq), ("--baud", args.baud)):
            if value is not None:
                raise UsageError(f"{flag} is for a board, which --stop-after verilog needs not")
        return Options(board=None, family=board.family, plan=_plan(args, board.family),
                       out=args.out or Path("build"), stop_after="verilog",
                       simplify=not args.no_simplify, module=args.module, reset=args.reset)
    return Options(
        board=board, family=board.family, plan=_plan(args, board.family),
        out=args.out or Path("build"), stop_after=args.stop_after or "route",
        target_hz=_frequency(args.freq, board), baud=_baud(args.baud, board), seed=args.seed,
        simplify=not args.no_simplify, allow_timing_fail=args.allow_timing_fail,
        module=args.module, reset=args.reset)


def _check_name(module: str | None) -> None:
    try:
        if module is not None:
            Naming(module)
    except NamingError as error:
        raise UsageError(f"--module: {error}") from error


def _plan(args: argparse.Namespace, family: families.Family) -> Plan:
    from bitwright.hw.plan import Plan, PlanError

    try:
        plan = Plan(lut_size=family.lut_size) if args.plan is None else Plan.load(args.plan)
    except PlanError as error:
        raise PlanError(f"{args.plan}: {error}") from error
    if args.result_beat_bytes is None:
        return plan
    return dataclasses.replace(plan, result_beat_bytes=args.result_beat_bytes)


def _frequency(megahertz: float | None, board: boards.Board) -> float:
    if megahertz is None:
        return float(board.clock_hz)
    if not megahertz * 1e6 >= board.clock_hz:
        raise UsageError(f"--freq must be at least the board's clock of "
                         f"{board.clock_hz / 1e6:g} MHz, not {megahertz:g}")
    return megahertz * 1e6


def _baud(baud: int | None, board: boards.Board) -> int:
    from bitwright.hw.rate import divisor

    if baud is None:
        return board.baud
    try:
        divisor(board.clock_hz, baud)
    except ValueError as error:
        raise UsageError(f"--baud {baud}: {error}") from error
    return baud


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it talks of its font cache
    if args.board == "list":
        from bitwright.boards import list as board_list

        return board_list.main(["--json"] if args.json else [])
    with _terminated_as_interrupted():
        return guarded(lambda: _build(args), interrupted="interrupted; the same command goes on "
                                                         "after the last finished stage")


def _build(args: argparse.Namespace) -> None:
    from bitwright import ir
    from bitwright.hw.flow.builder import build
    from bitwright.hw.rtl.layers import folded

    need("amaranth", "amaranth_boards", "matplotlib")
    options = _options(args)
    path = locate(args.network)
    if args.out is None:
        options = dataclasses.replace(options, out=options.out / f"{name(path)}-{options.target}")
    network = ir.load(path)
    if args.fold is not None:
        options = dataclasses.replace(options, plan=folded(options.plan, network, args.fold))
    report, fresh = build(title(path), network, options)
    _tell(args, options, report, fresh)


def _tell(args: argparse.Namespace, options: Options, report: dict[str, Any],
          fresh: bool) -> None:
    from bitwright.hw.report.figures import summary

    if fresh:
        logger.info("%s is up to date: network, plan, options and tools are those of the last "
                    "build", options.out)
    sys.stdout.write((json.dumps(report, indent=2) if args.json else summary(report)) + "\n")
    logger.info("report: %s", options.out / "report.html")
    board = options.board
    if board is not None and options.stop_after == "route" and board.program is not None:
        place = board.family.place
        assert place is not None
        logger.info("program the board: %s", shlex.join(
            word.replace(BITSTREAM, str(options.out / place.bitstream)) for word in board.program))


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C: the running tool is ended, and nothing is left half-written."""
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
