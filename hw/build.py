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
from bitwright.command import guarded, natural, positive
from bitwright.errors import UsageError
from bitwright.extras import need
from bitwright.hw import families
from bitwright.hw.arguments import add_pictures, add_ways, form, pictures
from bitwright.hw.flow.options import STAGES, TARGETS, Options
from bitwright.hw.naming import RESETS, Naming, NamingError, module_name
from bitwright.hw.rate import divisor

if TYPE_CHECKING:
    from bitwright import ir
    from bitwright.hw.flow.elsewhere import Elsewhere
    from bitwright.hw.plan import Plan
from bitwright.locate import HELP, locate, name, title

__all__ = ["main"]

logger = logging.getLogger(__name__)

_LAST_SEED = 2**31 - 1
"""Of nextpnr."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright build", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--board", metavar="NAME",
                        help="the board: a name that `bitwright boards` lists, a file of your own "
                             "board (NAME.toml), or a Platform class (MODULE:CLASS) (default: "
                             f"{boards.DEFAULT})")
    parser.add_argument("--uart", metavar="rx=PIN,tx=PIN",
                        help="pins of the serial line, as seen from the device, where the board "
                             "has none or others are wanted")
    parser.add_argument("--part", metavar="NAME",
                        help="no board: say whether the design fits a part, such as "
                             "LFE5U-25F-6BG381C, and how fast it is there")
    parser.add_argument("--target", choices=TARGETS,
                        help="synthesise for a family without a board, to compare sizes")
    parser.add_argument("--plan", metavar="FILE", type=Path,
                        help="choices of the realisation, as in plan.toml of a build")
    parser.add_argument("--result-beat-bytes", metavar="N", type=natural,
                        help="bytes of m_axis_tdata, the output of the block (default: as in the "
                             "plan)")
    parser.add_argument("--module", metavar="NAME",
                        help="name of the block's module (default: the network's name)")
    parser.add_argument("--reset", choices=RESETS, default=RESETS[0],
                        help="reset of the block: rst, active high, beside clk, or aresetn, active "
                             "low, beside aclk (default: %(default)s)")
    add_ways(parser)
    add_pictures(parser)
    parser.add_argument("--estimate", action="store_true",
                        help="say in a second what the build would take and reach, and build "
                             "nothing")
    parser.add_argument("--fit", action="store_true",
                        help="choose lanes or a parallel encoder, a serial or a parallel head, and "
                             "whether nodes are unrolled, folded or streamed, by estimates: the "
                             "smallest design that reaches --rate, or else the fastest that fits")
    parser.add_argument("--rate", metavar="N", type=positive,
                        help="with --fit: samples a second that the block must take")
    parser.add_argument("--stop-after", choices=STAGES, help="do no more than this "
                        "(default: all that the target allows)")
    parser.add_argument("--freq", metavar="MHZ", type=float,
                        help="clock of the design, or the nearest that the device's PLL makes of "
                             "the board's (default: the fastest that place and route reaches)")
    parser.add_argument("--allow-timing-fail", action="store_true",
                        help="keep a bitstream that misses the clock")
    parser.add_argument("--baud", metavar="N", type=positive,
                        help="rate of the serial line (default: the board's)")
    parser.add_argument("--contents", choices=("link", "flash"), default="link",
                        help="where contents that can be written come from first: over the serial "
                             "link, or from the board's flash behind the bitstream (default: "
                             "%(default)s)")
    parser.add_argument("--seed", metavar="N", type=natural, default=1,
                        help="seed of the placer (default: %(default)s)")
    parser.add_argument("--seeds", metavar="N", type=positive, default=1,
                        help="where a clock is missed, try so many seeds, side by side, and keep "
                             "the fastest (default: %(default)s)")
    parser.add_argument("--address", metavar="ADDRESS",
                        help="place by Ray, seeds side by side: on the cluster whose head is at "
                             "HOST:PORT, on the one that this machine is a node of (auto), or on "
                             "this machine (local)")
    parser.add_argument("--no-simplify", action="store_true",
                        help="build every node as it was frozen")
    parser.add_argument("--out", metavar="DIR", type=Path,
                        help="the build folder (default: build/NETWORK-BOARD, or the family's name "
                             "where there is no board)")
    parser.add_argument("--program", action="store_true",
                        help="load the bitstream into the board")
    parser.add_argument("--project", metavar="DIR", type=Path,
                        help="write a project for the programs of the device's maker (Vivado, "
                             "Quartus, Diamond, Radiant, Gowin EDA) instead")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _options(args: argparse.Namespace) -> Options:
    """Settings of the arguments, all but what depends on the network: build folder and folds."""
    if args.target is not None:
        if args.stop_after == "route":
            raise UsageError(f"--target {args.target} ends after synth, not after route")
        family = families.get(args.target)
        return Options(board=None, family=family, plan=_plan(args, family.lut_size),
                       out=args.out or Path("build"), stop_after=args.stop_after or "synth",
                       seed=args.seed, simplify=not args.no_simplify, module=args.module,
                       reset=args.reset)
    if args.stop_after == "verilog" and args.board is None and args.part is None:
        for flag in ("freq", "baud", "uart"):  # it goes on any board
            value = getattr(args, flag)
            if value is not None:
                raise UsageError(f"--{flag} is for a board, which --stop-after verilog needs not")
        if args.contents == "flash":
            raise UsageError("--contents flash is for a board, and here is none: name it with "
                             "--board")
        family = boards.get(boards.DEFAULT).family
        return Options(board=None, family=family, plan=_plan(args, family.lut_size),
                       out=args.out or Path("build"), stop_after="verilog",
                       simplify=not args.no_simplify, module=args.module, reset=args.reset)
    board = _board(args)
    return Options(
        board=board, family=board.family, plan=_plan(args, board.family.lut_size),
        out=args.out or Path("build"), stop_after=args.stop_after or "route",
        clock_hz=_frequency(args.freq), baud=args.baud or board.baud, seed=args.seed,
        seeds=args.seeds, simplify=not args.no_simplify, allow_timing_fail=args.allow_timing_fail,
        module=args.module, reset=args.reset, flash=args.contents == "flash")


def _check_name(module: str | None) -> None:
    try:
        if module is not None:
            Naming(module)
    except NamingError as error:
        raise UsageError(f"--module: {error}") from error


def _check(args: argparse.Namespace) -> None:
    """See that the arguments go together."""
    if args.seed + args.seeds - 1 > _LAST_SEED:
        raise UsageError(f"--seed must be at most {_LAST_SEED:,}, the last of --seeds too, not "
                         f"{args.seed + args.seeds - 1:,}")
    for flag, others in (
            ("part", ("board", "target", "uart", "program", "project")),
            ("target", ("board", "freq", "baud", "uart", "program", "project",
                        "allow_timing_fail")),
            ("project", ("stop_after", "freq", "program", "out", "json", "allow_timing_fail")),
            ("estimate", ("project", "stop_after", "program", "out", "allow_timing_fail")),
            ("fit", ("target", "project", "fold", "streamed", "large", "parallel",
                     "serial_head"))):
        if getattr(args, flag) in (None, False):
            continue
        for other in others:
            if getattr(args, other) not in (None, False):
                raise UsageError(f"--{other.replace('_', '-')} does not go with --{flag}")
    for flag in ("part", "target", "project", "estimate"):
        if args.contents == "flash" and getattr(args, flag):
            raise UsageError(f"--contents flash does not go with --{flag}")
    if args.rate is not None and not args.fit:
        raise UsageError("--rate is for --fit")
    if args.estimate and args.freq is not None and not args.fit:
        raise UsageError("--freq does not go with --estimate")
    if args.seeds > 1 and (args.target or args.project or args.stop_after not in (None, "route")):
        raise UsageError("--seeds is for a placement, and here is none")
    if args.program and args.stop_after not in (None, "route"):
        raise UsageError(f"--program does not go with --stop-after {args.stop_after}, which makes "
                         "no bitstream")
    if args.address is not None and (args.target or args.project or args.estimate
                                     or args.stop_after not in (None, "route")):
        raise UsageError("--address is for placements, and here is none")
    _check_name(args.module)


def _board(args: argparse.Namespace) -> boards.Board:
    if args.part is not None:
        return boards.bare(args.part, boards.BOARDS.values())
    board = boards.get(boards.DEFAULT if args.board is None else args.board)
    if args.uart is not None:
        board = dataclasses.replace(board, uart=boards.lines(args.uart, board.io))
    _ = board.uart_resource  # so that a board without one is refused before anything is done
    if board.chosen:
        board.platform()  # so are pins that are taken
    return board


def _plan(args: argparse.Namespace, lut_size: int) -> Plan:
    from bitwright.hw.plan import Plan

    return Plan.chosen(args.plan, Plan(lut_size=lut_size), args.result_beat_bytes)


def _ways(args: argparse.Namespace, plan: Plan, network: ir.Network, *,
          gated: bool = True) -> Plan:
    """The plan with the ways that the arguments give all nodes."""
    from bitwright.hw.rtl.layers import formed

    return formed(pictures(args, plan, network), network, form(args), gated=gated)


def _frequency(megahertz: float | None) -> float | None:
    if megahertz is None:
        return None
    if not 0 < megahertz < float("inf"):
        raise UsageError(f"--freq must be a frequency in MHz, not {megahertz:g}")
    return megahertz * 1e6


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it talks of its font cache
    with _terminated_as_interrupted():
        return guarded(lambda: _build(args), interrupted="interrupted; the same command goes on "
                                                         "after the last finished stage")


def _build(args: argparse.Namespace) -> None:
    from bitwright import ir
    from bitwright.hw.flow.builder import build
    from bitwright.hw.flow.flash import FILE
    from bitwright.hw.flow.load import available, program
    from bitwright.hw.flow.pins import PinError

    need("amaranth", "amaranth_boards", "matplotlib")
    _check(args)
    if args.project is not None:
        _project(args)
        return
    options = _options(args)
    if args.fit:
        options = _fit(args, options)
    if args.estimate:
        _estimate(args, options)
        return
    if args.program:
        assert options.board is not None
        available(options.board)
    path = locate(args.network)
    if args.out is None:
        options = dataclasses.replace(options, out=options.out / f"{name(path)}-{options.target}")
    network = ir.load(path)
    if not args.fit:
        options = dataclasses.replace(options, plan=_ways(
            args, options.plan, network, gated=options.family.gated))
    try:
        with _elsewhere(args) as elsewhere:
            report, fresh = build(title(path), network,
                                  dataclasses.replace(options, elsewhere=elsewhere))
    except PinError as error:
        raise PinError(f"{args.board or boards.DEFAULT}: {error}") from error
    _tell(args, options, report, fresh)
    if args.program:
        assert options.board is not None
        assert options.board.family.place is not None
        program(options.board, options.out / options.board.family.place.bitstream,
                options.out / FILE if options.flash else None)


@contextlib.contextmanager
def _elsewhere(args: argparse.Namespace) -> Iterator[Elsewhere | None]:
    """Where placements are done, if not here."""
    if args.address is None:
        yield None
        return
    from bitwright.cluster import Cluster
    from bitwright.hw.flow.elsewhere import Elsewhere

    with contextlib.closing(Cluster(args.address)) as cluster:
        yield Elsewhere(cluster)


def _fit(args: argparse.Namespace, options: Options) -> Options:
    """The options with a plan that the planner chose, which it tells."""
    from bitwright import ir
    from bitwright.hw.flow.fit import Wish, choose_plan

    if options.board is None:
        raise UsageError("--fit chooses for a device: name a --board or a --part")
    network = ir.load(locate(args.network))
    chosen, told = choose_plan(network, pictures(args, options.plan, network), options.board,
                               Wish(args.rate, options.clock_hz), simplify=options.simplify)
    for line in told.splitlines():
        logger.info("%s", line)
    return dataclasses.replace(options, plan=chosen.plan)


def _estimate(args: argparse.Namespace, options: Options) -> None:
    """Say what a build would come to."""
    from bitwright import ir
    from bitwright.hw.flow.estimate import caveat, estimate, summary, to_json

    network = ir.load(locate(args.network))
    plan = options.plan if args.fit else _ways(
        args, options.plan, network, gated=options.family.gated)
    found = estimate(network, plan, options.family, options.board, simplify=options.simplify)
    if args.json:
        told = json.dumps(to_json(found, options.family, options.board), indent=2)
    else:
        told = summary(found, options.family, options.board)
    sys.stdout.write(told + "\n")
    logger.info("%s", caveat(found, options.family))


def _project(args: argparse.Namespace) -> None:
    """Write a project for the programs of a device's maker."""
    from bitwright import ir
    from bitwright.hw.flow.project import Project, lut_size

    _check_folder(args.project)
    site = boards.find(boards.DEFAULT if args.board is None else args.board)
    if args.uart is not None:
        site = dataclasses.replace(site, uart=boards.lines(args.uart, site.io))
    if args.baud is not None and site.clock_hz:
        try:
            divisor(site.clock_hz, args.baud)
        except ValueError as error:
            raise UsageError(f"--baud {args.baud}: {error}") from error
    path = locate(args.network)
    network = ir.load(path)
    plan = _ways(args, _plan(args, lut_size(site)), network)
    project = Project(title(path), network, plan, not args.no_simplify, site,
                      args.baud or site.baud,
                      Naming(args.module or module_name(title(path)), args.reset))
    command = project.write(args.project)
    logger.info("%s: a project; make the bitstream there with `%s`", args.project, command)


