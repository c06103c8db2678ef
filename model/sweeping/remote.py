"""Trials on the cores of a cluster, whose nodes need not share a file system.

The run folders are those of the sweep. A trial takes a copy of its own to where it is trained, and
what changes there comes back with every word that is said of it: the metrics always, since rivals
are compared by them, all else at most every :data:`PERIOD` seconds and at the end. So a node may
be lost at any moment, and another one goes on from what is here.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bitwright import data, files
from bitwright.cluster import Cluster, LostError, listed, pack, unpack
from bitwright.data import DataSet
from bitwright.model.sweeping.events import Begun, Broken, Done, Epoch, Event, Failed, Job, Lost
from bitwright.model.sweeping.trial import Say
from bitwright.model.training.folder import CHECKPOINT, METRICS, NETWORK

__all__ = ["PERIOD", "Change", "Remote", "Worker"]

PERIOD = 10.0
"""Seconds between two times that a checkpoint travels. So much work at most is done again."""

_LAST = {CHECKPOINT: 1, NETWORK: 2}
"""Files that tell how far a run is: they are written after what they speak of."""

_ROOMS = ("ir", "data", "model", "hw")
_PACKAGES = ("numpy", "torch")
"""What must be the same everywhere for a trial to be the same everywhere."""

_ROOT = "bitwright-trials"
_GRACE = 5.0
"""Seconds that are waited at the end for what is still on its way."""

_ABANDONED = 60.0
"""Seconds after which a folder that nobody holds was left behind by a process that was killed."""


@dataclass(frozen=True)
class Change:
    """What became of a run folder since the last time.

    Parameters
    ----------
    names : tuple of str
        All files that there are.
    content : dict of str to bytes
        Those that are new or other than before.
    """

    names: tuple[str, ...]
    content: dict[str, bytes]


@functools.cache
def versions() -> dict[str, str]:
    """What trials are done by here: a digest of the sources, and versions of packages."""
    root, state = Path(__file__).parents[2], hashlib.sha256()
    for path in sorted(path for room in _ROOMS for kind in ("*.py", "*.json")
                       for path in (root / room).rglob(kind)):  # coefficients of estimates, too
        state.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return {"bitwright of sources": state.hexdigest()[:12]} | {
        name: importlib.metadata.version(name) for name in _PACKAGES}


class Worker:
    """Does trials on a core of a node, one after the other.

    The training waits in a thread of its own while nobody asks: whoever calls gets the next word.

    Parameters
    ----------
    work : callable
        Does a trial, see :func:`model.sweeping.trial.work`: a function of a module.
    wanted : mapping of str to str
        Versions of the sweep's machine.
    folder : str
        The sweep's working folder. Where there is one of that name, relative paths are as there.
    period : float
        See :data:`PERIOD`.
    """

    def __init__(self, work: Callable[[Any, Say], None], wanted: Mapping[str, str], folder: str,
                 period: float) -> None:
        self._work, self._period = work, period
        own = versions()
        self._other = next((f"{name} {own[name]}, and this machine {version}"
                            for name, version in wanted.items() if own[name] != version), None)
        with contextlib.suppress(OSError):
            os.chdir(folder)
        self._root, self._held = _scratch()
        self._said: queue.Queue[Event | BaseException] = queue.Queue()
        self._answers: queue.Queue[bool] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._places: list[Path] = []

    def begin(self, task: Job, packed: list[dict[str, bytes]],
              loaded: DataSet | None) -> tuple[Event, list[Change]]:
        """Begin a trial from what its run folders hold, and tell the first word of it."""
        if self._other is not None:
            return Broken(f"a node of the cluster has {self._other}; install the same there"), []
        for place in self._places:
            shutil.rmtree(place, ignore_errors=True)
        self._places = [self._root / folder.name for folder in task.folders]
        for place, content in zip(self._places, packed, strict=True):
            unpack(place, content)
        self._known = {path: _stamp(path) for place in self._places
                       for path in listed(place).values()}
        self._sent = time.monotonic()
        ours = task.at(self._places, loaded)
        self._thread = threading.Thread(target=self._train, args=(ours,), daemon=True)
        self._thread.start()
        return self._next()

    def go_on(self) -> tuple[Event, list[Change]]:
        """Answer the last word, and tell the next."""
        self._answers.put(True)
        return self._next()

    def give_up(self) -> list[Change]:
        """Train no more. Tells what is left in the run folders."""
        self._answers.put(False)
        assert self._thread is not None
        self._thread.join()
        return self._changes(whole=True)

    def close(self) -> None:
        """Leave nothing behind. The worker is of no use after it."""
        self._held.close()
        shutil.rmtree(self._root, ignore_errors=True)

    def _train(self, task: Job) -> None:
        try:
            self._work(task, self._say)
        except BaseException as error:  # whoever asks next is told
            self._said.put(error)

    def _say(self, event: Event) -> bool:
        self._said.put(event)
        return isinstance(event, Begun | Epoch) and self._answers.get()

    def _next(self) -> tuple[Event, list[Change]]:
        said = self._said.get()
        if isinstance(said, BaseException):
            raise said
        return said, self._changes(whole=isinstance(said, Done | Failed | Broken))

    def _changes(self, *, whole: bool) -> list[Change]:
        """What is new in the run folders. The training waits, so that they are at rest."""
        whole = whole or time.monotonic() - self._sent >= self._period
        if whole:
            self._sent = time.monotonic()
        found = []
        for place in self._places:
            content, there = {}, listed(place)
            for name, path in there.items():
                stamp = _stamp(path)
                if (whole or path.name == METRICS) and self._known.get(path) != stamp:
                    self._known[path] = stamp
                    content[name] = path.read_bytes()
            found.append(Change(tuple(there), content))
        return found


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _scratch() -> tuple[Path, contextlib.ExitStack]:
    """A folder for this process, and what holds it. Those of killed processes are removed."""
    root = Path(tempfile.gettempdir(), f"{_ROOT}-{_user()}")
    root.mkdir(parents=True, exist_ok=True)
    for old in root.iterdir():
        with contextlib.suppress(OSError, files.BusyError):
            if time.time() - old.stat().st_mtime > _ABANDONED:
                with files.lock(old):
                    shutil.rmtree(old)
    own, held = Path(tempfile.mkdtemp(dir=root)), contextlib.ExitStack()
    held.enter_context(files.lock(own))
    return own, held


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


@dataclass
class _Slot:
    """A worker, what it works on, and what it was asked. Nothing of it: it waits for an answer."""

    worker: Any
    number: int | None = None
    task: Job | None = None
    asked: Any = None


class Remote:
    """An :class:`Engine` on a cluster.

    Parameters
    ----------
    cluster : Cluster
    count : int
        Trials side by side. Those for which there is no core yet wait for one.
    work : callable
        As for :class:`Worker`.
    period : float, optional
        See :data:`PERIOD`.

    Attributes
    ----------
    moved : int
        Bytes of run folders that came and went.
    """

    def __init__(self, cluster: Cluster, count: int, work: Callable[[Any, Say], None],
                 period: float = PERIOD) -> None:
        self._cluster, self._count = cluster, count
        self._making = (work, versions(), str(Path.cwd()), period)
        self._slots: list[_Slot] = []
        self._leaving: dict[Any, Job] = {}
        self._data: tuple[Any, Any] = None, None
        self.moved = 0

    @property
    def free(self) -> int:
        return self._count - sum(slot.number is not None for slot in self._slots)

    def begin(self, number: int, task: Job) -> None:
        slot = next((slot for slot in self._slots if slot.number is None), None)
        if slot is None:
            slot = _Slot(self._cluster.start(Worker, *self._making))
            self._slots.append(slot)
        packed = [pack(folder) for folder in task.folders]
        self.moved += sum(len(content) for one in packed for content in one.values())
        slot.number, slot.task = number, task
        slot.asked = self._cluster.call(slot.worker, "begin", task, packed,
                                        self._loaded(task))

    def _loaded(self, task: Job) -> Any:
        """The data set of a trial, which goes once to each node."""
        if task.data != self._data[0]:
            loaded = None if task.data is None else self._cluster.put(data.load(*task.data))
            self._data = task.data, loaded
        return self._data[1]

    def events(self, timeout: float) -> list[tuple[int, Event]]:
        asked = {slot.asked: slot for slot in self._slots if slot.asked is not None}
        found = []
        for ready in self._cluster.ready([*asked, *self._leaving], timeout):
            if ready in self._leaving:
                task = self._leaving.pop(ready)
                with contextlib.suppress(LostError):  # its curve is here, and nothing else counts
                    self._write(task, self._cluster.get(ready))
                continue
            slot = asked[ready]
            assert slot.number is not None
            found.append((slot.number, self._read(slot)))
        return found

    def _read(self, slot: _Slot) -> Event:
        task, asked = cast(Job, slot.task), slot.asked
        slot.asked = None
        try:
            event, changes = self._cluster.get(asked)
        except LostError as error:
            self._slots.remove(slot)
            self._cluster.stop(slot.worker)
            return Lost(str(error))
        self._write(task, changes)
        if isinstance(event, Begun):
            slot.asked = self._cluster.call(slot.worker, "go_on")
        elif isinstance(event, Done | Failed | Broken):
            slot.number = slot.task = None
        return cast(Event, event)

    def _write(self, task: Job, changes: list[Change]) -> None:
        """Make the run folders what they became elsewhere."""
        for out, change in zip(task.folders, changes, strict=False):
            content = dict(sorted(change.content.items(),
                                  key=lambda item: _LAST.get(item[0], 0)))
            self.moved += sum(map(len, content.values()))
            for name, path in listed(out).items():
                if name not in change.names:
                    path.unlink()
            unpack(out, content)

    def answer(self, number: int, go_on: bool) -> None:
        slot = next(slot for slot in self._slots if slot.number == number)
        if go_on:
            slot.asked = self._cluster.call(slot.worker, "go_on")
            return
        assert slot.task is not None
        self._leaving[self._cluster.call(slot.worker, "give_up")] = slot.task
        slot.number = slot.task = None

    def close(self) -> None:
        """End all that is running. What is given up is still fetched."""
        waiting = [*self._leaving, *(self._cluster.call(slot.worker, "close")
                                     for slot in self._slots if slot.number is None)]
        deadline = time.monotonic() + _GRACE
        while waiting and time.monotonic() < deadline:
            for ready in self._cluster.ready(waiting, 0.1):
                waiting.remove(ready)
                with contextlib.suppress(LostError):
                    told = self._cluster.get(ready)
                    if ready in self._leaving:
                        self._write(self._leaving.pop(ready), told)
        for slot in self._slots:
            self._cluster.stop(slot.worker)
        self._slots.clear()
