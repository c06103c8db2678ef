"""Comparisons of numbers with constants, in as few LUTs as they can be."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Block", "Comparators"]

Term = "tuple[int, int] | Block"
"""A bit of a number, as (number, place), or what a LUT makes of such."""


@dataclass(frozen=True)
class Block:
    """A LUT: whether the low bits of a number reach those of a threshold.

    Parameters
    ----------
    inputs : tuple of Term
        Lowest first. The first one may be what another block makes of the bits below.
    threshold : int
        Bits of the threshold for all inputs but the first, whose is 1.
    """

    inputs: tuple[Term, ...]
    threshold: int

    @property
    def level(self) -> int:
        """LUTs on the way from a number."""
        return 1 + level(self.inputs[0])


def level(term: Term) -> int:
    """LUTs on the way from a number to a term."""
    return term.level if isinstance(term, Block) else 0


class Comparators:
    """The LUTs of all comparisons, and the registers between them.

    A comparison needs only the bits from the lowest one of its threshold upwards. They are cut into
    blocks from the top: all that a LUT has room for beside the block below. What lies at the bottom
    may be a bit alone, which needs no LUT; and blocks of one number that stand for the same
    threshold so far are one.

    Parameters
    ----------
    thresholds : list of (int, int)
        Number, and what it is compared with: above 0, and below ``1 << bits``.
    bits : int
        Of each number.
    lut_size : int

    Attributes
    ----------
    outputs : list of Term
        Whether the number is at least the threshold, for each of ``thresholds``.
    levels : list of list of Block
        The LUTs by level.
    """

    def __init__(self, thresholds, bits, lut_size):
        self.outputs = [_comparison(number, threshold, bits, lut_size)
                        for number, threshold in thresholds]
        blocks = {}  # as a set, in order
        waiting = list(self.outputs)
        while waiting:
            term = waiting.pop()
            if isinstance(term, Block) and term not in blocks:
                blocks[term] = None
                waiting += term.inputs
        count = max(map(level, self.outputs), default=0)
        self.levels = [[block for block in blocks if block.level == place]
                       for place in range(1, count + 1)]

    @property
    def luts(self):
        return sum(map(len, self.levels))

    def passed(self, place):
        """Terms that are still needed behind so many levels."""
        needed = [term for blocks in self.levels[place:] for block in blocks
                  for term in block.inputs]
        return [term for term in dict.fromkeys([*needed, *self.outputs]) if level(term) <= place]

    def measure(self, depth):
        """Pass the levels, as :meth:`build` does. With a register behind the last.

        Parameters
        ----------
        depth : Depth
        """
        for place in range(len(self.levels)):
            depth.before(len(self.passed(place)))
        depth.register(len(dict.fromkeys(self.outputs)))

    def build(self, stages, numbers):
        """Compare, and register.

        Parameters
        ----------
        stages : Stages
        numbers : list of Value

        Returns
        -------
        list of Value
            A bit for each threshold.
        """
        values = {(number, place): numbers[number][place] for number, place in self.passed(0)}
        for place, blocks in enumerate(self.levels):
            terms = self.passed(place)
            values = dict(zip(terms, stages.before([values[term] for term in terms]), strict=True))
            for block in blocks:
                reached, *bits = (values[term] for term in block.inputs)
                for at, bit in enumerate(bits):
                    # From the lowest bit up: one that the threshold has must be there too, and one
                    # that it lacks is enough by itself.
                    reached = bit & reached if block.threshold >> at & 1 else bit | reached
                values[block] = stages.wire(reached)
        outputs = list(dict.fromkeys(self.outputs))
        values = dict(zip(outputs, stages.register([values[term] for term in outputs]),
                          strict=True))
        return [values[term] for term in self.outputs]


def _comparison(number, threshold, bits, lut_size):
    """The term that says whether a number is at least a threshold."""
    low = (threshold & -threshold).bit_length() - 1
    step = lut_size - 1
    high = low + (bits - low - 1) % step + 1
    term = (number, low)  # of a single bit the threshold's is 1
    if high > low + 1:
        term = Block(tuple((number, place) for place in range(low, high)),
                     threshold >> low + 1 & (1 << high - low - 1) - 1)
    while high < bits:
        low, high = high, high + step
        term = Block((term, *((number, place) for place in range(low, high))),
                     threshold >> low & (1 << step) - 1)
    return term