def _check_folder(folder: Path) -> None:
    """Refuse to mix a project with other files, before anything that takes long."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--project {folder}: it is a file; name a new folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "board.json").is_file():
        raise UsageError(f"--project {folder}: it is not empty, and holds no project; name a new "
                         "folder")


def _tell(args: argparse.Namespace, options: Options, report: dict[str, Any],
          fresh: bool) -> None:
    from bitwright.hw.flow.flash import FILE
    from bitwright.hw.flow.load import command, flash_command
    from bitwright.hw.link.record import OFFSET
    from bitwright.hw.report.figures import summary

    if fresh:
        logger.info("%s is up to date: network, plan, options and tools are those of the last "
                    "build", options.out)
    sys.stdout.write((json.dumps(report, indent=2) if args.json else summary(report)) + "\n")
    logger.info("report: %s", options.out / "report.html")
    board = options.board
    if board is not None and board.estimate:
        logger.info("an estimate: the whole design with the serial link, on pins that nobody chose")
    elif board is not None and options.stop_after == "route" and not args.program:
        place = board.family.place
        assert place is not None
        words = command(board, options.out / place.bitstream)
        if words is not None:
            logger.info("program the board: %s", shlex.join(words))
    if options.flash and not args.program:
        assert board is not None
        words = flash_command(board, options.out / FILE)
        logger.info("write the contents: %s",
                    f"{options.out / FILE} goes to byte {OFFSET:,} of the flash" if words is None
                    else shlex.join(words))


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
