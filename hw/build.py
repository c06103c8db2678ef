"""Build a frozen network: Verilog, netlist, bitstream and report."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright import ir
from bitwright.boards import BoardError
from bitwright.boards import get as get_board
from bitwright.ir.locate import FILE_NAME, HELP, locate

if TYPE_CHECKING:
    from bitwright.hw.flow.builder import Options

__all__ = ["main"]

logger = logging.getLogger(__name__)

STAGES = ("verilog", "synth", "route")
TARGETS = ("xilinx",)
DEFAULT_BOARD = "icebreaker"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hw.build", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--board", metavar="NAME",
                        help=f"the board, or 'list' (default: {DEFAULT_BOARD})")
    parser.add_argument("--target", choices=TARGETS,
                        help="synthesise for a family without a board, to compare sizes")
    parser.add_argument("--plan", metavar="FILE", type=Path,
                        help="choices of the realisation, as in plan.toml of a build")
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
                        help="the build folder (default: build/NETWORK-BOARD)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


class _UsageError(ValueError):
    """Arguments that do not go together."""


def _options(args: argparse.Namespace) -> Options:
    """Settings of the arguments, all but the build folder if that depends on the network."""
    from bitwright.hw.flow.builder import Options
    from bitwright.hw.link.uart import divisor
    from bitwright.hw.plan import Plan, PlanError

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
            plan = Plan.load(args.plan)
        except PlanError as error:
            raise PlanError(f"{args.plan}: {error}") from error
    stop_after = args.stop_after or ("route" if board is not None else "synth")
    return Options(
        board=board, family=args.target or board.family, plan=plan,
        out=args.out or Path("build"), stop_after=stop_after,
        target_hz=None if board is None else
        float(board.clock_hz) if args.freq is None else args.freq * 1e6,
        baud=None if board is None else args.baud or board.baud,
        seed=args.seed, simplify=not args.no_simplify, allow_timing_fail=args.allow_timing_fail)


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it talks of its font cache
    if args.board == "list":
        from bitwright.boards import list as board_list

        return board_list.main(["--json"] if args.json else [])
    from bitwright.files import BusyError
    from bitwright.hw.flow.builder import TimingError, build
    from bitwright.hw.flow.route import PlaceError, RouteError
    from bitwright.hw.flow.toolchain import ToolError
    from bitwright.hw.limits import WidthError
    from bitwright.hw.plan import PlanError
    from bitwright.hw.report.capacity import FitError
    from bitwright.hw.rtl.layers import folded

    try:
        with _terminated_as_interrupted():
            options = _options(args)
            path = locate(args.network)
            name = path.parent.name if path.name == FILE_NAME else path.stem
            if args.out is None:
                folder = options.out / f"{name}-{options.target}"
                options = dataclasses.replace(options, out=folder)
            network = ir.load(path)
            if args.fold is not None:
                options = dataclasses.replace(
                    options, plan=folded(options.plan, network, args.fold))
            report, fresh = build(name, network, options)
    except (BoardError, _UsageError) as error:
        logger.error("%s", error)
        return 2
    except (ir.ArtifactError, PlanError, BusyError, ToolError, FitError, PlaceError, RouteError,
            TimingError, WidthError) as error:
        logger.error("%s", error)
        return 1
    except OSError as error:
        logger.error("%s: %s", error.filename or args.out or "build", error.strerror or error)
        return 1
    except KeyboardInterrupt:
        logger.error("interrupted; the same command goes on after the last finished stage")
        return 1
    return _finish(args, options, report, fresh)


def _finish(args: argparse.Namespace, options: Options, report: dict[str, Any],
            fresh: bool) -> int:
    from bitwright.hw.report.figures import summary

    if fresh:
        logger.info("%s is up to date: network, plan, options and tools are those of the last "
                    "build", options.out)
    sys.stdout.write((json.dumps(report, indent=2) if args.json else summary(report)) + "\n")
    logger.info("report: %s", options.out / "report.html")
    if options.board is not None and options.stop_after == "route":
        from bitwright.hw.flow.route import BITSTREAM

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
