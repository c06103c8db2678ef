"""Simulate the hardware of a frozen network, and compare every result with the golden model."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright import boards
from bitwright.command import guarded, natural, positive
from bitwright.errors import UsageError
from bitwright.hw.arguments import add_pictures, add_ways, form, pictures
from bitwright.hw.naming import RESETS, Naming, NamingError, module_name
from bitwright.locate import HELP, locate, name
from bitwright.sim.names import BUILT, LEVELS, SERIAL, SIMULATORS

if TYPE_CHECKING:
    from bitwright import ir
    from bitwright.hw.plan import Plan
    from bitwright.sim.options import Options
    from bitwright.sim.vectors import Vectors
    from bitwright.sim.verdict import Verdict

__all__ = ["main", "simulate"]

logger = logging.getLogger(__name__)

MALFORMED = 6
"""Malformed packets or damaged requests of a simulation, unless it is told otherwise."""

DAMAGED = 1
"""The same for the netlist of a build."""


def simulate(network: ir.Network, vectors: Vectors, options: Options, name: str) -> Verdict:
    """Simulate a network's hardware on some vectors.

    Parameters
    ----------
    network : ir.Network
        As it is to be built.
    vectors : Vectors
        At least one.
    name : str
        Of the folder for the files of this run, in ``options.out``.

    Raises
    ------
    ValueError
        If there is no vector.
    UserError
        A tool is missing or failed, or the folder is in use. One line, which a user can act on.
    """
    from bitwright.files import lock
    from bitwright.sim import simulator
    from bitwright.sim.verdict import Verdict

    if not len(vectors.features):
        raise ValueError("A simulation must have at least 1 vector, not 0")
    found = simulator.find(options.simulator)
    verdict = Verdict(level=options.level, vectors=len(vectors.features), source=vectors.source,
                      simulator=found.name, version=found.version, seed=options.seed,
                      stall=max(options.stall_in, options.stall_out))
    what = options.level if options.placed is None else f"{options.placed.board}-{options.level}"
    folder = (options.out / f"{name}-{what}").resolve()
    with lock(folder):
        if options.level in SERIAL:
            from bitwright.sim.serial_level import run_serial

            run_serial(network, vectors.features, options, found, verdict, folder)
        else:
            from bitwright.sim.stream_level import run_stream

            if options.level == "netlist":
                verdict.family = options.family
            run_stream(network, vectors.features, options, found, verdict, folder)
    return verdict


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 1, not {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright sim", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    _add_design(parser.add_argument_group("what is simulated"))
    _add_run(parser.add_argument_group("how"))
    return parser


def _add_design(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--level", choices=LEVELS,
                       help="the generated Verilog, the netlist after synthesis with the vendor's "
                            "cell models, the netlist that a build placed, through its pins, the "
                            "same as it came out of the router, or the board's design through a "
                            "modelled serial line (default: rtl, or placed with --build)")
    group.add_argument("--build", metavar="DIR", type=Path,
                       help="the build folder whose netlist levels placed and routed simulate")
    group.add_argument("--plan", metavar="FILE", type=Path,
                       help="choices of the realisation, as in plan.toml of a build")
    group.add_argument("--lanes", metavar="N", type=positive,
                       help="features in each beat (default: 1)")
    group.add_argument("--result-beat-bytes", metavar="N", type=natural,
                       help="bytes in each beat of a result (default: as in the plan)")
    group.add_argument("--module", metavar="NAME",
                       help="name of the block's module (default: the network's name)")
    group.add_argument("--reset", choices=RESETS,
                       help=f"reset of the block (default: {RESETS[0]})")
    add_ways(group)
    add_pictures(group)
    group.add_argument("--no-simplify", action="store_true",
                       help="simulate every node as it was frozen")
    group.add_argument("--family", metavar="NAME",
                       help="what level netlist synthesises for (default: the default board's)")
    group.add_argument("--board", metavar="NAME",
                       help="whose oscillator and baud rate level board has; the design at another "
                            "clock is level placed, from its build (default: "
                            f"{boards.DEFAULT})")


def _add_run(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--load", metavar="FILE",
                       help="at the levels with a serial line, write the contents of another "
                            "frozen network of the same structure over it first, and compare with "
                            "that one")
    group.add_argument("--vectors", metavar="N", type=positive,
                       help="how many samples (default: 200, or all of --features)")
    source = group.add_mutually_exclusive_group()
    source.add_argument("--features", metavar="FILE", type=Path,
                        help="take the samples of a file, raw ones where the network says how they "
                             "become features (default: the test set; without it the golden "
                             "vectors inside the network; without those, vectors at random)")
    source.add_argument("--golden", action="store_true",
                        help="take the golden vectors inside the network")
    source.add_argument("--random", action="store_true",
                        help="draw vectors at random, the corners and the thresholds among them")
    group.add_argument("--integers", action="store_true",
                       help="the file of --features has integer features, not raw samples")
    group.add_argument("--data-dir", metavar="DIR", type=Path,
                       help="where the files of the data set are")
    group.add_argument("--simulator", choices=SIMULATORS,
                       help=f"(default: the first of {', '.join(SIMULATORS)} that is installed)")
    group.add_argument("--stall", metavar="RATE", type=_rate, default=0.3,
                       help="share of cycles in which either side stalls (default: %(default)s)")
    group.add_argument("--resets", metavar="N", type=natural, default=2,
                       help="resets in mid-stream (default: %(default)s)")
    group.add_argument("--malformed", metavar="N", type=natural,
                       help="malformed packets, or requests with damage on a serial line (default: "
                            f"{MALFORMED}, or {DAMAGED} with --build: a board waits 20 ms after "
                            "each, millions of cycles)")
    group.add_argument("--seed", metavar="N", type=natural, default=1,
                       help="of vectors, stalls, resets, damage and of what registers hold before "
                            "they are set (default: %(default)s)")
    group.add_argument("--waves", action="store_true",
                       help="write waves, and print where they are")
    group.add_argument("--inject", metavar="FAULT",
                       help="plant a fault, which must be noticed: beat, result, scores, "
                            "table, threshold or wires")
    group.add_argument("--out", metavar="DIR", type=Path, default=Path("build") / "sim",
                       help="folder for compiled models, logs and waves (default: %(default)s)")
    group.add_argument("--json", action="store_true", help="print the counts as JSON")


def _plan(args: argparse.Namespace) -> Plan:
    from bitwright.hw.plan import Plan

    return Plan.chosen(args.plan, Plan(lanes=args.lanes or 1), args.result_beat_bytes)


def _check(args: argparse.Namespace) -> None:
    """See that the arguments go together.

    Raises
    ------
    UsageError
        If they do not.
    """
    from bitwright.hw import families
    from bitwright.sim import faults

    args.level = args.level or ("rtl" if args.build is None else "placed")
    for flag, value, levels in (("--family", args.family, ("netlist",)),
                                ("--board", args.board, ("board",)),
                                ("--build", args.build, BUILT)):
        if value is not None and args.level not in levels:
            raise UsageError(f"{flag} is for --level {' or '.join(levels)}, not {args.level}")
    if args.level in BUILT:
        if args.build is None:
            raise UsageError(f"--level {args.level} needs --build DIR, the folder of a build")
        for flag, value in (("--plan", args.plan), ("--lanes", args.lanes), ("--fold", args.fold),
                            ("--result-beat-bytes", args.result_beat_bytes),
                            ("--large", args.large or None),
                            ("--streamed", args.streamed or None),
                            ("--parallel", args.parallel or None),
                            ("--serial-head", args.serial_head), ("--video", args.video),
                            ("--replay", args.replay), ("--early-exit", args.early_exit),
                            ("--no-simplify", args.no_simplify or None)):
            if value is not None:
                raise UsageError(f"{flag} does not go with --build, whose design is made already")
    for flag, value in (("--module", args.module), ("--reset", args.reset)):
        if value is not None and args.level in SERIAL:
            raise UsageError(f"{flag} is for --level rtl or netlist, not {args.level}")
    try:
        Naming(args.module or "top")
    except NamingError as error:
        raise UsageError(f"--module: {error}") from error
    if args.load is not None and args.level not in SERIAL:
        raise UsageError(f"--load is for --level board, placed or routed, not {args.level}")
    if args.integers and args.features is None:
        raise UsageError("--integers is for --features FILE")
    if args.plan is not None and args.lanes is not None:
        raise UsageError("--lanes does not go with --plan, which says them")
    if args.family is not None:
        families.get(args.family)
    if args.inject is not None and args.inject not in faults.KINDS:
        raise UsageError(f"--inject must be one of {', '.join(faults.KINDS)}, not {args.inject!r}")


def _options(args: argparse.Namespace, frozen: ir.Network,
             network_name: str) -> tuple[Options, bool]:
    """Settings of a simulation, and whether the network is simplified first."""
    from bitwright.hw import families
    from bitwright.hw.rtl.layers import formed
    from bitwright.sim import placed
    from bitwright.sim.options import Options

    board, family = args.board or Options.board, args.family or Options.family
    build, plan, simplify = None, None, not args.no_simplify
    malformed = args.malformed
    if malformed is None:
        malformed = MALFORMED if args.build is None else DAMAGED
    naming = Naming(args.module or module_name(network_name), args.reset or RESETS[0])
    if args.build is not None:
        build = placed.load(args.build, routed=args.level == "routed")
        plan, simplify = build.plan, build.simplify
    else:
        fabric = boards.get(board).family if args.level in SERIAL else families.get(family)
        plan = formed(pictures(args, _plan(args), frozen), frozen, form(args),
                      gated=fabric.gated)
    return Options(level=args.level, simulator=args.simulator, plan=plan,
                   family=family, board=board, placed=build, naming=naming,
                   stall_in=args.stall, stall_out=args.stall, resets=args.resets,
                   malformed=malformed, seed=args.seed, waves=args.waves, out=args.out,
                   frozen=frozen), simplify


def _vectors(args: argparse.Namespace, frozen: ir.Network) -> Vectors:
    from bitwright.sim import vectors

    if args.features is not None:
        return vectors.from_file(frozen, args.features, integers=args.integers, count=args.vectors)
    if args.golden:
        return vectors.golden(frozen, args.vectors)
    if args.random:
        return vectors.random(frozen, args.vectors, args.seed)
    return vectors.choose(frozen, count=args.vectors, seed=args.seed, data_dir=args.data_dir)


def _run(args: argparse.Namespace) -> Verdict:
    from bitwright import ir
    from bitwright.extras import need
    from bitwright.hw.contents import as_built
    from bitwright.sim import faults

    _check(args)
    need("amaranth")
    path = locate(args.network)
    frozen = ir.load(path)
    options, simplify = _options(args, frozen, name(path))
    vectors = _vectors(args, frozen)
    network = as_built(frozen, options.plan, simplify=simplify)
    if args.load is not None:
        options = dataclasses.replace(options, contents=ir.load(locate(args.load)))
    if args.inject is not None:
        fault = faults.plant(args.inject, network, vectors.features, plan=options.plan,
                             naming=options.naming, seed=args.seed)
        logger.info("planted: %s", fault.description)
        options = dataclasses.replace(options, faults=fault.faults)
    logger.info("%s: %d vectors, %s", path, len(vectors.features), vectors.source)
    return simulate(network, vectors, options, name(path))


def _report(verdict: Verdict, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(verdict), indent=2) + "\n")
    else:
        sys.stdout.write(verdict.summary + "\n")
    if verdict.waves is not None:
        logger.info("waves: %s", verdict.waves)
    for note in verdict.notes:
        logger.info("%s", note)
    if verdict.failure is not None:
        logger.error("%s", verdict.failure)
        return 1
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    return guarded(lambda: _report(_run(args), args.json))


if __name__ == "__main__":
    sys.exit(main())
