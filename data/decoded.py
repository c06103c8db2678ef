"""Decoded pictures of a zip file, kept: decoding takes much longer than reading them back."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bitwright.data import places
from bitwright.data.picture import Form
from bitwright.data.samples import DAMAGED, Samples
from bitwright.files import write_atomic

__all__ = ["kept"]

logger = logging.getLogger(__name__)

_FORMAT = 1
"""Of an entry, and of what data.picture makes of a file: to be raised when either changes."""

Parts = tuple[Samples, Samples | None]


def kept(path: Path, form: Form, decode: Callable[[], Parts]) -> Parts:
    """Pictures of a zip file as they were decoded before, or decode and keep them.

    They are kept under a digest of the zip file's content, of the form and of what decodes: another
    zip file, or another JPEG decoder, is another entry. An entry that is not whole, which its
    checksums tell, is made anew; where none can be written, nothing is kept.

    Parameters
    ----------
    path : Path
        Of a zip file. A folder is decoded every time.
    form : Form
    decode : callable
        Makes the training part and the test part.
    """
    if not path.is_file():
        return decode()
    entry = places.CACHE.expanduser() / "decoded" / f"{_digest(path, form)}.npz"
    try:
        if entry.exists():
            return _read(path, entry)
    except (*DAMAGED, KeyError, ValueError) as error:
        logger.warning("%s: decoded anew, as what was kept is damaged (%s)", entry,
                       type(error).__name__)
    parts = decode()
    try:
        _write(entry, parts)
    except OSError as error:
        logger.info("%s: not kept (%s)", entry, error.strerror or error)
    return parts


def _digest(path: Path, form: Form) -> str:
    from PIL import __version__ as pillow
    from PIL import features

    found = hashlib.sha256(repr((_FORMAT, form, pillow, features.version("jpg"))).encode())
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _write(entry: Path, parts: Parts) -> None:
    arrays: dict[str, Any] = {}
    for name, part in zip(("train", "test"), parts, strict=True):
        if part is not None:
            assert part.labels is not None
            arrays |= {f"{name}_values": part.values, f"{name}_labels": np.array(part.labels),
                       f"{name}_places": np.array(part.places)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomic(entry, buffer.getvalue())


def _read(path: Path, entry: Path) -> Parts:
    with np.load(entry, allow_pickle=False) as arrays:
        found = [Samples(str(path), arrays[f"{name}_values"], arrays[f"{name}_labels"].tolist(),
                         arrays[f"{name}_places"].tolist())
                 for name in ("train", "test") if f"{name}_values" in arrays]
    return found[0], found[1] if len(found) > 1 else None
