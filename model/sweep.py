"""Try many settings of a recipe and keep the best networks: python -m model.sweep [SPEC]."""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright.command import above_zero, add_data_dir, guarded, positive, share
from bitwright.errors import UsageError
from bitwright.extras import need

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from bitwright.model.sweeping.engine import Engine
    from bitwright.model.sweeping.front import Point
    from bitwright.model.sweeping.goal import Goal
    from bitwright.model.sweeping.spec import Spec
    from bitwright.model.sweeping.trial import Estimator

    Engines = Callable[[Callable[..., None]], Engine]

logger = logging.getLogger("model.sweep")

__all__ = ["main"]

FOUND = "found.safetensors"
"""The network that has what was asked for."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright sweep", description=(
        "Train a recipe with many settings, give losing trials up early, and keep the networks "
        "that no other one beats, by the validation split and the LUTs they are estimated to "
        "take. Killed at any moment, the same command goes on."))
    parser.add_argument("spec", metavar="SPEC", nargs="?", default="digits",
        help="name of a sweep that comes with the package, or path of a .toml file (default: "
             "%(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path,
        help="folder of the sweep (default: runs/sweep- and the name of the spec)")
    parser.add_argument("--trials", metavar="N", type=positive,
        help="trials in all, those of earlier calls included (default: the spec's)")
    parser.add_argument("--processes", metavar="N", type=positive,
        help="processes side by side (default: the spec's)")
    parser.add_argument("--address", metavar="ADDRESS",
        help="do the trials and builds by Ray: on the cluster whose head is at HOST:PORT, on the "
             "one that this machine is a node of (auto), or on this machine (local); --processes "
             "is then all cores of the cluster by default")
    parser.add_argument("--board", metavar="NAME",
        help="board, part or family that the network is for (default: the spec's target)")
    parser.add_argument("--rate", metavar="N", type=above_zero,
        help="samples a second that the design must take on the board: what is estimated is the "
             "smallest that does (default: the spec's)")
    parser.add_argument("--accuracy", metavar="SHARE", type=share,
        help="stop as soon as a network has at least this on the validation split, from 0 to 1, "
             "and holds --luts and --rate as built")
    parser.add_argument("--luts", metavar="N", type=positive,
        help="stop as soon as a network takes no more LUTs, and holds --accuracy and --rate")
    parser.add_argument("--build", action="store_true",
        help="build the front's networks at the end, to see what the estimates come to")
    add_data_dir(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if it did what was asked, else 1."""
    args = _parser().parse_args(argv)
    return guarded(lambda: _sweep(args), interrupted=(
        "stopped; the same command goes on where it was, and nothing is lost"))


def _sweep(args: argparse.Namespace) -> None:
    need("optuna", "torch", "tensorboard", "matplotlib", "amaranth")
    from bitwright import files
    from bitwright.library import estimate, option
    from bitwright.model.sweeping.forms import try_form
    from bitwright.model.sweeping.front import front, points
    from bitwright.model.sweeping.goal import Goal
    from bitwright.model.sweeping.ledger import Ledger
    from bitwright.model.sweeping.spec import no_estimate
    from bitwright.model.sweeping.sweep import SPEC, claim

    spec = _spec(args)
    goal = Goal(args.accuracy, args.luts, spec.rate)
    if args.luts is not None and "luts" not in spec.objectives:
        raise UsageError(f"--luts needs 'luts' among the objectives of {args.spec}")
    build_option = option(spec.target, spec.rate)  # before a folder is claimed for a target
    if "fmax_mhz" in spec.objectives and build_option not in ("--board", "--part"):
        raise no_estimate(spec.target, "fmax_mhz")
    out = args.out or Path("runs", f"sweep-{Path(args.spec).stem}")
    with files.lock(out):
        if spec.form.given and not (out / SPEC).exists():
            try_form(args.spec, spec, args.data_dir, partial(estimate, form=spec.form))
        claim(out, spec)
        with _engines(args, spec) as engines:
            hit, real = _search(args, spec, out, goal, engines)
            trials = Ledger(out, spec).trials
            if args.build:
                _built(out, front(points(trials), spec.objectives), spec, engines)
        _tell(out, spec, trials)
        if goal.asked:
            _tell_hit(out, spec, goal, hit, build_option,
                      {point.number: point.figures | real.get(point.number, {})
                       for point in points(trials)})


def _spec(args: argparse.Namespace) -> Spec:
    from dataclasses import replace

    from bitwright.model.sweeping.spec import load_spec

    spec = load_spec(args.spec)
    if args.rate is not None and spec.form.given:
        raise UsageError(f"--rate chooses the form by itself, and {args.spec} has {spec.form}; "
                         "leave one of both out")
    return replace(spec, trials=args.trials or spec.trials, target=args.board or spec.target,
                   rate=args.rate or spec.rate)


