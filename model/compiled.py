"""Loops compiled by numba. Importing this module imports numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop when it is first called, and keep it for the next process if that can be."""
    def kept(cache: bool) -> Callable[..., Any]:
        return njit(cache=cache, error_model="numpy",
                    fastmath={"contract", "reassoc", "nsz", "arcp"})(function)

    try:
        return kept(True)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return kept(False)
