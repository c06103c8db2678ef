"""Where the files of data sets are looked for."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["CACHE", "ENVIRONMENT", "roots"]

ENVIRONMENT = "BITWRIGHT_DATA"
"""Environment variable that names a folder of data sets."""

CACHE = Path("~/.cache/bitwright")


def roots(data_dir: Path | None) -> list[Path]:
    """Folders to look in, in that order: the one given, the environment's, the user's cache."""
    given = [] if data_dir is None else [data_dir]
    if os.environ.get(ENVIRONMENT):
        given.append(Path(os.environ[ENVIRONMENT]))
    return [*given, CACHE.expanduser()]
