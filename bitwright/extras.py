"""Packages that not everybody installs, and what to say where one is missing."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator

from bitwright.errors import UserError

__all__ = ["EXTRAS", "MissingError", "missing", "named", "need"]

EXTRAS = {
    "torch": "train", "tensorboard": "train", "numba": "train",
    "optuna": "sweep",
    "ray": "cluster",
    "sklearn": "data", "pooch": "data",
    "amaranth": "hardware", "amaranth_boards": "hardware", "matplotlib": "hardware",
    "cocotb": "sim", "cocotb_tools": "sim", "find_libpython": "sim",
    "serial": "host",
    "pysat": "minimise", "scipy": "minimise",
}
"""Module, and the extra of pyproject.toml that brings it."""

PACKAGES = {"sklearn": "scikit-learn", "amaranth_boards": "amaranth-boards",
            "cocotb_tools": "cocotb", "serial": "pyserial", "pysat": "python-sat"}
"""Module, and the package that has it, where its name is another."""


class MissingError(UserError, ImportError):
    """A package is not installed. One line, which says how to get it."""


def missing(module: str) -> MissingError:
    """What to say where a module of :data:`EXTRAS` is not installed."""
    return MissingError(f"{PACKAGES.get(module, module)} is not installed; install it "
                        f"with `pip install 'bitwright[{EXTRAS[module]}]'`")


def need(*modules: str) -> None:
    """See that modules can be imported, before work begins that ends with them.

    Raises
    ------
    MissingError
        If one cannot.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise missing(module)


@contextlib.contextmanager
def named() -> Iterator[None]:
    """Turn a missing package of an extra into :class:`MissingError`."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in EXTRAS:
            raise
        raise missing(module) from error
