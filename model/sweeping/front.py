"""What a sweep found: the front, as a table, and its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import stdev
from typing import TYPE_CHECKING, Any

from bitwright import files
from bitwright.model.sweeping.spec import OBJECTIVES, Spec
from bitwright.model.sweeping.sweep import run_folder
from bitwright.model.training.folder import NETWORK

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

__all__ = ["FRONT", "TABLE", "Point", "front", "point_of", "points", "tell", "write_networks"]

FRONT, TABLE = "front", "pareto.md"

_HEADS = {"luts": "LUTs", "fmax_mhz": "Fmax, MHz", "per_second": "samples/s"}
_HARDWARE = tuple(_HEADS)


@dataclass(frozen=True)
class Point:
    """A trial that came to its end.

    Parameters
    ----------
    number : int
    settings : dict
        Those that vary.
    figures : dict of str to float
        Means over the seeds: ``validation``, and what was estimated.
    runs : tuple of dict
        The same of each seed.
    """

    number: int
    settings: dict[str, Any]
    figures: dict[str, float]
    runs: tuple[dict[str, Any], ...]

    @property
    def seed(self) -> int:
        """The seed whose network is the best one on the validation split."""
        return int(max(self.runs, key=lambda run: run["validation"])["seed"])

    @property
    def spread(self) -> float | None:
        """Standard deviation of the validation metric over the seeds."""
        values = [run["validation"] for run in self.runs]
        return stdev(values) if len(values) > 1 else None


def points(trials: Sequence[FrozenTrial]) -> list[Point]:
    """Trials that came to their end, by number."""
    from optuna.trial import TrialState

    return [point_of(trial) for trial in trials if trial.state == TrialState.COMPLETE]


def point_of(trial: FrozenTrial) -> Point:
    """A trial that came to its end, as a point."""
    return Point(trial.number, dict(trial.params), dict(trial.user_attrs["figures"]),
                 tuple(trial.user_attrs["runs"]))


def front(found: Sequence[Point], objectives: Sequence[str]) -> list[Point]:
    """Points that no other one is better than: at least as good everywhere, and better somewhere.

    The best of the first objective comes first; of equal points only the first is there.
    """
    def reached(point: Point) -> tuple[float, ...]:
        return tuple(point.figures[name] * (1 if OBJECTIVES[name] == "maximize" else -1)
                     for name in objectives)

    best: list[Point] = []
    for point in sorted(found, key=lambda point: (reached(point), -point.number), reverse=True):
        if not any(all(theirs >= ours for theirs, ours in zip(reached(other), reached(point),
                                                              strict=True)) for other in best):
            best.append(point)
    return best


def write_networks(out: Path, best: Sequence[Point]) -> None:
    """Copy the front's networks: of each, the one of the seed that validation picks."""
    names = {f"{point.number:04}.safetensors": point for point in best}
    folder = out / FRONT
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.safetensors"):
        if path.name not in names:
            path.unlink()
    for name, point in names.items():
        source = run_folder(out, point.number, point.seed) / NETWORK
        if not (folder / name).exists():
            files.write_atomic(folder / name, source.read_bytes())


def tell(out: Path, spec: Spec, trials: Sequence[FrozenTrial],
         built: Mapping[int, Mapping[str, float]] | None = None) -> str:
    """Write the table of a sweep, and return that of its front.

    Parameters
    ----------
    out : Path
    spec : Spec
    trials : sequence
    built : mapping, optional
        What builds came to, by number of the trial.
    """
    found = points(trials)
    best = front(found, spec.objectives)
    lines = _table(best, spec, built or {})
    every = _table(sorted(found, key=lambda point: point.number), spec, {})
    states = [trial.state.name for trial in trials]
    text = "\n".join([
        f"# Sweep of {spec.base.name}", "",
        (f"{len(trials)} trials: {states.count('COMPLETE')} done, {states.count('PRUNED')} given "
         f"up before their end, {states.count('FAIL')} failed. Chosen by the validation split; the "
         "test split chose nothing."), "", "## Front", "",
        *lines, "", f"Its networks are in `{FRONT}/`, by number of the trial.", "",
        "## All that came to their end", "", *every, ""])
    files.write_atomic(out / TABLE, text)
    return "\n".join(lines)


def _table(rows: Sequence[Point], spec: Spec,
           built: Mapping[int, Mapping[str, float]]) -> list[str]:
    hardware = [name for name in _HARDWARE if rows and name in rows[0].figures]
    real = [name for name in _HARDWARE if any(name in figures for figures in built.values())]
    seeds = len(spec.seeds) > 1
    heads = ["trial", "validation", *(["sd"] if seeds else []),
             *(f"{_HEADS[name]} ({spec.where}, estimated)" for name in hardware),
             *(f"{_HEADS[name]} (built)" for name in real), "epochs", *spec.ranges]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for point in rows:
        spread = [] if point.spread is None else [_share(point.spread)]
        epochs = ", ".join(str(run["epochs"]) for run in point.runs)
        cells = [str(point.number), _share(point.figures["validation"]), *spread,
                 *(f"{point.figures[name]:,.0f}" for name in hardware),
                 *(f"{built[point.number][name]:,.0f}" if point.number in built else ""
                   for name in real), epochs,
                 *(_value(point.settings[path]) for path in spec.ranges)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _share(value: float) -> str:
    return f"{100 * value:.2f} %"


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
