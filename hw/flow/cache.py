"""Stages of a build: each is done once for equal inputs, and as a whole or not at all.

A stage works in a folder of its own. When it is done, its files are moved into the build folder
(those of a folder in it into a folder of that name) one by one, and last a manifest with the key of
the inputs and the digest of each file is put in place. A file is trusted only through a manifest
that agrees with it, so a build that is killed at any moment, or a file that is altered later, costs
no more than that stage again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from bitwright import files
from bitwright.hw.flow.record import digest, file_digest, from_json, identity, to_json

__all__ = ["Stage", "adopt", "digest", "discard", "exclusive", "key", "run_stage", "sources_digest"]

_MANIFESTS = ".stages"
_PART = ".part-"

_USELESS = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a manifest raises that is none."""

ROOMS = ("bitwright", "boards", "hw", "ir")
"""Folders of everything that a build is made by."""

_SOURCES = (".py", ".v", ".sv")

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


class Stage(Protocol[R_co]):
    """A frozen dataclass of everything that the work of a stage may look at.

    It sees nothing else, and the key of its result is made of all its fields: so no input of a
    stage can be missing from its key.

    Attributes
    ----------
    name : str
        Of the stage.
    Result : type
        Frozen dataclass of what it finds.
    """

    name: ClassVar[str]
    Result: ClassVar[type[Any]]

    def run(self, folder: Path, logs: Path) -> R_co:
        """Do the work.

        Parameters
        ----------
        folder : Path
            Is empty, and receives the stage's files.
        logs : Path
            Receives what the tools print. No result depends on it.
        """


def key(stage: Stage[Any]) -> str:
    """What a result is known by, in hexadecimal: all inputs, and the sources of the package."""
    return digest({"stage": stage.name, "sources": sources_digest(), "inputs": identity(stage)})


@functools.cache
def sources_digest() -> str:
    """SHA-256 of the source of everything that a build is made by, in hexadecimal."""
    root = Path(__file__).parents[2]
    state = hashlib.sha256()
    for folder in ROOMS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in _SOURCES:
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
        for left in folder.rglob(f"{_PART}*"):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()
        for left in folder.rglob(f"{_MANIFESTS}/.*.part"):
            left.unlink()
        yield


def run_stage(folder: Path, stage: Stage[R], later: tuple[str, ...] = (),
              do: Callable[[Any, Path, Path], R] | None = None) -> tuple[R, bool]:
    """Do a stage, or find that it is done.

    Parameters
    ----------
    folder : Path
        The build folder.
    stage : Stage
    later : tuple of str
        Stages whose files are removed if this one is done anew: what they made of the old result
        must not be taken for the new.
    do : callable, optional
        Does it in place of the stage's own ``run``: somewhere else, to the same files.

    Returns
    -------
    result
        What the stage found, now or when it was done.
    bool
        Whether it was done already.
    """
    manifest = folder / _MANIFESTS / f"{stage.name}.json"
    wanted = key(stage)
    known = _read(manifest, wanted, folder, stage)
    if known is not None:
        return known, True
    for name in (*reversed(later), stage.name):
        discard(folder, name)
    part = Path(tempfile.mkdtemp(prefix=_PART, dir=folder))
    try:
        logs = folder / "logs"
        result = stage.run(part, logs) if do is None else do(stage, part, logs)
        digests = {path.relative_to(part).as_posix(): file_digest(path)
                   for path in sorted(part.rglob("*")) if path.is_file()}
        for file in digests:
            (folder / file).parent.mkdir(exist_ok=True)
            (part / file).replace(folder / file)
    except OSError as error:
        if error.filename is None:  # a write that failed does not say where
            error.filename = str(folder)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    content = {"key": wanted, "files": digests, "result": to_json(result)}
    files.write_atomic(manifest, json.dumps(content, indent=1) + "\n")
    return result, False


def adopt(source: Path, folder: Path, names: tuple[str, ...], later: tuple[str, ...]) -> None:
    """Take over what stages made in another folder, if it is not there already.

    Parameters
    ----------
    source, folder : Path
        Build folders.
    names : tuple of str
        Stages, in order, which are done in ``source``.
    later : tuple of str
        Stages whose files are removed if anything is taken over.
    """
    for place, name in enumerate(names):
        theirs = source / _MANIFESTS / f"{name}.json"
        text = theirs.read_text(encoding="utf-8")
        known = json.loads(text)["files"]
        with contextlib.suppress(OSError):
            if (folder / _MANIFESTS / theirs.name).read_text(encoding="utf-8") == text and all(
                    file_digest(folder / file) == digest for file, digest in known.items()):
                continue
        for other in (*reversed(later), *reversed(names[place:])):
            discard(folder, other)
        for file in known:
            part = folder / f"{_PART}{file}"
            shutil.copyfile(source / file, part)
            part.replace(folder / file)
        files.write_atomic(folder / _MANIFESTS / theirs.name, text)


def discard(folder: Path, name: str) -> None:
    """Remove what a stage made, if it was ever done."""
    manifest = folder / _MANIFESTS / f"{name}.json"
    # The manifest last: as long as it is there, a killed removal can be finished.
    with contextlib.suppress(OSError, *_USELESS):
        for file in json.loads(manifest.read_text(encoding="utf-8"))["files"]:
            (folder / file).unlink(missing_ok=True)
    manifest.unlink(missing_ok=True)


def _read(manifest: Path, wanted: str, folder: Path, stage: Stage[R]) -> R | None:
    """What the stage found, if it was for these inputs and every file is as it was."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        if content["key"] != wanted:
            return None
        if all(file_digest(folder / name) == known for name, known in content["files"].items()):
            result: R = from_json(stage.Result, content["result"])
            return result
    except (OSError, *_USELESS):
        pass  # none, or one that is of no use: the stage is done again
    return None
