"""Counting bits with trees of compressors.

Everything here is bit-sliced: a *slice* is a value that holds the same bit of every counter side
by side, so that the full adders of all counters are a handful of wide operations, whatever their
number. It keeps generation quick and the Verilog short.
"""

import itertools
from dataclasses import dataclass

from amaranth.hdl import Cat, Const

from bitwright.hw.alike import different

__all__ = ["Count", "at_least", "comparison_levels", "count_six", "popcount"]

_ADDER_LEVELS = 2
"""LUT levels that a short carry chain is worth."""


def popcount(stages, bits, lut_size):
    """Count, for every counter, how many of its bits are 1.

    Parameters
    ----------
    stages : Stages
        Gets a register every so many levels.
    bits : list of Value
        Slices to count, at least one, all equally wide.
    lut_size : int
        Inputs of a LUT. Six make a 6:3 compressor one level deep, fewer a 3:2 compressor.

    Returns
    -------
    list of Value
        Slices of the counts, least significant first, as many as the largest count needs.
    """
    columns = [list(bits)]
    while any(len(column) > 2 for column in columns):
        columns = _compress(stages, _before(stages, columns, 1), lut_size)
    if any(len(column) > 1 for column in columns):
        columns = _before(stages, columns, _ADDER_LEVELS)
        return [stages.wire(slice_) for slice_ in _add(columns, len(bits).bit_length())]
    return [slice_ for column in columns for slice_ in column]


@dataclass(frozen=True)
class Count:
    """What :func:`popcount` makes of one counter, known without building it.

    Parameters
    ----------
    width : int
        Slices of the count.
    luts : int
        LUTs of its compressors and of its adder.
    lowest : int
        Compressors among them that count the least significant slices.
    lut_size : int
    """

    width: int
    luts: int
    lowest: int
    lut_size: int

    def shared(self, counters, words=1):
        """LUTs of counters that count the same bits, each with some of them inverted.

        What compressors make of the same bits differs by inversions, so that many counters have no
        more of the least significant ones than there are ways to invert. If these never change, the
        sum is the same for all, and a carry is one of 4, or of 32.

        Parameters
        ----------
        counters : int
        words : int
            Of a memory that says which bits are inverted, for all counters.
        """
        one, inputs = (2, 3) if self.lut_size < 6 else (3, 6)
        # Bits that are all inverted invert the sum and the carries, which is nothing of its own if
        # they always are. In a memory the inverse of a bit is another bit.
        free = words == 1
        sums, carries = (different(counters, places * words - free) for places in (1, inputs))
        own = self.luts - one * self.lowest
        return round(counters * own + self.lowest * (sums + (one - 1) * carries))

    @classmethod
    def through(cls, depth, bits, lut_size, counters=1):
        """Pass the levels of a popcount.

        Parameters
        ----------
        depth : Depth
            Gets the registers of all counters.
        bits : int
            Slices to count.
        lut_size : int
        counters : int
        """
        heights, luts, lowest = [bits], 0, 0
        while max(heights) > 2:
            depth.before(counters * sum(heights))
            heights, full, six = _heights(heights, lut_size)
            luts += 2 * sum(full) + 3 * sum(six)
            lowest += full[0] if lut_size < 6 else six[0]
        if max(heights) > 1:
            depth.before(counters * sum(heights), _ADDER_LEVELS)
            width = bits.bit_length()
            return cls(width, luts + width, lowest, lut_size)
        return cls(sum(heights), luts, lowest, lut_size)


def _heights(heights, lut_size):
    """Heights of the columns behind a level, and how many compressors of 3 and of 6 each has."""
    result, full, six = [0] * (len(heights) + 2), [0] * len(heights), [0] * len(heights)
    for weight, height in enumerate(heights):
        while lut_size >= 6 and height > 3:
            height -= min(height, 6)
            six[weight] += 1
            for place in range(3):
                result[weight + place] += 1
        if height == 3 or lut_size < 6:
            while height > 2:
                height -= 3
                full[weight] += 1
                result[weight] += 1
                result[weight + 1] += 1
        result[weight] += height
    while not result[-1]:
        result.pop()
    return result, full, six


def at_least(stages, count, thresholds):
    """Compare the counts with constants, without a subtractor.

    Parameters
    ----------
    stages : Stages
    count : list of Value
        Slices, least significant first.
    thresholds : list of int
        One a counter, from 0.

    Returns
    -------
    Value
        Slice of ``count >= threshold``.
    """
    width = len(thresholds)
    reached = Const((1 << width) - 1, width)
    # From the least significant bit up: equal so far means reached. Then a bit that the threshold
    # has must be there too, and a bit that it lacks is enough by itself: a majority.
    for place, slice_ in enumerate(count):
        lacks = Const(_pack(not threshold >> place & 1 for threshold in thresholds), width)
        reached = stages.wire(slice_ & reached | lacks & (slice_ | reached))
    return reached & Const(_pack(not threshold >> len(count) for threshold in thresholds), width)


def comparison_levels(width):
    """LUT levels of :func:`at_least` for so many slices: a LUT4 passes three bits of the count."""
    return -(-width // 3)


def _before(stages, columns, cost):
    flat = iter(stages.before([slice_ for column in columns for slice_ in column], cost))
    return [list(itertools.islice(flat, len(column))) for column in columns]


def _pack(bits):
    return sum(1 << index for index, bit in enumerate(bits) if bit)


def _compress(stages, columns, lut_size):
    """Pass one level of compressors. Column ``w`` holds the slices of weight ``2 ** w``."""
    result = [[] for _ in range(len(columns) + 2)]
    for weight, column in enumerate(columns):
        rest = list(column)
        while lut_size >= 6 and len(rest) > 3:
            group, rest = rest[:6], rest[6:]
            for place, slice_ in enumerate(count_six(stages, group)):
                result[weight + place].append(slice_)
        if len(rest) == 3 or lut_size < 6:
            while len(rest) > 2:
                total, carry = _full_adder(stages, *rest[:3])
                rest = rest[3:]
                result[weight].append(total)
                result[weight + 1].append(carry)
        result[weight] += rest
    while not result[-1]:
        result.pop()
    return result


def _full_adder(stages, a, b, c):
    either = stages.wire(a ^ b)
    return stages.wire(either ^ c), stages.wire(a & b | c & either)


def count_six(stages, bits):
    """Count up to six bits: three functions of at most six inputs, a LUT6 each."""
    bits = [*bits, *(Const(0, len(bits[0])) for _ in range(6 - len(bits)))]
    low, carry0 = _full_adder(stages, *bits[:3])
    other, carry1 = _full_adder(stages, *bits[3:])
    return (stages.wire(low ^ other),
            *_full_adder(stages, carry0, carry1, stages.wire(low & other)))


def _add(columns, width):
    """Add the last two rows of every counter, with the device's carry chain."""
    lanes = len(columns[0][0])
    sums = [Cat(column[0][lane] for column in columns)
            + Cat(column[1][lane] if len(column) > 1 else Const(0, 1) for column in columns)
            for lane in range(lanes)]
    return [Cat(total[place] for total in sums) for place in range(width)]
