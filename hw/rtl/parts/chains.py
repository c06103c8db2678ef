"""Counting bits with carry chains that take a counter of five bits with them.

For devices whose LUTs have six inputs, and a carry chain behind each. There a position of a chain
adds a bit that comes as it is to any function of five more: a digit of the count of five bits. So
three LUTs add to a number the count of five bits, and a sixth may enter where the carry does. 50
bits take 37 LUTs, where compressors of six bits, which make three bits of six in three LUTs, take
56.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from amaranth.hdl import Cat, Const

from bitwright.hw.rtl.parts.popcount import count_six

__all__ = ["Chains"]

_LEVELS = 2
"""LUT levels that a step is worth: a LUT, and a short carry chain."""

_REGISTERED = 3
"""Last step up to which a bit may wait in registers. A longer row of them becomes a shift register
of the device, which is a LUT."""


@dataclass(frozen=True)
class _Tally:
    """How a number of bits is counted: what one carry chain adds.

    Parameters
    ----------
    parts : tuple of _Tally
        At most two, of the step before.
    fresh : int
        Bits that it counts in LUTs: five beside one part, none beside two, six alone. One, alone,
        is that bit.
    carry : int
        1 where a bit enters the chain.
    """

    parts: tuple[_Tally, ...] = ()
    fresh: int = 0
    carry: int = 0

    @property
    def bits(self) -> int:
        return sum(part.bits for part in self.parts) + self.fresh + self.carry

    @property
    def is_bit(self) -> bool:
        return self.bits == 1

    @property
    def luts(self) -> int:
        """Of its own: one for each digit of its longer operand. Two bits are no chain."""
        if self.bits <= 2:
            return self.bits if self.bits == 2 else 0
        return max([self.fresh.bit_length(), *(part.bits.bit_length() for part in self.parts)])

    @property
    def price(self) -> int:
        """LUTs, and the place of one where a bit enters the chain, or could: Yosys counts none
        there, but most devices can use it for nothing else."""
        return self.luts + max(self.carry, int(bool(self.parts and self.fresh)))


_IMPOSSIBLE = 1 << 30


@lru_cache(maxsize=4096)
def _best(bits: int, step: int) -> tuple[int, _Tally | None]:
    """The least price of counting so many bits by the end of a step, and how."""
    if bits == 1:
        return 0, _Tally(fresh=1)
    if step == 0:
        return _IMPOSSIBLE, None
    found: tuple[int, _Tally | None] = (_IMPOSSIBLE, None)
    late = step > _REGISTERED
    for carry in (0, 1):
        if 2 <= bits - carry <= 6:
            alone = _Tally(fresh=bits - carry, carry=carry)
            found = min(found, (alone.price + bits * late, alone), key=lambda one: one[0])
        for fresh in (0, *range(2, 6)):
            rest = bits - carry - fresh
            if rest < 1:
                continue
            for size in [(rest,)] if fresh else _halves(rest):
                below = [_best(part, step - 1) for part in size]
                parts = tuple(part for _, part in below if part is not None)
                if len(parts) < len(size):
                    continue
                tally = _Tally(parts, fresh, carry)
                cost = (sum(cost for cost, _ in below) + tally.price + (fresh + carry) * late)
                found = min(found, (cost, tally), key=lambda one: one[0])
    return found


def _halves(bits: int) -> list[tuple[int, int]]:
    """Ways to cut a number of bits in two. Of many bits not all: some, and where a part fills its
    number."""
    full = [(1 << width) - 1 for width in range(1, bits.bit_length() + 1)]
    sizes = {*range((bits + 1) // 2, bits, 1 + bits // 32), *full, *(bits - size for size in full)}
    return [(size, bits - size) for size in sorted(sizes) if (bits + 1) // 2 <= size < bits]


def _steps(bits: int) -> int:
    """The number of steps of the smallest way."""
    least = max(1, (bits - 1).bit_length() - 2)
    return min(range(least, least + 3), key=lambda steps: _best(bits, steps)[0])


@dataclass(frozen=True)
class _Sum:
    """A carry chain: numbers of earlier ones, and which bits it takes.

    Parameters
    ----------
    numbers : tuple of int
        Places of those sums in the list of all.
    raw : tuple of int
        A bit that is a number by itself.
    fresh, carry : tuple of int
        Bits that it counts, and that enters it.
    width : int
        Of the sum.
    """

    numbers: tuple[int, ...]
    raw: tuple[int, ...]
    fresh: tuple[int, ...]
    carry: tuple[int, ...]
    width: int

    @property
    def taken(self) -> tuple[int, ...]:
        return self.raw + self.fresh + self.carry


@dataclass
class Chains:
    """The chains of a counter of so many bits, step by step.

    Parameters
    ----------
    bits : int
        At least 1.

    Attributes
    ----------
    luts : int
        Of one counter, as Yosys counts them.
    """

    bits: int
    luts: int = field(init=False, default=0)
    _steps: list[list[int]] = field(init=False, default_factory=list)
    _sums: list[_Sum] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if self.bits == 1:
            return
        steps = _steps(self.bits)
        _, tally = _best(self.bits, steps)
        assert tally is not None
        self._steps = [[] for _ in range(steps)]
        self._place(tally, steps - 1, iter(range(self.bits)))
        while not self._steps[0]:  # nothing needed so many
            del self._steps[0]

    def _place(self, tally: _Tally, step: int, places: Iterator[int]) -> int:
        numbers = [self._place(part, step - 1, places) for part in tally.parts if not part.is_bit]
        raw, fresh, carry = (tuple(next(places) for _ in range(count)) for count in (
            sum(part.is_bit for part in tally.parts), tally.fresh, tally.carry))
        self.luts += tally.luts
        self._sums.append(_Sum(tuple(numbers), raw, fresh, carry, tally.bits.bit_length()))
        self._steps[step].append(len(self._sums) - 1)
        return len(self._sums) - 1

    def _needed(self, step: int) -> tuple[list[int], list[int]]:
        """Sums and bits that are still needed in front of a step."""
        later = [self._sums[place] for places in self._steps[step:] for place in places]
        return (list(self._steps[step - 1]) if step else [],
                sorted(bit for one in later for bit in one.taken))

    def measure(self, depth, counters):
        """Pass the levels, as :meth:`build` does."""
        for step in range(len(self._steps)):
            sums, bits = self._needed(step)
            depth.before(counters * (len(bits) + sum(self._sums[place].width for place in sums)),
                         _LEVELS)

    def build(self, stages, counters):
        """Count, for every counter, how many of its bits are 1.

        Parameters
        ----------
        stages : Stages
            Gets a register every so many levels.
        counters : list of list of Value
            The bits of each.

        Returns
        -------
        list of Value
            Numbers.
        """
        bits = [dict(enumerate(counter)) for counter in counters]
        sums = [{} for _ in counters]
        for step, places in enumerate(self._steps):
            known, waiting = self._needed(step)
            held = iter(stages.before(
                [value for own, found in zip(sums, bits, strict=True)
                 for value in (*(own[place] for place in known),
                               *(found[place] for place in waiting))], _LEVELS))
            for number in range(len(counters)):
                sums[number] = {place: next(held) for place in known}
                bits[number] = {place: next(held) for place in waiting}
                new = {place: stages.wire(self._add(stages, self._sums[place], sums[number],
                                                    bits[number])) for place in places}
                sums[number] = new
        if not self._steps:
            return [counter[0] for counter in counters]
        return [found[len(self._sums) - 1] for found in sums]

    @staticmethod
    def _add(stages, one, sums, bits):
        """The sum of a chain."""
        numbers = [sums[place] for place in one.numbers] + [bits[place] for place in one.raw]
        carry = Cat(bits[place] for place in one.carry)
        if not one.fresh:
            first, second = numbers
            return (Cat(carry, first) + Cat(carry, second))[len(carry) :][: one.width]
        digits = Cat(count_six(stages, [bits[place] for place in one.fresh]))
        if not numbers:
            return (Cat(carry, digits) + carry)[len(carry) :][: one.width]
        # Of an addition synthesis takes either operand as the one that comes as it is, and what a
        # chain adds to that must then be made twice. Of a subtraction it is always the left one.
        # What enters at the lowest place is the bit there, or nothing, and the 1 of every negation.
        first = Cat(carry if len(carry) else Const(0, 1), numbers[0])
        second = Cat(Const(0, 1), digits, Const(0, one.width - len(digits)))
        return (first - ~second)[1:][: one.width]
