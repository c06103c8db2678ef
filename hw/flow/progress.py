"""How far the router is, for whoever watches a terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

from tqdm import tqdm

__all__ = ["routing"]

_PERIOD_S = 0.5


class _Bar:
    """One bar over all placements that run at a time: the mean of what is routed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shares: dict[object, float] = {}
        self._shown: tqdm[None] | None = None
        self._due = 0.0

    def tell(self, placement: object, share: float) -> None:
        """Say what share of a placement is routed; shown a few times a second at most."""
        with self._lock:
            self._shares[placement] = share
            if self._shown is None:
                self._shown = tqdm(
                    total=100, desc="place and route", file=sys.stderr, leave=False,
                    dynamic_ncols=True,
                    bar_format="{desc} |{bar}| {percentage:.0f} % routed, {elapsed}")
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + _PERIOD_S
                self._shown.n = round(100 * sum(self._shares.values()) / len(self._shares))
                self._shown.refresh()

    def remove(self, placement: object) -> None:
        """Forget a placement; with the last one the bar goes."""
        with self._lock:
            del self._shares[placement]
            if not self._shares and self._shown is not None:
                self._shown.close()
                self._shown, self._due = None, 0.0


_bar = _Bar()


@contextlib.contextmanager
def routing() -> Iterator[Callable[[float], None]]:
    """While nextpnr runs, show the share that is routed, and the time it took, where stderr is a
    terminal.

    Yields
    ------
    callable
        Is to be told the share, as often as there is news.
    """
    if not sys.stderr.isatty():
        yield lambda share: None
        return
    placement = object()
    _bar.tell(placement, 0.0)
    try:
        yield lambda share: _bar.tell(placement, share)
    finally:
        _bar.remove(placement)
