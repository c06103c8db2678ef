"""Try many settings of a recipe and keep the best networks: python -m model.sweep [SPEC]."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright.command import add_data_dir, guarded, positive
from bitwright.extras import need

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from bitwright.model.sweeping.spec import Spec

logger = logging.getLogger("model.sweep")

__all__ = ["main"]


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
    add_data_dir(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if it did what was asked, else 1."""
    args = _parser().parse_args(argv)
    return guarded(lambda: _sweep(args), interrupted=(
        "stopped; the same command goes on where it was, and nothing is lost"))


def _sweep(args: argparse.Namespace) -> None:
    need("optuna", "torch", "tensorboard", "matplotlib", "amaranth")
    from dataclasses import replace

    from bitwright import files
    from bitwright.library import estimate
    from bitwright.model.sweeping.engine import Processes
    from bitwright.model.sweeping.spec import load_spec
    from bitwright.model.sweeping.sweep import Sweep, claim
    from bitwright.model.sweeping.trial import work
    from bitwright.model.sweeping.watch import Watch

    spec = load_spec(args.spec)
    spec = replace(spec, trials=args.trials or spec.trials,
                   processes=args.processes or spec.processes)
    out = args.out or Path("runs", f"sweep-{Path(args.spec).stem}")
    with files.lock(out):
        claim(out, spec)
        engine = Processes(spec.processes, partial(work, estimate=estimate))
        with Watch(spec.trials) as watch:
            sweep = Sweep(spec, out, engine, args.data_dir, watch.done)
            try:
                sweep.run()
            finally:
                engine.close()
        _tell(out, spec, sweep.ledger.trials)


def _tell(out: Path, spec: Spec, trials: Sequence[FrozenTrial]) -> None:
    """Write table, picture and networks, and print the front."""
    from bitwright import files
    from bitwright.model.sweeping.front import TABLE, front, points, tell, write_networks
    from bitwright.model.sweeping.picture import PICTURE, draw
    from bitwright.model.sweeping.spec import SweepError

    found = points(trials)
    if not found:
        failures = [trial.user_attrs["failure"] for trial in trials
                    if "failure" in trial.user_attrs]
        raise SweepError(f"{out}: no trial of {len(trials)} came to its end; the first: "
                         f"{failures[0]}")
    best = front(found, spec.objectives)
    write_networks(out, best)
    files.write_atomic(out / PICTURE, draw(found, best, spec.target, f"Sweep of {spec.base.name}"))
    sys.stdout.write(tell(out, spec, trials) + "\n")
    logger.info("table: %s, picture: %s", out / TABLE, out / PICTURE)


if __name__ == "__main__":
    sys.exit(main())
