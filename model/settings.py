"""From plain mappings, as TOML gives them, to frozen dataclasses, and back."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from bitwright.errors import UserError

__all__ = ["RecipeError", "flat", "nearest", "parse", "plain"]

T = TypeVar("T")


class RecipeError(UserError, ValueError):
    """A recipe cannot be used. The message names the key, the rule and the offending value."""


def nearest(word: str, known: Collection[str]) -> str:
    """End of a message on an unknown word: the nearest known one, or all of them."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"


def parse(cls: type[T], values: Any, where: str = "") -> T:
    """Make a dataclass of plain values.

    Parameters
    ----------
    cls : type
        A dataclass whose fields are int, float, str, bool, a Literal of strings, a tuple of
        integers of some length, or a union of those.
    values : mapping
    where : str
        Dotted path of the mapping in its file, for messages.

    Raises
    ------
    RecipeError
        If a key is unknown or missing, or a value has another type or is refused.
    """
    if not isinstance(values, Mapping):
        raise RecipeError(f"{where} must be a table, not {values!r}")
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise RecipeError(f"unknown key {_join(where, key)!r}; {nearest(key, known)}")
    for name, field in known.items():
        if field.default is MISSING and field.default_factory is MISSING and name not in values:
            raise RecipeError(f"key {_join(where, name)!r} is missing")
    checked = {key: _value(hints[key], value, _join(where, key)) for key, value in values.items()}
    try:
        return cls(**checked)
    except ValueError as error:
        raise RecipeError(f"{where}.{error}" if where else str(error)) from error


def _value(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) in (UnionType, Union):
        return _one_of(get_args(hint), value, where)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            choices = ", ".join(map(repr, get_args(hint)))
            raise RecipeError(f"{where} must be one of {choices}, not {value!r}")
        return value
    if hint is float and type(value) is int:
        return float(value)
    if hint in (int, float, str, bool) and type(value) is not hint:
        kind = {int: "an integer", float: "a number", str: "a string", bool: "true or false"}[hint]
        raise RecipeError(f"{where} must be {kind}, not {value!r}")
    if hint is int and not -(1 << 63) <= value < 1 << 63:
        raise RecipeError(f"{where} must be an integer of 64 bits, not {value}")
    if hint is str and not _encodes(value):
        raise RecipeError(f"{where} must be text, not {value!r}")
    return value


def _one_of(hints: Sequence[Any], value: Any, where: str) -> Any:
    """A value of a union of words, numbers, integers and tuples of integers."""
    forms: list[str] = []
    for hint in hints:
        if get_origin(hint) is Literal:
            if isinstance(value, str) and value in get_args(hint):
                return value
            forms += map(repr, get_args(hint))
        elif hint is int:
            if type(value) is int:
                return _value(int, value, where)
            forms.append("an integer")
        elif hint is float:
            if type(value) in (int, float):
                return float(value)
            forms.append("a number")
        elif hint is not NoneType:  # TOML has no word for None: the key is left out
            count = len(get_args(hint))
            if isinstance(value, list | tuple) and len(value) == count and all(
                    type(item) is int for item in value):
                return tuple(_value(int, item, where) for item in value)
            forms.append(f"a list of {count} integers")
    *others, last = forms
    noun = f"{', '.join(others)} or {last}" if others else last
    raise RecipeError(f"{where} must be {noun}, not {value!r}")


def _encodes(text: str) -> bool:
    """Whether a file can hold a text: words of a command line may be bytes of no encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def plain(value: Any) -> Any:
    """Convert a dataclass, and those inside it, to plain values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def flat(values: Any, where: str = "") -> dict[str, Any]:
    """Plain values by dotted path."""
    if isinstance(values, dict):
        items = list(values.items())
    elif isinstance(values, list):
        items = list(enumerate(values))
    else:
        return {where: values}
    result: dict[str, Any] = {}
    for key, value in items:
        result |= flat(value, f"{where}.{key}" if where else str(key))
    return result
