"""The devices of a family, and the parts that they are sold as."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bitwright.errors import UsageError

__all__ = ["Device", "Part", "PartError", "Parts", "nearest"]

T = TypeVar("T")


class PartError(UsageError):
    """There is no such part. One line, which names the nearest ones."""


@dataclass(frozen=True)
class Part:
    """A device in its package: what a design is placed on.

    Parameters
    ----------
    name : str
        As its maker writes it, such as ``LFE5U-25F-6BG381C``.
    device, package, speed : str
        Of which it is made up. A speed grade is empty where there is one only.
    luts, flip_flops, memories : int
        Capacity as nextpnr counts it: LUT4, flip-flops, block RAMs.
    memory_kbit : int
        Size of one block RAM in kbit (1024 bits).
    nextpnr, packer : tuple of str
        Options that select it.
    large_memories : int
        Memories of 16,384 words of 16 bits, beside block RAM.
    """

    name: str
    device: str
    package: str
    speed: str
    luts: int
    flip_flops: int
    memories: int
    memory_kbit: int
    nextpnr: tuple[str, ...]
    packer: tuple[str, ...] = ()
    large_memories: int = 0


@dataclass(frozen=True)
class Device:
    """A device in all its packages and speed grades.

    Parameters
    ----------
    name : str
        As its maker writes it.
    luts, flip_flops, memories, memory_kbit : int
        As of :class:`Part`.
    packages : mapping of str to str
        Its packages as their maker writes them, and as nextpnr does. The first is the one that is
        meant where none is named.
    speeds : tuple of str
        Its speed grades, likewise.
    option : str
        What selects the device, for the family's :class:`Parts`.
    large_memories : int
        As of :class:`Part`.
    """

    name: str
    luts: int
    flip_flops: int
    memories: int
    memory_kbit: int
    packages: Mapping[str, str]
    speeds: tuple[str, ...] = ("",)
    option: str = ""
    large_memories: int = 0


@dataclass(frozen=True)
class Parts:
    """The devices of a family, and how their parts are written.

    The texts may hold ``{device}``, ``{package}``, ``{speed}``, ``{option}`` and ``{chip}``, the
    package as nextpnr writes it; all but ``written`` may hold ``{name}``, too.

    Parameters
    ----------
    devices : tuple of Device
    written : str
        Name of a part, such as ``{device}-{speed}{package}C``.
    nextpnr, packer : tuple of str
        Options that select one.
    grades : tuple of str
        Endings that a name may have in place of its own last letter: the temperature range, which
        changes nothing here.
    attributes : tuple of (str, str)
        Attributes of an Amaranth platform that say its part.
    """

    devices: tuple[Device, ...]
    written: str
    nextpnr: tuple[str, ...]
    grades: tuple[str, ...] = ()
    packer: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = (
        ("device", "{device}"), ("package", "{package}"), ("speed", "{speed}"))

    def __iter__(self) -> Iterator[Part]:
        """Every part."""
        for device in self.devices:
            for package in device.packages:
                for speed in device.speeds:
                    yield self._part(device, package, speed)

    def part(self, device: str, package: str, speed: str = "") -> Part:
        """The part of a device, package and speed grade, in whatever case they are written.

        A speed grade that is left out is the slowest there is.

        Raises
        ------
        PartError
            If there is none. Names what is wrong, and what there is instead.
        """
        found = _choose(device, {one.name: one for one in self.devices},
                        f"{device}: no such device")
        of_package = _choose(package, {name: name for name in found.packages},
                             f"{found.name} has no package {package!r}")
        of_speed = found.speeds[0]
        if speed:
            of_speed = _choose(speed, {name: name for name in found.speeds},
                               f"{found.name} has no speed grade {speed!r}")
        return self._part(found, of_package, of_speed)

    def named(self, text: str) -> Part | None:
        """The part that a text names: as its maker does, or by its device alone."""
        wanted = _plain(text)
        for part in self:
            plain = _plain(part.name)
            if wanted in (plain, *(plain[:-1] + _plain(grade) for grade in self.grades)):
                return part
        for device in self.devices:
            if wanted == _plain(device.name):
                return self._part(device, next(iter(device.packages)), device.speeds[0])
        return None

    def attributes_of(self, part: Part) -> tuple[tuple[str, str], ...]:
        """Attributes of an Amaranth platform that say a part."""
        words = {"device": part.device, "package": part.package, "speed": part.speed,
                 "name": part.name}
        return tuple((name, text.format(**words)) for name, text in self.attributes)

    def _part(self, device: Device, package: str, speed: str) -> Part:
        words = {"device": device.name, "package": package, "speed": speed,
                 "option": device.option, "chip": device.packages[package]}
        name = self.written.format(**words)
        nextpnr, packer = (tuple(option.format(**words, name=name) for option in options)
                           for options in (self.nextpnr, self.packer))
        return Part(name, device.name, package, speed, device.luts, device.flip_flops,
                    device.memories, device.memory_kbit, nextpnr, packer, device.large_memories)


def _plain(text: str) -> str:
    """A name without what people write in different ways."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _choose(wanted: str, known: Mapping[str, T], refusal: str) -> T:
    """What has the name, in whatever case."""
    for name, value in known.items():
        if _plain(name) == _plain(wanted):
            return value
    raise PartError(f"{refusal}; {nearest(wanted, known)}")


def nearest(wanted: str, known: Iterable[str]) -> str:
    """End of a message: the two names that are nearest, or all where they are few."""
    names = list(known)
    if len(names) <= 4:
        return f"there is {names[0]!r}" if len(names) == 1 else f"there are {', '.join(names)}"
    plain = {_plain(name): name for name in names}
    near = difflib.get_close_matches(_plain(wanted), plain, n=2, cutoff=0.0)
    return f"the nearest are {' and '.join(repr(plain[one]) for one in near)}"
