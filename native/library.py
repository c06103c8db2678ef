"""Networks that are compiled here, and kept for the next time."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.native.emission import NativeError
from bitwright.native.source import has_bytes, source

__all__ = ["COMPILERS", "Compiled", "evaluator"]

logger = logging.getLogger(__name__)

COMPILERS = ("cc", "gcc", "clang")
"""What is looked for, in that order, unless the environment variable CC names one."""

_FOLDER = Path("~/.cache/bitwright/native")
"""Of the user, as whoever can write it has programs run as that user."""

_FLAGS = (("-O3", "-march=native"), ("-O3",))
"""Of which the first that the compiler knows are taken."""

_MOST_SECONDS = 600
"""That a compiler may take."""

_CHUNK = 1 << 10
"""Samples that are checked and run together, while they are in the cache."""


class Compiled:
    """A network as machine code: the same scores, ten to a hundred times as fast.

    Compiling takes some seconds for thousands of tables. The result is kept in
    ``~/.cache/bitwright/native``, by the digest of all that it depends on: C text, compiler, and
    what the processor can do. Any number of threads may evaluate at once.

    Parameters
    ----------
    network : ir.Network

    Raises
    ------
    NativeError
        If there is no compiler, it fails, or a kind of node is not written in C.
    """

    def __init__(self, network: ir.Network) -> None:
        self.network = network
        path = _compiled(source(network))
        try:
            self._library = ctypes.CDLL(str(path))
            self._library.network_digest.restype = ctypes.c_char_p
            self._library.network_work_size.restype = ctypes.c_size_t
            digest = self._library.network_digest()
        except (OSError, AttributeError) as error:
            raise NativeError(f"{path}: cannot be loaded, delete it: {error}") from error
        if digest.decode() != ir.digest(network):
            raise NativeError(f"{path}: is of another network, delete it")

    def evaluate(self, features: NDArray[Any],
                 progress: Callable[[int], object] | None = None) -> ir.Result:
        """Run a batch, as :meth:`ir.Network.evaluate`, without taps.

        Features of type ``uint8`` are read as they are, others as ``int32``.

        Parameters
        ----------
        features : array of integers, shape (batch, features)
        progress : callable, optional
            Called with the number of samples just done.

        Raises
        ------
        ValueError
            If the features are not integers of the modulator's domain, or of another shape.
        """
        features = np.asarray(features)
        scores = np.empty((len(features), self.network.classes), np.int64)
        as_bytes = features.dtype == np.uint8 and has_bytes(self.network)
        run = getattr(self._library, f"network_evaluate{'_bytes' if as_bytes else ''}")
        work = np.empty(self._library.network_work_size(), np.uint8)
        for start in range(0, max(1, len(features)), _CHUNK):
            part = slice(start, start + _CHUNK)
            checked = self.network.modulate.check(features[part])
            chunk = np.ascontiguousarray(checked, np.uint8 if as_bytes else np.int32)
            run(ctypes.c_void_p(chunk.ctypes.data), ctypes.c_size_t(len(chunk)),
                ctypes.c_void_p(scores[part].ctypes.data), ctypes.c_void_p(work.ctypes.data))
            if progress is not None:
                progress(len(chunk))
        return ir.Result(scores, {})


def evaluator(network: ir.Network) -> Compiled | ir.Network:
    """What runs a network the fastest here: its machine code, or the network itself.

    The latter after a warning of one line, which says why. Both have ``evaluate(features,
    progress=)``, and answer the same.
    """
    try:
        return Compiled(network)
    except NativeError as error:
        logger.warning("%s; NumPy evaluates the network", error)
        return network


def _compiled(text: str) -> Path:
    """The file of a C text, made unless it is there."""
    compiler = _compiler()
    flags, machine = _machine(compiler)
    key = hashlib.sha256("\n".join([compiler, *flags, machine, text]).encode()).hexdigest()
    folder = _FOLDER.expanduser()
    path = folder / f"{key}.so"
    if path.exists():
        return path
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder, suffix=".part")
    except OSError as error:
        raise NativeError(f"{folder}: cannot be written: {error.strerror}") from error
    os.close(handle)
    try:
        _run(compiler, "-std=c99", *flags, "-shared", "-fPIC", "-o", part, "-x", "c", "-",
             text=text)
        with contextlib.suppress(PermissionError):  # Windows, and another process has it loaded
            Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)
    return path


def _compiler() -> str:
    """Path of a C compiler."""
    asked = os.environ.get("CC")
    for name in (asked,) if asked else COMPILERS:
        if found := shutil.which(name):
            return found
    if asked:
        raise NativeError(f"Compiler {asked!r}, which CC names, is not there")
    raise NativeError(f"No C compiler is there, neither of {', '.join(COMPILERS)}; install one, or "
                      "name it in CC")


def _machine(compiler: str) -> tuple[tuple[str, ...], str]:
    """Flags that the compiler knows, and what it then says of itself and the processor."""
    for flags in _FLAGS:
        try:
            return flags, _run(compiler, *flags, "-dM", "-E", "-x", "c", "-", text="")
        except NativeError:
            if flags == _FLAGS[-1]:
                raise
    raise AssertionError


def _run(*command: str, text: str) -> str:
    """Run the compiler on a text."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8",
                              errors="replace", check=False, timeout=_MOST_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NativeError(f"{command[0]} takes more than {_MOST_SECONDS} seconds") from error
    except OSError as error:
        raise NativeError(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        said = next((line for line in lines if "error" in line), lines[-1])
        raise NativeError(f"{command[0]} fails: {said}")
    return done.stdout
