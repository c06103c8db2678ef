"""Running a compiled bench to its end, with a progress bar."""

import contextlib
import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bitwright.sim.simulator import Model, SimulatorError

__all__ = ["run_bench"]

PATIENCE = 600.0
"""Seconds in which a simulation must go on by :data:`sim.job.BEAT` cycles. A design that hangs is
noticed by its bench, which counts cycles; but a loop of logic may stop the time itself."""


def run_bench(model: Model, bench: str, job: Mapping[str, Any], folder: Path, *, total: int,
              title: str, plusargs: Sequence[str] = (), seed: int = 1,
              patience: float = PATIENCE) -> dict[str, Any]:
    """Run a bench and read its outcome.

    Parameters
    ----------
    job : mapping
        Fields of its job; ``progress`` and ``outcome`` are files in ``folder``.
    total : int
        What the progress counts up to.
    seed : int
        Of the values that registers start with.
    patience : float
        Seconds in which simulated time must move.

    Returns
    -------
    dict
        Fields of its outcome; ``error`` is set if the bench failed in whatever way.

    Raises
    ------
    SimulatorError
        If the simulation ended without an outcome, or its time stood still.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcome, progress = Path(job["outcome"]), Path(job["progress"])
    for old in (outcome, progress, folder / "results.xml"):
        old.unlink(missing_ok=True)
    (folder / "job.json").write_text(json.dumps(dict(job)), encoding="utf-8")
    process = model.start(bench, folder, {"BITWRIGHT_JOB": str(folder / "job.json")}, plusargs,
                          seed=seed)
    try:
        with tqdm(total=total, desc=title, unit="vector", file=sys.stderr, leave=False,
                  disable=None) as bar:
            if not _ended(process, progress, bar, patience):
                raise SimulatorError(f"{model.simulator.name}: simulated time stood still for "
                                     f"{patience:g} s, as in a loop of logic without a register; "
                                     f"see {folder / 'simulation.log'}")
    finally:
        if process.poll() is None:  # interrupted, or out of patience
            process.kill()
            process.wait()
    failure = _failure(folder / "results.xml")
    if not outcome.exists():
        raise SimulatorError(f"{model.simulator.name}: the simulation broke off "
                             f"({failure or _last_line(folder / 'simulation.log')}); see "
                             f"{folder / 'simulation.log'}")
    found = json.loads(outcome.read_text(encoding="utf-8"))
    found["error"] = found["error"] or failure
    return found


def _ended(process: subprocess.Popen[bytes], progress: Path, bar: tqdm, patience: float) -> bool:
    """Wait for the end, and show the progress. Returns False when out of patience."""
    beat, deadline = None, time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
            return True
        if progress.exists() and progress.stat().st_mtime_ns != beat:
            beat, deadline = progress.stat().st_mtime_ns, time.monotonic() + patience
            bar.update(int(progress.read_text(encoding="utf-8")) - bar.n)
    return False


def _failure(results: Path) -> str | None:
    """Why cocotb says that the bench failed."""
    if not results.exists():
        return None
    for node in ElementTree.parse(results).iter():
        if node.tag in ("failure", "error"):
            text = node.get("error_msg") or node.get("message") or node.text or node.tag
            return text.strip().splitlines()[0]
    return None


def _last_line(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
