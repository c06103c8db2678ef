"""What benches found, a JSON object a line, in files that several processes may add to."""

import json
import tempfile
from pathlib import Path

from bitwright import files

__all__ = ["put", "read"]


def read(path):
    """What was found, in the order of the file; nothing where there is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def put(path, found, key):
    """Put objects in the place of those of equal keys, sorted by these.

    Parameters
    ----------
    path : Path
    found : iterable of dict
    key : callable
        Of an object: what it is known by.
    """
    with files.lock(Path(tempfile.gettempdir(), f"bitwright-{path.stem}")):
        known = {key(one): one for one in [*read(path), *found]}
        files.write_atomic(path, "".join(json.dumps(known[one]) + "\n" for one in sorted(known)))
