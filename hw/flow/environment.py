"""What Amaranth is not to do: be changed from outside, and warn of what is meant."""

from __future__ import annotations

import contextlib
import gc
import os
import warnings
from collections.abc import Iterator

from amaranth.hdl import UnusedElaboratable

__all__ = ["not_elaborated", "without_overrides"]


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


@contextlib.contextmanager
def not_elaborated() -> Iterator[None]:
    """For components that are asked for their ports and figures only, and are not elaborated.

    None of them may be referred to at the end.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        yield
        gc.collect()  # it is now that they are found unused
