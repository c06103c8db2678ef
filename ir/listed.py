"""Attributes of a header that are no single number: one of some words, and lists of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bitwright.ir.fields import Field, Parts, Sizes, left_out, shown, taken, title

__all__ = ["Integers", "Word"]


@dataclass(frozen=True)
class Word(Field):
    """One of some words.

    Parameters
    ----------
    name : str
    words : tuple of str
    default : str, optional
        Word that is never written: a file without the attribute has it.
    """

    name: str
    words: tuple[str, ...]
    default: str | None = None

    def check(self, value: Any, sizes: Sizes) -> str:
        if type(value) is not str or value not in self.words:
            raise ValueError(f"{title(self.name)} must be one of {self.words}, not {shown(value)}")
        return value

    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        if value != self.default:
            attributes[self.name] = value

    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> str:
        return self.check(taken(self.name, attributes, self.default), sizes)

    def describe(self) -> tuple[str, str, str]:
        words = ", ".join(f'`"{word}"`' for word in self.words)
        return "word", "", f"{words}{left_out(self.default)}"


@dataclass(frozen=True)
class Integers(Field):
    """A list of whole numbers, a tuple in Python; both ends of each range inclusive.

    Parameters
    ----------
    name : str
    low, high : int
        Of each number.
    least, most : int
        Numbers in the list.
    """

    name: str
    low: int
    high: int
    least: int
    most: int

    def check(self, value: Any, sizes: Sizes) -> tuple[int, ...]:
        if type(value) is not tuple or any(type(number) is not int for number in value):
            raise ValueError(f"{title(self.name)} must be a tuple of integers, not {shown(value)}")
        if not self.least <= len(value) <= self.most:
            raise ValueError(f"{title(self.name)} must be {self.least} to {self.most} numbers, "
                             f"not {len(value)}")
        for number in value:
            if not self.low <= number <= self.high:
                raise ValueError(f"{title(self.name)} must be between {self.low} and {self.high}, "
                                 f"not {number}")
        return value

    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        attributes[self.name] = list(value)

    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> tuple[int, ...]:
        value = taken(self.name, attributes)
        if not isinstance(value, list):
            raise ValueError(f"{title(self.name)} must be a list of integers, not {shown(value)}")
        return self.check(tuple(value), sizes)

    def describe(self) -> tuple[str, str, str]:
        return "list of integers", f"{self.least} … {self.most} numbers", (
            f"{self.low} … {self.high} each")
