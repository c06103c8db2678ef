"""The environment variables that reach into what Amaranth writes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

__all__ = ["without_overrides"]


@contextlib.contextmanager
def without_overrides() -> Iterator[None]:
    """Hide the variables by which Amaranth's output can be changed from outside.

    A platform takes ``AMARANTH_add_constraints`` and others of that form into the files that it
    writes. A build is made of what its key names, and those are not in it.
    """
    hidden = {name: os.environ.pop(name) for name in list(os.environ)
              if name.startswith("AMARANTH_")}
    try:
        yield
    finally:
        os.environ.update(hidden)
