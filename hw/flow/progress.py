"""How far the router is, for whoever watches a terminal."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

__all__ = ["routed", "routing"]

_ARCS = re.compile(r"Routing (\d+) arcs")
_LEFT = re.compile(r"^Info:\s+\d+ \|\s*\d+\s+\d+ \|\s*\d+\s+\d+ \|\s*(\d+)\|", re.MULTILINE)
_OVERUSED = re.compile(r"iter=\d+ wires=(\d+) overused=(\d+)")

_PERIOD_S = 0.5


def routed(log: str) -> float:
    """Share of a design that is routed, by what nextpnr has printed so far.

    The first router counts the connections that are left, the second the wires that several nets
    lay claim to.
    """
    if found := _OVERUSED.findall(log):
        wires, overused = map(int, found[-1])
        return max(0.0, 1 - overused / max(1, wires))
    if (arcs := _ARCS.findall(log)) and (left := _LEFT.findall(log)):
        return max(0.0, 1 - int(left[-1]) / max(1, int(arcs[-1])))
    return 0.0


class _Bar:
    """One bar over all placements that run at a time: the mean of what is routed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: list[Path] = []
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, log: Path) -> None:
        with self._lock:
            self._logs.append(log)
            if self._thread is None:
                self._ended.clear()
                self._thread = threading.Thread(target=self._show, daemon=True)
                self._thread.start()

    def remove(self, log: Path) -> None:
        with self._lock:
            self._logs.remove(log)
            thread, last = self._thread, not self._logs
            if last:
                self._thread = None
        if last and thread is not None:
            self._ended.set()
            thread.join()

    def _show(self) -> None:
        with tqdm(total=100, desc="place and route", file=sys.stderr, leave=False,
                  dynamic_ncols=True, bar_format="{desc} |{bar}| {percentage:.0f} % routed, "
                  "{elapsed}") as bar:
            while not self._ended.wait(_PERIOD_S):
                with self._lock:
                    shares = [routed(_read(log)) for log in self._logs]
                if shares:
                    bar.n = 100 * sum(shares) / len(shares)
                bar.refresh()


def _read(log: Path) -> str:
    """What is in a log, nothing if there is none yet."""
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


_bar = _Bar()


@contextlib.contextmanager
def routing(log: Path) -> Iterator[None]:
    """While nextpnr writes a log, show the share that is routed, and the time it took, where stderr
    is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    log.unlink(missing_ok=True)  # of the last time
    _bar.add(log)
    try:
        yield
    finally:
        _bar.remove(log)
