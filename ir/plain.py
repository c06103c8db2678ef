"""JSON that everybody reads alike: what RFC 8259 leaves open is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from bitwright.ir.fields import shown

__all__ = ["check", "dump", "parse"]

MAX_DEPTH = 64
"""Objects and lists inside each other."""

TOO_DEEP = f"lists and objects must lie at most {MAX_DEPTH} deep"

LOW, HIGH = -(1 << 63), (1 << 64) - 1
"""Integers that 64 bits hold, with or without a sign."""


def dump(value: object) -> str:
    """The one text of a value: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def parse(text: str) -> Any:
    """Read a text.

    Raises
    ------
    ValueError
        If it is not JSON, or has a key twice, or anything that :func:`check` refuses.
    """
    try:
        value = json.loads(text, parse_int=_integer, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error})") from error
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    check(value, "header")
    return value


def check(value: object, name: str, depth: int = 0) -> None:
    """See that a value made in Python is JSON. A tuple counts as a list.

    Raises
    ------
    ValueError
        If it has anything but objects, lists, strings, integers of 64 bits, finite numbers, true,
        false and null, or is nested too deeply. The message begins with the name of the value.
    """
    if depth > MAX_DEPTH and isinstance(value, list | tuple | Mapping):
        raise ValueError(TOO_DEEP)
    match value:
        case None | bool():
            pass
        case int():
            if not LOW <= value <= HIGH:
                raise ValueError(f"{name} must be an integer of 64 bits, not of "
                                 f"{value.bit_length()}")
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number, not {value}")
        case str():
            if not _sound(value):
                raise ValueError(f"{name} must be Unicode text, not {shown(value)}")
        case list() | tuple():
            for index, item in enumerate(value):
                check(item, f"{name}[{index}]", depth + 1)
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str) or not _sound(key):
                    raise ValueError(f"{name} must have keys of Unicode text, not {shown(key)}")
                check(item, f"{name}[{shown(key)}]", depth + 1)
        case _:
            raise ValueError(f"{name} must be a JSON value, not {shown(value)}")


def _sound(text: str) -> bool:
    """Whether no half of a surrogate pair stands alone."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _integer(text: str) -> int:
    if len(text) > 21:
        raise ValueError(f"an integer must have 64 bits, not {len(text)} digits")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {shown(twice)} occurs twice")
    return value
