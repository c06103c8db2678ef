"""A board of one's own: a short TOML file says its part and its pins."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitwright.boards.board import Board, BoardError, Lines
from bitwright.boards.program import BITSTREAM
from bitwright.hw import families
from bitwright.hw.families import Family, Part, PartError
from bitwright.hw.rate import default, divisor

__all__ = ["OwnPlatform", "load"]

PIN = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True)
class OwnPlatform:
    """A platform class that is made of a few pins.

    Parameters
    ----------
    base : str
        ``module:class`` of the Amaranth platform of its family.
    attributes : tuple of (str, str)
        Attributes of the class that say the part.
    clock : str
        Pin.
    clock_hz : int
    reset : (str, bool) or None
        Pin, and whether it is active while low.
    pins : tuple of (str, str or int)
        Attributes of every pin.
    """

    base: str
    attributes: tuple[tuple[str, str], ...]
    clock: str
    clock_hz: int
    reset: tuple[str, bool] | None = None
    pins: tuple[tuple[str, str | int], ...] = ()

    @property
    def chosen(self) -> Mapping[str, str]:
        """See :class:`boards.board.Source`."""
        reset = {} if self.reset is None else {"reset.pin": self.reset[0]}
        return {"clock.pin": self.clock, **reset}

    def platform(self, toolchain: str | None) -> Any:
        """See :class:`boards.board.Source`."""
        from amaranth.build import Attrs, Clock, Pins, Resource

        module, _, name = self.base.partition(":")
        attrs = Attrs(**dict(self.pins))
        resources = [Resource("clk", 0, Pins(self.clock, dir="i", assert_width=1),
                              Clock(self.clock_hz), attrs)]
        if self.reset is not None:
            pin, low = self.reset
            resources.append(Resource("rst", 0, Pins(pin, dir="i", invert=low, assert_width=1),
                                      attrs))
        cls = type("OwnPlatform", (getattr(importlib.import_module(module), name),), {
            **dict(self.attributes), "default_clk": "clk",
            "default_rst": None if self.reset is None else "rst",
            "resources": resources, "connectors": []})
        return cls() if toolchain is None else cls(toolchain=toolchain)


def load(path: Path) -> Board:
    """The board that a file describes.

    Raises
    ------
    BoardError
        If something in it is wrong. One line, which names file and key.
    OSError
        If it cannot be read.
    """
    try:
        values = tomllib.loads(path.read_bytes().decode().removeprefix("\N{BYTE ORDER MARK}"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BoardError(f"{path}: not TOML: {error}") from error
    try:
        return _board(path, _checked(values))
    except (_KeyError, PartError) as error:
        raise BoardError(f"{path}: {error}") from error


class _KeyError(Exception):
    """What is wrong with a key."""


def _pin(value: Any) -> str | None:
    return None if isinstance(value, str) and PIN.fullmatch(value) else "a pin, such as \"A4\""


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "a text"


def _megahertz(value: Any) -> str | None:
    good = type(value) in (int, float) and 0.001 <= value <= 1000
    return None if good else "a frequency in MHz, from 0.001 to 1000"


def _truth(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _count(value: Any) -> str | None:
    return None if type(value) is int and value > 0 else "an integer above 0"


def _name(value: Any) -> str | None:
    good = isinstance(value, str) and re.fullmatch(r"\w[\w.+-]*", value)
    return None if good else "a name of letters, digits and any of . _ + -"


def _command(value: Any) -> str | None:
    good = (isinstance(value, list) and all(isinstance(word, str) for word in value)
            and value.count(BITSTREAM) == 1)
    return None if good else f"a list of texts, one of them \"{BITSTREAM}\""


def _standard(value: Any) -> str | None:
    good = isinstance(value, str) and PIN.fullmatch(value)
    return None if good else "a name, such as \"LVCMOS33\""


def _pin_attributes(value: Any) -> str | None:
    good = isinstance(value, dict) and all(
        PIN.fullmatch(name) and (type(item) is int or _standard(item) is None)
        for name, item in value.items())
    return None if good else "a table of names and integers"


_KEYS: Mapping[str, Callable[[Any], str | None]] = {
    "name": _name, "part": _text, "package": _text, "speed": _text, "baud": _count,
    "program": _command,
    "clock.pin": _pin, "clock.mhz": _megahertz,
    "uart.rx": _pin, "uart.tx": _pin,
    "reset.pin": _pin, "reset.low": _truth,
    "io.standard": _standard, "io.attributes": _pin_attributes,
}
"""Keys, and what says of a value what it must be if it is not."""

_TABLES = ("clock", "uart", "reset", "io")

_NEEDED = {"": ("part", "clock.pin", "clock.mhz"), "uart": ("uart.rx", "uart.tx"),
           "reset": ("reset.pin",)}
"""Keys that a file must have, and those of a table that it has."""


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file with their tables before them. Each is known, and of its type."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _TABLES:
            flat[key] = value
        elif not isinstance(value, dict):
            raise _KeyError(f"key {key!r} must be a table, not {value!r}")
        else:
            flat.update({f"{key}.{inner}": item for inner, item in value.items()})
    for key, value in flat.items():
        if key not in _KEYS:
            raise _KeyError(f"key {key!r} is unknown; {families.nearest(key, _KEYS)}")
        kind = _KEYS[key](value)
        if kind is not None:
            raise _KeyError(f"key {key!r} must be {kind}, not {value!r}")
    for table, keys in _NEEDED.items():
        for key in keys:
            if key not in flat and (not table or table in values):
                raise _KeyError(f"key {key!r} is missing")
    return flat


def _board(path: Path, keys: Mapping[str, Any]) -> Board:
    family, part = _part(keys)
    _different(keys)
    assert family.platform is not None
    assert family.parts is not None
    assert family.place is not None
    hertz = round(keys["clock.mhz"] * 1e6)
    pins = (*family.io.attributes(keys.get("io.standard")),
            *keys.get("io.attributes", {}).items())
    reset = None if "reset.pin" not in keys else (keys["reset.pin"], keys.get("reset.low", False))
    name = keys.get("name", path.stem)
    return Board(
        name=name, title=f"{name}, {part.name}", clock_hz=hertz, baud=_baud(keys, hertz),
        uart=Lines(keys["uart.rx"], keys["uart.tx"], pins) if "uart.rx" in keys else None,
        source=OwnPlatform(family.platform, family.parts.attributes_of(part), keys["clock.pin"],
                           hertz, reset, pins),
        family=family, part=part,
        program=tuple(keys.get("program", (*family.place.program, BITSTREAM))))


def _part(keys: Mapping[str, Any]) -> tuple[Family, Part]:
    try:
        family, part = families.part(keys["part"])
        if "package" in keys or "speed" in keys:
            part = family.part(part.device, keys.get("package", part.package),
                               keys.get("speed", part.speed))
    except PartError as error:
        raise _KeyError(f"key 'part': {error}") from error
    return family, part


def _different(keys: Mapping[str, Any]) -> None:
    """Refuse two lines on a pin."""
    taken: dict[str, str] = {}
    for key in ("clock.pin", "reset.pin", "uart.rx", "uart.tx"):
        pin = keys.get(key)
        if pin is not None and taken.setdefault(pin, key) != key:
            raise _KeyError(f"keys {taken[pin]!r} and {key!r} name the same pin {pin!r}")


def _baud(keys: Mapping[str, Any], hertz: int) -> int:
    try:
        if "baud" in keys:
            divisor(hertz, keys["baud"])
            return int(keys["baud"])
        return default(hertz)
    except ValueError as error:
        key = "baud" if "baud" in keys else "clock.mhz"
        raise _KeyError(f"key {key!r}: {error}") from error
