"""Simulate the hardware of a frozen network, and compare every result with the golden model."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright import ir
from bitwright.ir.locate import FILE_NAME, HELP, locate

if TYPE_CHECKING:
    from bitwright.hw.plan import Plan
    from bitwright.sim.options import Options
    from bitwright.sim.vectors import Vectors
    from bitwright.sim.verdict import Verdict

__all__ = ["main", "simulate"]

logger = logging.getLogger(__name__)

FAMILIES = ("ice40", "ecp5")
SIMULATORS = ("verilator", "icarus")
LEVELS = ("rtl", "netlist", "board")


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
    BusyError, ToolError, SimulatorError
        One line each, which a user can act on.
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
    folder = (options.out / f"{name}-{options.level}").resolve()
    with lock(folder):
        if options.level == "board":
            from bitwright.sim.serial_level import run_serial

            run_serial(network, vectors.features, options, found, verdict, folder)
        else:
            from bitwright.sim.stream_level import run_stream

            if options.level == "netlist":
                verdict.family = options.family
            run_stream(network, vectors.features, options, found, verdict, folder)
    return verdict


class _UsageError(ValueError):
    """Arguments that do not go together."""


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, not {value}")
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 1, not {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sim.run", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--level", choices=LEVELS, default="rtl",
                        help="the generated Verilog, the netlist after synthesis with the "
                             "vendor's cell models, or the board's design through a modelled "
                             "serial line (default: %(default)s)")
    parser.add_argument("--vectors", metavar="N", type=_positive,
                        help="how many samples, at random from the test set (default: 200)")
    parser.add_argument("--golden", action="store_true",
                        help="take the golden vectors inside the file (default: only if the data "
                             "set is not there)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path,
                        help="where the files of the data set are")
    parser.add_argument("--simulator", choices=SIMULATORS,
                        help="(default: verilator, or icarus if only that is installed)")
    parser.add_argument("--stall", metavar="RATE", type=_rate, default=0.3,
                        help="share of cycles in which either side stalls (default: %(default)s)")
    parser.add_argument("--resets", metavar="N", type=_natural, default=2,
                        help="resets in mid-stream (default: %(default)s)")
    parser.add_argument("--seed", metavar="N", type=_natural, default=1,
                        help="of vectors, stalls, resets and damage (default: %(default)s)")
    plan = parser.add_mutually_exclusive_group()
    plan.add_argument("--plan", metavar="FILE", type=Path,
                      help="choices of the realisation, as in plan.toml of a build")
    plan.add_argument("--lanes", metavar="N", type=_positive,
                      help="features in each beat (default: 1)")
    parser.add_argument("--fold", metavar="CYCLES", type=int,
                        help="keep the weights of every node that can be folded in memory, and "
                             "take so many cycles a frame (default: as in the plan)")
    parser.add_argument("--family", choices=FAMILIES,
                        help="what level netlist synthesises for (default: ice40)")
    parser.add_argument("--board", metavar="NAME",
                        help="whose clock and baud rate level board has (default: icebreaker)")
    parser.add_argument("--no-simplify", action="store_true",
                        help="simulate every node as it was frozen")
    parser.add_argument("--waves", action="store_true",
                        help="write waves, and print where they are")
    parser.add_argument("--inject", metavar="FAULT",
                        help="plant a fault, which must be noticed: beat, result, scores, "
                             "table, threshold or wires")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("build") / "sim",
                        help="folder for compiled models, logs and waves (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    return parser


def _plan(args: argparse.Namespace) -> Plan:
    from bitwright.hw.plan import Plan, PlanError

    if args.plan is None:
        return Plan(lanes=args.lanes or 1)
    try:
        return Plan.load(args.plan)
    except PlanError as error:
        raise PlanError(f"{args.plan}: {error}") from error


def _run(args: argparse.Namespace) -> Verdict:
    from bitwright.hw.contents import as_built
    from bitwright.hw.rtl.layers import folded
    from bitwright.sim import faults
    from bitwright.sim.options import Options
    from bitwright.sim.vectors import choose

    if args.family is not None and args.level != "netlist":
        raise _UsageError(f"--family is for --level netlist, not {args.level}")
    if args.board is not None and args.level != "board":
        raise _UsageError(f"--board is for --level board, not {args.level}")
    if args.inject is not None and args.inject not in faults.KINDS:
        raise _UsageError(f"--inject must be one of {', '.join(faults.KINDS)}, "
                          f"not {args.inject!r}")
    path = locate(args.network)
    frozen = ir.load(path)
    vectors = choose(frozen, count=args.vectors, seed=args.seed, golden=args.golden,
                     data_dir=args.data_dir)
    plan = _plan(args)
    if args.fold is not None:
        plan = folded(plan, frozen, args.fold)
    network = as_built(frozen, plan, simplify=not args.no_simplify)
    options = Options(level=args.level, simulator=args.simulator, plan=plan,
                      family=args.family or "ice40", board=args.board or "icebreaker",
                      stall_in=args.stall, stall_out=args.stall, resets=args.resets,
                      seed=args.seed, waves=args.waves, out=args.out, frozen=frozen)
    if args.inject is not None:
        fault = faults.plant(args.inject, network, vectors.features, lanes=plan.lanes,
                             seed=args.seed)
        logger.info("planted: %s", fault.description)
        options = dataclasses.replace(options, faults=fault.faults)
    logger.info("%s: %d vectors, %s", path, len(vectors.features), vectors.source)
    name = path.parent.name if path.name == FILE_NAME else path.stem
    return simulate(network, vectors, options, name)


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    from bitwright.boards import BoardError
    from bitwright.files import BusyError
    from bitwright.hw.flow.toolchain import ToolError
    from bitwright.hw.limits import WidthError
    from bitwright.hw.plan import PlanError
    from bitwright.sim.simulator import SimulatorError
    from bitwright.sim.vectors import VectorsError

    try:
        verdict = _run(args)
    except (_UsageError, BoardError) as error:
        logger.error("%s", error)
        return 2
    except (ir.ArtifactError, BusyError, PlanError, SimulatorError, ToolError, VectorsError,
            WidthError, OSError) as error:
        logger.error("%s", error)
        return 1
    if args.json:
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


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
