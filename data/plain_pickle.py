"""Pickled numbers, lists and arrays of bytes, read so that nothing of the file is run."""

from __future__ import annotations

import pickle
import struct
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PickleError", "read_pickle"]


_DAMAGED = (pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError,
            ArithmeticError, ImportError, NameError, RuntimeError, MemoryError, struct.error)
"""What Python's reader raises at a pickle that is not sound."""


class PickleError(ValueError):
    """A pickle holds something else, or is damaged. The message is a part of one line."""


def read_pickle(file: IO[bytes]) -> Any:
    """Read an array of bytes, a list, a string or a number, or a dictionary of such.

    A pickle is a program, and what it names is called. Here it finds no name but the three with
    which NumPy's arrays are made, and in their place classes that take down what they are told:
    neither code of the file's choice nor NumPy's own unpickling is run. Strings of Python 2 are
    ``bytes``.

    Raises
    ------
    PickleError
    """
    try:
        value = _Reader(file, encoding="bytes").load()
    except PickleError:
        raise
    except _DAMAGED as error:
        raise PickleError(f"a damaged pickle: {type(error).__name__}") from error
    if isinstance(value, dict):
        return {key: _made(item) for key, item in value.items()}
    return _made(value)


class _Told:
    """What a pickle says of an array or of a type of numbers."""

    def __init__(self, *said: Any) -> None:
        self.said = said
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Told):
    pass


class _Type(_Told):
    pass


_KNOWN = {(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")} | {
    ("numpy", "ndarray"): _Array, ("numpy", "dtype"): _Type}


class _Reader(pickle._Unpickler):
    """Python's reader that is written in Python: that in C takes memory as a pickle bids it."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            text = f"{module}.{name}"
            raise PickleError(f"its pickle names {ascii(text)[1:-1][:60]}, which is never called")
        return _KNOWN[module, name]


def _made(value: Any) -> Any:
    return _array(value) if isinstance(value, _Told) else value


def _array(told: _Told) -> NDArray[np.uint8]:
    """The state of an array is its version, shape, type, whether columns lie together, bytes."""
    state = told.state
    if isinstance(told, _Array) and isinstance(state, tuple) and len(state) == 5:
        _, shape, kind, fortran, content = state
        if (isinstance(kind, _Type) and kind.said[:1] in ((b"u1",), ("u1",)) and not fortran
                and isinstance(content, bytes) and isinstance(shape, tuple)
                and all(type(size) is int and size >= 0 for size in shape)
                and int(np.prod(shape, dtype=object)) == len(content)):
            return np.frombuffer(content, np.uint8).reshape(shape)
    raise PickleError("its pickle holds an array that is not one of bytes, row by row")
