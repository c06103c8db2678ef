"""Cores of one machine or many, by Ray: objects and functions on whichever is free.

Nothing else knows of Ray. What is started here ends with this process, however it ends.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bitwright import files
from bitwright.errors import UserError
from bitwright.extras import need

__all__ = ["LOCAL", "Cluster", "ClusterError", "LostError", "listed", "pack", "unpack"]

LOCAL = "local"
"""The address that means a cluster of this machine alone, which ends with the command."""

_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
             "RAY_worker_niceness": "0"}
"""Of the environment, unless they are set: Ray asks nobody in the network; and what it starts here
has the same share of a core as this process, not the thirtieth part that Ray gives by itself."""


_WITHOUT = "TemporaryActor"
"""What Ray calls an object whose class a node could not import."""


class ClusterError(UserError):
    """There is no such cluster. One line, which says what to do."""


class LostError(Exception):
    """Whoever worked on it is gone, or came upon what is no user's error. The message is one
    line."""


class Cluster:
    """Cores that may be of other machines.

    Parameters
    ----------
    address : str
        ``"local"``; ``"auto"`` for the cluster that this machine is a node of; or ``HOST:PORT`` of
        its head.
    cores : int, optional
        How many of this machine, where it is ``"local"``. Left out: all.

    Attributes
    ----------
    cores : int
        Of all nodes, now.

    Raises
    ------
    MissingError
        If Ray is not installed.
    ClusterError
        If there is no cluster.
    """

    def __init__(self, address: str, cores: int | None = None) -> None:
        need("ray")
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        import ray

        logging.getLogger("ray").setLevel(logging.ERROR)
        more = {} if address != LOCAL else {
            "num_cpus": cores or os.cpu_count() or 1, "include_dashboard": False}
        try:
            ray.init(address, log_to_driver=False, configure_logging=False,
                     logging_level=logging.ERROR, **more)
        except (ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
            raise ClusterError(
                f"--address {address}: no Ray cluster is there ({_line(error)}); begin one with "
                "`ray start --head`, or take this machine alone with --address local") from error
        self._ray = ray
        self._working: set[Any] = set()
        self.cores = int(ray.cluster_resources().get("CPU", 0))

    def start(self, kind: type, *arguments: object) -> Any:
        """Make an object on a core of its own. It is of a module that all nodes have."""
        return self._ray.remote(num_cpus=1, max_restarts=0)(kind).remote(*arguments)

    def stop(self, made: Any) -> None:
        """End what :meth:`start` made, whatever it does."""
        self._ray.kill(made)

    def call(self, made: Any, method: str, *arguments: object) -> Any:
        """Begin a method of it. Returns what :meth:`get` takes."""
        return getattr(made, method).remote(*arguments)

    def put(self, value: object) -> Any:
        """Send a value once to each node that asks, as an argument of the others."""
        return self._ray.put(value)

    def ready(self, begun: Sequence[Any], timeout: float) -> list[Any]:
        """Those that are done, after so many seconds at most."""
        if not begun:
            return []
        done, rest = self._ray.wait(list(begun), num_returns=1, timeout=timeout)
        if done and rest:
            done += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        return list(done)

    def get(self, begun: Any) -> Any:
        """What came of it.

        Raises
        ------
        LostError
            If nothing did.
        ClusterError
            If a node has not what it needs.
        """
        try:
            return self._ray.get(begun)
        except self._ray.exceptions.RayTaskError as error:
            raise LostError(_line(error.cause)) from error
        except self._ray.exceptions.RayError as error:
            if _WITHOUT in str(error):
                raise ClusterError("a node of the cluster cannot import what it is to do; install "
                                   "the same bitwright there, with the same extras") from error
            raise LostError(_line(error)) from error

    def run(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Do a function on a free core, and wait for what it returns. It is begun anew where the
        node that does it is lost.

        Raises
        ------
        LostError
            If nothing came of it.
        """
        begun = self._ray.remote(num_cpus=1, max_retries=3)(function).remote(*arguments)
        self._working.add(begun)
        try:
            return self.get(begun)
        finally:
            self._working.discard(begun)

    def cancel(self) -> None:
        """End all that :meth:`run` waits for, in whatever thread."""
        for begun in list(self._working):
            self._ray.cancel(begun, force=True)

    def close(self) -> None:
        """Leave the cluster, or end the local one."""
        self._ray.shutdown()


def _line(error: object) -> str:
    """The first line of an error, or its type where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(" .")


def listed(folder: Path) -> dict[str, Path]:
    """Every file below a folder, by its path from there; hidden ones are left out."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")}


def pack(folder: Path) -> dict[str, bytes]:
    """Content of those files."""
    return {name: path.read_bytes() for name, path in listed(folder).items()}


def unpack(folder: Path, packed: Mapping[str, bytes]) -> None:
    """Write files one by one, in the order that they have, each as a whole or not at all."""
    for name, content in packed.items():
        files.write_atomic(folder / name, content)
