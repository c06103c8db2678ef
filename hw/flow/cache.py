"""Stages of a build: each is done once for equal inputs, and as a whole or not at all.

A stage works in a folder of its own. When it is done, its files are moved into the build folder
one by one, and last a manifest with the key of the inputs and the digest of each file is put in
place. A file is trusted only through a manifest that agrees with it, so a build that is killed at
any moment, or a file that is altered later, costs no more than that stage again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bitwright import files

__all__ = ["digest", "discard", "exclusive", "run_stage", "sources_digest"]

_MANIFESTS = ".stages"
_PART = ".part-"

_USELESS = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a manifest raises that is none."""


def digest(value: object) -> str:
    """SHA-256 of a JSON value, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def sources_digest() -> str:
    """SHA-256 of the source of everything that a build is made by, in hexadecimal."""
    root = Path(__file__).parents[2]
    state = hashlib.sha256()
    for folder in ("boards", "hw", "ir"):
        for path in sorted((root / folder).rglob("*.py")):
            state.update(f"\n{path.relative_to(root).as_posix()}\n".encode())
            state.update(path.read_bytes())
    return state.hexdigest()


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep other builds out of a folder, and clear what a killed one left there.

    Raises
    ------
    BusyError
        If another build is at work in it.
    """
    with files.lock(folder):
        for left in folder.glob(f"{_PART}*"):
            shutil.rmtree(left)
        for left in (folder / _MANIFESTS).glob(".*.part"):
            left.unlink()
        yield


def run_stage(folder: Path, name: str, key: Mapping[str, Any],
              work: Callable[[Path], Any]) -> tuple[Any, bool]:
    """Do a stage, or find that it is done.

    Parameters
    ----------
    folder : Path
        The build folder.
    name : str
        Of the stage.
    key : mapping
        JSON values of all that the result depends on.
    work : callable
        Is given an empty folder, writes the stage's files there and returns JSON values.

    Returns
    -------
    facts
        What ``work`` returned, now or when the stage was done.
    bool
        Whether it was done already.
    """
    manifest = folder / _MANIFESTS / f"{name}.json"
    wanted = digest(dict(key))
    known = _read(manifest, wanted, folder)
    if known is not None:
        return known["facts"], True
    discard(folder, name)
    part = Path(tempfile.mkdtemp(prefix=_PART, dir=folder))
    try:
        facts = work(part)
        digests = {path.name: _file_digest(path) for path in sorted(part.iterdir())}
        for file in digests:
            (part / file).replace(folder / file)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    content = {"key": wanted, "files": digests, "facts": facts}
    files.write_atomic(manifest, json.dumps(content, indent=1) + "\n")
    return json.loads(json.dumps(facts)), False  # as a later build will find it


def discard(folder: Path, name: str) -> None:
    """Remove what a stage made, if it was ever done."""
    manifest = folder / _MANIFESTS / f"{name}.json"
    # The manifest last: as long as it is there, a killed removal can be finished.
    with contextlib.suppress(OSError, *_USELESS):
        for file in json.loads(manifest.read_text())["files"]:
            (folder / file).unlink(missing_ok=True)
    manifest.unlink(missing_ok=True)


def _read(manifest: Path, key: str, folder: Path) -> dict[str, Any] | None:
    """The manifest, if it is for these inputs and every file is as it says."""
    try:
        content = json.loads(manifest.read_text())
        if content["key"] != key:
            return None
        if all(_file_digest(folder / name) == known for name, known in content["files"].items()):
            return content
    except (OSError, *_USELESS):
        pass  # none, or one that is of no use: the stage is done again
    return None


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
