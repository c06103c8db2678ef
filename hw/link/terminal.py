"""A pseudo-terminal with an emulated device at its other end, for programs that open a port."""

from __future__ import annotations

import collections
import contextlib
import os
import select
import threading
import time
from types import TracebackType
from typing import Self

from bitwright.errors import UserError
from bitwright.hw.link.emulator import Device

__all__ = ["Terminal", "TerminalError"]

_BITS = 10
"""Of a byte on the line."""

_GRAIN_S = 0.0005
"""Time of the bytes that are passed on together, where the line has a rate."""

_CHUNK = 4096


class TerminalError(UserError):
    """This system has no pseudo-terminals."""


class Terminal:
    """A device behind a pseudo-terminal, from ``with`` on in a thread of its own.

    The device keeps what it has while programs open and close the terminal.

    Parameters
    ----------
    device : Device
    baud : int, optional
        Bits a second of the line, either way. Left out: no time passes on it.
    delay_s : float
        That an adapter waits before it hands on what came from the device.
    timeout_s : float
        Silence of the host that ends an unfinished packet.

    Attributes
    ----------
    path : str
        That programs open.

    Raises
    ------
    TerminalError
        If the system has none.
    """

    def __init__(self, device: Device, baud: int | None = None, delay_s: float = 0.0,
                 timeout_s: float = 0.02) -> None:
        try:
            import tty
        except ImportError as error:
            raise TerminalError("this system has no pseudo-terminals; `bitwright infer --emulate` "
                                "needs none") from error
        self._device = device
        self._byte_s = _BITS / baud if baud else 0.0
        self._chunk = max(1, int(_GRAIN_S / self._byte_s)) if baud else _CHUNK
        self._delay_s = delay_s
        self._timeout_s = timeout_s
        self._arriving: collections.deque[tuple[float, bytes]] = collections.deque()
        self._leaving: collections.deque[tuple[float, bytes]] = collections.deque()
        self._free = {"in": 0.0, "out": 0.0}  # when each direction of the line is idle again
        self._heard: float | None = None  # when the last byte came, until silence was told
        self._end, self._own = os.openpty()
        tty.setraw(self._own)  # kept open, so that the other end outlives the programs
        os.set_blocking(self._end, False)
        self.path = os.ttyname(self._own)
        self._stop, self._stopper = os.pipe()
        self._thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        os.write(self._stopper, b"\0")
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Let go of the terminal."""
        for file in (self._end, self._own, self._stop, self._stopper):
            os.close(file)

    def serve(self) -> None:
        """Speak to whoever opens the terminal, until ``with`` ends or an exception is raised."""
        while True:
            due = self._due()
            wait = None if due is None else max(0.0, due - time.monotonic())
            late = bool(self._leaving) and self._leaving[0][0] <= time.monotonic()
            silent = self._heard is not None and time.monotonic() >= self._heard + self._timeout_s
            readable, _, _ = select.select([self._end, self._stop],
                                           [self._end] if late else [], [], wait)
            if self._stop in readable:
                return
            if self._end in readable:
                self._read()
            elif silent and not self._arriving:  # what was not read yet is no silence
                self._heard = None
                self._reply(self._device.silence())
            self._pass_on()

    def _due(self) -> float | None:
        """When something is to be done next, whatever comes before."""
        times = [queue[0][0] for queue in (self._arriving, self._leaving) if queue]
        if self._leaving and self._leaving[0][0] <= time.monotonic():
            times.remove(self._leaving[0][0])  # waits until the terminal takes more
        if self._heard is not None:
            times.append(self._heard + self._timeout_s)
        return min(times, default=None)

    def _read(self) -> None:
        data = os.read(self._end, self._chunk)
        now = self._on_line("in", len(data))
        self._heard = now
        self._arriving.append((now, data))

    def _on_line(self, way: str, count: int) -> float:
        """When so many bytes more will be through."""
        self._free[way] = max(time.monotonic(), self._free[way]) + count * self._byte_s
        return self._free[way]

    def _pass_on(self) -> None:
        """All whose time has come: bytes for the device, and bytes for the host."""
        arrived = b""
        while self._arriving and self._arriving[0][0] <= time.monotonic():
            arrived += self._arriving.popleft()[1]
        if arrived:
            self._reply(self._device.receive(arrived))
        while self._leaving and self._leaving[0][0] <= time.monotonic():
            when, data = self._leaving.popleft()
            sent = 0
            with contextlib.suppress(BlockingIOError):
                sent = os.write(self._end, data)
            if sent < len(data):
                self._leaving.appendleft((when, data[sent:]))
                return

    def _reply(self, data: bytes) -> None:
        for at in range(0, len(data), self._chunk):
            part = data[at : at + self._chunk]
            self._leaving.append((self._on_line("out", len(part)) + self._delay_s, part))
