"""What is done before and after the nodes, one number at a time, straight from docs/format.md."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

from bitwright import ir

__all__ = ["Refused", "answers", "features", "single"]


class Refused(Exception):
    """The page forbids the sample."""


def features(preparation: ir.Preparation, sample: list) -> list[int]:
    """Integers that a raw sample becomes: rows of numbers, or rows of pixels."""
    match preparation:
        case ir.Affine() | ir.Quantile():
            assert len(sample) == preparation.steps
            return [_integer(preparation, column, _whole(preparation, column, value))
                    for row in sample for column, value in enumerate(row)]
        case ir.Picture():
            pixels = [byte for row in sample for pixel in row
                      for byte in (pixel if preparation.colour else [pixel])]
            return [(2 * byte * preparation.full_scale + 255) // 510 for byte in pixels]
        case _:
            raise TypeError(f"Reference has no rule for {type(preparation).__name__}")


def answers(answer: ir.Answer, scores: list[int]) -> list[float]:
    """Numbers that scores mean."""
    return [single(single(single(score) * scale) + offset) for score, scale, offset
            in zip(scores, answer.scale.tolist(), answer.offset.tolist(), strict=True)]


def single(value: float) -> float:
    """The nearest number of binary32, the even one of two; infinite beyond its range."""
    if isinstance(value, float) and not math.isfinite(value):
        return value
    near = _packed(float(value))
    if math.isinf(near):
        return near
    (code,) = struct.unpack("<I", struct.pack("<f", near))
    exact = Fraction(value)
    candidates = [other for other in (code - 1, code, code + 1)
                  if 0 <= other < 1 << 32 and other >> 31 == code >> 31]
    finite = [(abs(Fraction(number) - exact), candidate & 1, number) for candidate in candidates
              if math.isfinite(number := struct.unpack("<f", struct.pack("<I", candidate))[0])]
    return min(finite)[2]


def _packed(value: float) -> float:
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def _whole(preparation: ir.Numbers, column: int, value: float) -> float:
    """The number of binary32 that a raw value stands for."""
    x = single(value)
    if math.isnan(x):
        if not preparation.fills:
            raise Refused
        x = preparation.fill.tolist()[column]
    if math.isinf(x):
        raise Refused
    return x


def _integer(preparation: ir.Numbers, column: int, x: float) -> int:
    if isinstance(preparation, ir.Quantile):
        return sum(x >= edge for edge in preparation.edges.tolist()[column])
    offset, scale = preparation.offset.tolist()[column], preparation.scale.tolist()[column]
    y = single(single(x - offset) * scale)
    values = 1 << preparation.bits
    low = -values // 2 if preparation.signed else 0
    high = low + values - 1
    if math.isinf(y):
        return high if y > 0 else low
    down = math.floor(y)
    above = Fraction(y) - down  # of the integer below
    nearest = down if above < Fraction(1, 2) else down + 1
    if above == Fraction(1, 2) and nearest % 2:
        nearest = down
    return min(max(nearest, low), high)