@contextlib.contextmanager
def _engines(args: argparse.Namespace, spec: Spec) -> Iterator[Engines]:
    """What makes an engine for some work. One is closed before the next is made."""
    if args.address is None:
        from bitwright.model.sweeping.engine import Processes

        yield partial(Processes, args.processes or spec.processes)
        return
    from bitwright.cluster import LOCAL, Cluster
    from bitwright.model.sweeping.remote import Remote

    count = args.processes or (spec.processes if args.address == LOCAL else None)
    with contextlib.closing(Cluster(args.address, count)) as cluster:
        yield partial(Remote, cluster, count or cluster.cores)


def _search(args: argparse.Namespace, spec: Spec, out: Path, goal: Goal,
            engines: Engines) -> tuple[Point | None, dict[int, dict[str, float]]]:
    """Do the trials until one has what is asked for, as built, or all are done. Returns it, and
    what came of those that were built for it."""
    from bitwright.model.sweeping.front import point_of
    from bitwright.model.sweeping.sweep import Sweep
    from bitwright.model.sweeping.trial import work
    from bitwright.model.sweeping.watch import Watch

    real: dict[int, dict[str, float]] = {}

    def enough(trial: FrozenTrial) -> bool:
        return goal.asked and trial.number not in real and not goal.missed(
            trial.user_attrs["figures"])

    while True:
        trial = partial(work, estimate=_estimator(spec))
        with contextlib.closing(engines(trial)) as engine, Watch(spec.trials) as watch:
            sweep = Sweep(spec, out, engine, args.data_dir, watch.done)
            sweep.run(enough)
        hit = next((point_of(trial) for trial in sweep.ledger.completed() if enough(trial)), None)
        if hit is None:
            return None, real
        built = _built(out, [hit], spec, engines)
        real[hit.number] = built.get(hit.number, {"fits": 0.0})
        missed = goal.missed(hit.figures | real[hit.number])
        if not missed:
            return hit, real
        logger.info("trial %d: as built it has %s; the search goes on", hit.number, missed)


def _estimator(spec: Spec) -> Estimator:
    from bitwright.library import estimate
    from bitwright.model.sweeping.forms import in_form

    if spec.form.given:
        return partial(in_form, estimate=estimate, form=spec.form)
    return partial(estimate, rate=spec.rate)


def _built(out: Path, chosen: Sequence[Point], spec: Spec,
           engines: Engines) -> dict[int, dict[str, float]]:
    """Build networks for the target. Returns the figures of all that are built."""
    from bitwright.library import measure
    from bitwright.model.sweeping.builds import build, build_all

    with contextlib.closing(engines(partial(build, measure=measure))) as engine:
        return build_all(out, chosen, spec, engine)


def _tell(out: Path, spec: Spec, trials: Sequence[FrozenTrial]) -> None:
    """Write table, picture and networks, and print the front."""
    from bitwright import files
    from bitwright.model.sweeping.builds import known
    from bitwright.model.sweeping.front import TABLE, front, points, tell, write_networks
    from bitwright.model.sweeping.picture import PICTURE, draw
    from bitwright.model.sweeping.spec import SweepError

    found = points(trials)
    if not found:
        failures = [trial.user_attrs["failure"] for trial in trials
                    if "failure" in trial.user_attrs]
        raise SweepError(f"{out}: no trial of {len(trials)} came to its end; the first: "
                         f"{failures[0]}")
    best, built = front(found, spec.objectives), known(out)
    write_networks(out, best)
    places = [(built[point.number]["luts"], 100 * point.figures["validation"])
              for point in best if point.number in built]
    files.write_atomic(out / PICTURE, draw(found, best, spec.where, f"Sweep of {spec.base.name}",
                                           {"front, as built": places}))
    sys.stdout.write(tell(out, spec, trials, built) + "\n")
    logger.info("table: %s, picture: %s", out / TABLE, out / PICTURE)


def _tell_hit(out: Path, spec: Spec, goal: Goal, hit: Point | None, option: str | None,
              figures: Mapping[int, Mapping[str, float]]) -> None:
    """Say which network has what was asked for, or which is the nearest.

    ``option`` is that of a build for the target; None where it is for boards of a family only.
    """
    from bitwright import files
    from bitwright.model.sweeping.sweep import run_folder
    from bitwright.model.training.folder import NETWORK

    if hit is None:
        raise goal.nothing(out, figures)
    network = out / FOUND
    files.write_atomic(network, (run_folder(out, hit.number, hit.seed) / NETWORK).read_bytes())
    own = figures[hit.number]
    more = "" if "fmax_mhz" not in own else (
        f", {own['fmax_mhz']:.1f} MHz, {own['per_second']:,.0f} samples/s")
    sys.stdout.write(f"\nfound: trial {hit.number}, {100 * own['validation']:.2f} % on the "
                     f"validation split, {own['luts']:,.0f} LUTs on {spec.target}{more}, as "
                     f"built: {network}\n")
    target = ["--board", "NAME"] if option is None else [option, spec.target]
    words = ["bitwright", "build", str(network), *target, *spec.form.options,
             *([] if spec.rate is None else ["--fit", "--rate", f"{math.ceil(spec.rate)}"])]
    of = "" if option else f", NAME being one of bitwright boards --family {spec.target}"
    sys.stdout.write(f"build it with: {shlex.join(words)}{of}\n")


if __name__ == "__main__":
    sys.exit(main())
