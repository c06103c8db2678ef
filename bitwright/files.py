"""Files and folders that no reader ever sees half of, and folders for one process at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from bitwright.errors import UserError

try:
    import fcntl
except ImportError:  # Windows has another way to lock a file
    import msvcrt

    def _try_lock(file: TextIO) -> None:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError as error:
            raise BlockingIOError from error
else:
    def _try_lock(file: TextIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

__all__ = ["BusyError", "lock", "new_folder", "write_atomic"]

_GRACE = 0.5
"""Seconds that are waited for a lock."""


class BusyError(UserError):
    """Another process works in the folder."""


def write_atomic(path: Path, content: bytes | str) -> None:
    """Replace a file as a whole: after a crash at any moment it is the old one or the new one.

    Parent folders are made. Text is written as UTF-8; bytes of a file's name that were no text for
    Python are in it as they were if that is UTF-8, else escaped.

    Raises
    ------
    OSError
        If the file cannot be written (a full disk, say). The old file is then still there.
    """
    data = _utf8(content) if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)  # mkstemp makes private files
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _utf8(text: str) -> bytes:
    """Bytes of a text. In a locale that is not UTF-8 names of files may have lone surrogates."""
    try:
        data = text.encode("utf-8", "surrogateescape")
        data.decode("utf-8")
    except UnicodeError:
        return text.encode("utf-8", "backslashreplace")
    return data


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name once it is filled and nothing was raised.

    Two processes may fill the same one, as its name tells its content: the first one stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        yield scratch
        try:
            scratch.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same lock out of a folder. Made if there is none.

    The system drops the lock with the process, however that ends. A process that is being started
    holds what its parent held until it runs its own program, so that a lock may outlast its owner
    for a moment: half a second is waited.

    Raises
    ------
    BusyError
        If another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w", encoding="utf-8") as file:
        deadline = time.monotonic() + _GRACE
        while True:
            try:
                _try_lock(file)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise BusyError(f"{folder}: another process is at work here; wait for it, or "
                                    "choose another folder with --out") from error
            time.sleep(0.02)
        yield
