"""Picture files in folders or zip files: a folder a class, in a training and a test part or not."""

from __future__ import annotations

import contextlib
import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright.data.dataset import DataError, some
from bitwright.data.picture import MAX_FILE, SUFFIXES, Form, opened, pixels
from bitwright.data.samples import DAMAGED, Samples, check_size, told
from bitwright.ir.picture import MAX_SIDE

__all__ = ["Entry", "arranged", "labelled", "listed", "read_pictures"]

MAX_FILES = 1 << 20

PARTS = ("train", "test")
"""Folders of the two parts, in small or capital letters."""

logger = logging.getLogger(__name__)

_HIDDEN = ("__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Entry:
    """A picture file: its path below the root, with ``/`` between, and how to read it."""

    path: str
    read: Callable[[], bytes]

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))

    @property
    def shown(self) -> str:
        """The path on one line, whatever is in it."""
        return _one_line(self.path)


@contextlib.contextmanager
def listed(path: Path) -> Iterator[list[Entry]]:
    """Files of a folder or a zip file, in the order of their paths, hidden ones left out.

    They can be read until the context ends. Nothing is written anywhere.

    Raises
    ------
    DataError
        If it is no zip file, or a file in a class folder is no picture by its name.
    """
    if path.is_dir():
        entries = []
        for file in path.rglob("*"):
            if file.is_file():
                entries.append(Entry(file.relative_to(path).as_posix(), _reader(path, file)))
                _few(path, entries)
        yield _sound(path, entries)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DataError(f"{path}: not a whole zip file ({told(error)})") from error
    with archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        entries = [Entry(info.filename, _member(path, archive, info)) for info in infos]
        _few(path, entries)
        yield _sound(path, entries)


def _one_line(name: str) -> str:
    return name if name.isprintable() else ascii(name)[1:-1]


def _few(path: Path, entries: list[Entry]) -> None:
    if len(entries) > MAX_FILES:
        raise DataError(f"{path}: must hold at most {MAX_FILES:,} files")


def _sound(path: Path, entries: list[Entry]) -> list[Entry]:
    """Pictures, in order."""
    seen: set[str] = set()
    pictures = []
    for entry in sorted(entries, key=lambda entry: entry.parts):
        if ".." in entry.parts:
            logger.warning("%s: %s is left out, as it would lie outside", path, entry.shown)
        if any(part.startswith(".") or part in _HIDDEN for part in entry.parts):
            continue
        if entry.path in seen:
            raise DataError(f"{path}: {entry.shown} is there twice")
        seen.add(entry.path)
        if entry.path.lower().endswith(SUFFIXES):
            pictures.append(entry)
        elif len(entry.parts) > 1:
            raise DataError(f"{path}: {entry.shown} must be a picture ({', '.join(SUFFIXES)}), or "
                            "not lie in a class folder")
    if not pictures:
        raise DataError(f"{path}: holds no picture ({', '.join(SUFFIXES)})")
    return pictures


