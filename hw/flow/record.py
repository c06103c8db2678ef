"""Frozen dataclasses as JSON values, and as what a result is known by."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from bitwright import ir

__all__ = ["digest", "file_digest", "from_json", "identity", "to_json"]

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """A record as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name))
                for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[T], value: Any) -> T:
    """The record that :func:`to_json` made these values of.

    Raises
    ------
    TypeError, KeyError
        If they are of another form.
    """
    return typing.cast(T, _decode(kind, value))


def _decode(kind: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # of one type and None
        (inner,) = (item for item in arguments if item is not type(None))
        return None if value is None else _decode(inner, value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    if origin is not None:
        return {name: _decode(arguments[1], item) for name, item in value.items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{field.name: _decode(hints[field.name], value[field.name])
                       for field in dataclasses.fields(kind)})
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise TypeError(f"Value must be of type {kind.__name__}, not {value!r}")
    return value


def identity(value: Any) -> Any:
    """What a value is, as JSON: everything that could change what is made of it.

    A file is its content, wherever it lies; a network is the digest of what it computes; any other
    record is all of its fields, so that a new one is never forgotten.

    Raises
    ------
    TypeError
        If it is nothing that has an identity.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Path):
        return {"file": file_digest(value)}
    if isinstance(value, ir.Network):
        return {"network": ir.digest(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: identity(getattr(value, field.name))
                for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: identity(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [identity(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    if callable(value):
        return {"function": f"{value.__module__}.{value.__qualname__}"}
    raise TypeError(f"Value must have an identity, not be {value!r}")


def digest(value: object) -> str:
    """SHA-256 of a JSON value, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
