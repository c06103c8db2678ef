"""Neighbouring pixels made one, each channel alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from bitwright.ir.bits import ONES, Bits, Words, with_constants
from bitwright.ir.fields import Field, shown
from bitwright.ir.listed import Word
from bitwright.ir.node import BitNode
from bitwright.ir.window import Window

__all__ = ["FUNCTIONS", "Pool"]

FUNCTIONS = ("or", "and", "majority")
"""What a pool makes of the pixels: 1 where one of them is 1 (their maximum), where all are (their
minimum), or where more than half of them are."""


@dataclass(frozen=True, eq=False)
class Pool(BitNode, kind="pool"):
    """One function of the pixels that a window sees, of each channel alone.

    The outputs form an image of the positions as pixels, with the channels of the input. Pixels of
    the border count as those of the image.

    Parameters
    ----------
    window : Window
    function : str
        One of :data:`FUNCTIONS`.

    Raises
    ------
    ValueError
        If the window is none, or the function is unknown.
    """

    fields: ClassVar[tuple[Field, ...]] = (*Window.fields, Word("function", FUNCTIONS))

    window: Window
    function: str

    def validate(self) -> None:
        if not isinstance(self.window, Window):
            raise ValueError(f"Window must be an ir.Window, not {shown(self.window)}")

    def values(self) -> dict[str, Any]:
        return {**self.window.values(), "function": self.function}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        return cls(Window.from_values(values), values["function"])

    @property
    def least(self) -> int:
        """Pixels of a window that must be 1 for an output of 1."""
        pixels = self.window.pixels
        return {"or": 1, "and": pixels, "majority": pixels // 2 + 1}[self.function]

    @property
    def channels(self) -> int:
        """Output bits of a position."""
        return self.window.channels

    @property
    def in_width(self) -> int:
        return self.window.in_width

    @property
    def out_width(self) -> int:
        return self.window.positions * self.channels

    @property
    def reads(self) -> Bits:
        mask = np.zeros(self.in_width + 2, bool)
        mask[self.window.index] = True
        return mask[:-2]

    def evaluate_words(self, x: Words) -> Words:
        shown = with_constants(x)
        index = self.window.index.reshape(self.window.positions, -1, self.channels)
        pixels = (shown[index[:, place].reshape(-1)] for place in range(index.shape[1]))
        if self.function == "majority":
            return _majority(pixels, self.least)
        join = np.bitwise_or if self.function == "or" else np.bitwise_and
        y: Words = next(pixels)
        for pixel in pixels:
            join(y, pixel, out=y)
        return y

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        window = Window.sample(rng, int(rng.integers(1, 4)))
        return cls(window, FUNCTIONS[int(rng.integers(len(FUNCTIONS)))])


def _majority(bits: Iterator[Words], least: int) -> Words:
    """Whether at least so many bits are 1, which is more than half of them, in each lane alone.

    A counter of bit-sliced digits begins at the number that ``least`` ones bring to a power of two,
    and none brings to the next: its highest digit is the answer.
    """
    width = (least - 1).bit_length()
    begin, digits = (1 << width) - least, list[Words]()
    for bit in bits:
        if not digits:
            digits = [np.full_like(bit, ONES if begin >> place & 1 else 0)
                      for place in range(width + 1)]
        for digit in digits:
            carry = digit & bit
            digit ^= bit
            bit = carry
    return digits[-1]