def _reader(root: Path, file: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        shown = _one_line(file.relative_to(root).as_posix())
        check_size(root, shown, file.stat().st_size, MAX_FILE)
        return file.read_bytes()

    return read


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        shown = _one_line(info.filename)
        check_size(path, shown, info.file_size, MAX_FILE)
        try:
            return archive.read(info)
        except DAMAGED as error:
            raise DataError(f"{path}: {shown} cannot be unpacked ({told(error)})") from error

    return read


def arranged(path: Path, entries: Sequence[Entry]) -> dict[str, list[tuple[Entry, str | None]]]:
    """Entries of each part with their classes.

    Returns
    -------
    dict
        ``train``, and ``test`` where the files lie in folders of those names. Without class
        folders, the class is None.

    Raises
    ------
    DataError
        If the files lie some one way and some another.
    """
    first = entries[0]
    if all(len(entry.parts) == 1 for entry in entries):
        return {"train": [(entry, None) for entry in entries]}
    split = any(_part(entry) in PARTS for entry in entries)
    depth = 3 if split else 2
    result: dict[str, list[tuple[Entry, str | None]]] = {}
    for entry in entries:
        parts = entry.parts
        if len(parts) < depth or (split and _part(entry) not in PARTS):
            rule = " or ".join(f"{part}/CLASS/NAME" for part in PARTS) if split else "CLASS/NAME"
            raise DataError(f"{path}: {entry.shown} must lie at {rule} as others do")
        if parts[:-depth] != first.parts[:-depth]:
            raise DataError(f"{path}: {entry.shown} must lie as deep as {first.shown}, in a class "
                            "folder beside its one")
        result.setdefault(_part(entry) if split else "train", []).append((entry, parts[-2]))
    if "train" not in result:
        raise DataError(f"{path}: there must be pictures at train/CLASS/NAME, and there are none")
    return result


def _part(entry: Entry) -> str:
    """Name of the folder that a class folder lies in, or nothing."""
    return "".join(entry.parts[-3:-2]).lower()


def _tell_empty(path: Path, entries: Sequence[Entry]) -> None:
    """Say which class folders are left out, as they hold no picture."""
    if path.is_dir():
        folders = [item.relative_to(path).parts for item in path.rglob("*") if item.is_dir()]
    else:
        with zipfile.ZipFile(path) as archive:
            folders = [tuple(name.strip("/").split("/")) for name in archive.namelist()
                       if name.endswith("/")]
    depth = len(entries[0].parts) - 1
    used = {entry.parts[:-1] for entry in entries}
    empty = sorted(_one_line("/".join(parts)) for parts in folders
                   if len(parts) == depth and parts not in used
                   and not any(part.startswith(".") or part in _HIDDEN for part in parts))
    if empty:
        logger.warning("%s: left out, as there is no picture in it: %s", path, some(empty))


def read_pictures(path: Path, entries: Sequence[tuple[Entry, str | None]], form: Form, *,
                  part: str = "", like: Samples | None = None) -> Samples:
    """Decode pictures.

    Parameters
    ----------
    path : Path
    entries : sequence of (Entry, class)
    form : Form
        Where it leaves the size open, all must have that of the first. Where it leaves the colour
        open, they are coloured if one of them is.
    part : str
        For the progress bar.
    like : Samples, optional
        Pictures whose size and colour these must have, too.

    Raises
    ------
    DataError
        If one is no picture, has another size, or all together are too large. Names the file.
    """
    from tqdm import tqdm

    if like is not None:
        form = Form(form.height, form.width, like.values.ndim == 4, form.crop)
    values: list[NDArray[np.uint8]] = []
    for entry, _ in tqdm(entries, desc=f"{path.name} {part}".strip(), unit=" pictures",
                         leave=False, disable=None):
        place = f"{path}: {entry.shown}" if entry.path else str(path)
        values.append(pixels(opened(entry.read(), place), form))
        size = values[-1].shape[:2]
        expected, model = ((values[0].shape[:2], entries[0][0].shown) if like is None
                           else (like.values.shape[1:3], like.places[0]))
        if max(size) > MAX_SIDE:
            raise DataError(f"{place}: sides of a picture must have at most {MAX_SIDE} pixels, not "
                            f"{size[1]} x {size[0]}; source.height and source.width bring it to "
                            "another size")
        if size != expected:
            raise DataError(f"{place}: must have {expected[1]} x {expected[0]} pixels as "
                            f"{model} has, not {size[1]} x {size[0]}; source.height "
                            "and source.width bring all to one size")
        check_size(path, "all pictures together", len(entries) * values[-1].nbytes)
    if len({value.ndim for value in values}) > 1:
        values = [value if value.ndim == 3 else np.repeat(value[..., None], 3, axis=2)
                  for value in values]
    classes = [name for _, name in entries]
    labels = None if None in classes else [str(name) for name in classes]
    return Samples(str(path), np.stack(values), labels, [entry.shown for entry, _ in entries])


def labelled(path: Path, form: Form) -> tuple[Samples, Samples | None]:
    """Pictures in class folders: the training part, and the test part where there is one.

    Raises
    ------
    DataError
        If the path holds anything else.
    """
    with listed(path) as entries:
        parts = arranged(path, entries)
        if parts["train"][0][1] is None:
            raise DataError(f"{path}: {entries[0].shown} must lie in a folder of its class")
        _tell_empty(path, entries)
        train = read_pictures(path, parts["train"], form, part="train")
        if "test" not in parts:
            return train, None
        return train, read_pictures(path, parts["test"], form, part="test", like=train)
