"""Who does the trials: processes of this machine, each for one trial after the other.

The cores of a cluster do the same: :mod:`model.sweeping.remote`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from bitwright.model.sweeping.events import Broken, Done, Epoch, Event, Failed, Job, Lost
from bitwright.model.sweeping.trial import Say

__all__ = ["Engine", "Processes"]


class Engine(Protocol):
    """Who does the trials of a sweep."""

    @property
    def free(self) -> int:
        """Trials that can be begun at once."""

    def begin(self, number: int, task: Job) -> None:
        """Begin a trial, or whatever else the engine's work is. There must be room for it."""

    def events(self, timeout: float) -> list[tuple[int, Event]]:
        """What was said since, by number of the trial: at least one thing unless time is up."""

    def answer(self, number: int, go_on: bool) -> None:
        """Answer an :class:`Epoch`. One that is told not to go on makes room and says no more."""

    def close(self) -> None:
        """End all that is running. What is in run folders stays."""


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    number: int | None = None


class Processes:
    """Processes side by side, which end with this one, however it ends.

    Parameters
    ----------
    count : int
    work : callable
        Does a trial, see :func:`model.sweeping.trial.work`: a function of a module.
    """

    def __init__(self, count: int, work: Callable[[Any, Say], None]) -> None:
        self._count, self._work = count, work
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []

    @property
    def free(self) -> int:
        return self._count - sum(worker.number is not None for worker in self._workers)

    def begin(self, number: int, task: Job) -> None:
        worker = next((worker for worker in self._workers
                       if worker.number is None and worker.process.is_alive()), None)
        if worker is None:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(theirs, self._work), daemon=True)
            process.start()
            theirs.close()
            worker = _Worker(process, ours)
            self._workers.append(worker)
        worker.number = number
        _send(worker, task)

    def events(self, timeout: float) -> list[tuple[int, Event]]:
        busy = {worker.connection: worker for worker in self._workers if worker.number is not None}
        found = []
        for ready in connection.wait(list(busy), timeout):
            worker = busy[ready]  # type: ignore[index]
            assert worker.number is not None
            found.append((worker.number, self._read(worker)))
        return found

    def _read(self, worker: _Worker) -> Event:
        try:
            event: Event = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            self._workers.remove(worker)
            worker.connection.close()
            worker.process.join()
            return Lost(f"its process ended with status {worker.process.exitcode}")
        if isinstance(event, Done | Failed | Broken):
            worker.number = None
        return event

    def answer(self, number: int, go_on: bool) -> None:
        worker = next(worker for worker in self._workers if worker.number == number)
        _send(worker, go_on)
        if not go_on:
            worker.number = None

    def close(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
        self._workers.clear()


def _send(worker: _Worker, message: object) -> None:
    """Tell a worker. One that is gone is noticed when it is listened to."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        worker.connection.send(message)


def _serve(ours: Connection, work: Callable[[Any, Say], None]) -> None:
    """Do trials until nobody sends more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to whoever started this, too
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def say(event: Event) -> bool:
        ours.send(event)
        return bool(ours.recv()) if isinstance(event, Epoch) else True

    while True:
        try:
            task = ours.recv()
        except EOFError:
            return
        work(task, say)


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone: nobody reads what it does."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
