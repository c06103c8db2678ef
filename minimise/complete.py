"""Tables whose contents are free in places: the simplest that agrees with what is fixed.

A function of n bits is an integer here: bit ``a`` is its value at address ``a``. What is fixed is
two of them, ``on`` (where it is 1) and ``off`` (where it is 0); where both are 0 it is free.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["complete"]


def complete(on: int, off: int, inputs: int, worth: Sequence[int]) -> int:
    """Choose the free places so that as few inputs as can be matter.

    Of several choices of as many inputs it is that whose inputs are worth most. What is then still
    free is chosen so that the function falls into ANDs, ORs and XORs with single inputs, which
    smaller tables can realise.

    Parameters
    ----------
    on, off : int
        Functions of all inputs, nowhere both 1.
    inputs : int
    worth : sequence of int
        Of each input: what it is worth to keep it rather than another.

    Returns
    -------
    int
        A function of all inputs. It ignores those that it does not need.
    """
    return _Space(inputs).complete(on, off, worth)


class _Space:
    """Functions of so many inputs, ``where[i]`` being the addresses at which input ``i`` is 1."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.all = (1 << (1 << inputs)) - 1
        self.where = [self.all // ((1 << (1 << i)) + 1) << (1 << i) for i in range(inputs)]

    def complete(self, on: int, off: int, worth: Sequence[int]) -> int:
        on, off = self._forgotten(on, off, range(self.inputs), worth)
        return self._fill(on, off)

    def _either(self, function: int, i: int) -> int:
        """Where a function is 1 for one of the two values of an input at least."""
        high = function & self.where[i]
        low = function & ~self.where[i]
        return function | high >> (1 << i) | low << (1 << i)

    def _at(self, function: int, i: int, value: bool) -> int:
        """A function with an input fixed, which it then ignores."""
        part = function & (self.where[i] if value else self.all & ~self.where[i])
        return part | (part >> (1 << i) if value else part << (1 << i))

    def _forgotten(self, on: int, off: int, inputs: Sequence[int],
                   worth: Sequence[int]) -> tuple[int, int]:
        """The same function, fixed at more places, without the inputs that can be ignored."""
        # By inputs that are ignored together, one more in each round.
        found: dict[tuple[int, ...], tuple[int, int]] = {(): (on, off)}
        while True:
            more: dict[tuple[int, ...], tuple[int, int]] = {}
            for dropped, (ones, zeros) in found.items():
                for i in inputs:
                    if dropped and i <= dropped[-1]:
                        continue
                    wide = self._either(ones, i), self._either(zeros, i)
                    if not wide[0] & wide[1]:
                        more[*dropped, i] = wide
            if not more:
                return found[min(found, key=lambda dropped: sum(worth[i] for i in dropped))]
            found = more

    def _fill(self, on: int, off: int) -> int:
        """Choose all that is free."""
        if not on:
            return 0
        if not off:
            return self.all
        on, off = self._forgotten(on, off, self._needed(on, off), [0] * self.inputs)
        needed = self._needed(on, off)
        single = max((self._single(on, off, i) for i in needed), default=None)
        if single is not None and single[0]:
            return self._joined(on, off, *single[1:])
        i = min(needed, key=lambda i: sum(
            len(self._needed(*self._forgotten(self._at(on, i, value), self._at(off, i, value),
                                              needed, [0] * self.inputs)))
            for value in (False, True)))
        low, high = (self._fill(self._at(on, i, value), self._at(off, i, value))
                     for value in (False, True))
        return low & ~self.where[i] | high & self.where[i]

    def _needed(self, on: int, off: int) -> list[int]:
        """Inputs that the fixed places tell apart, or that a choice could."""
        return [i for i in range(self.inputs)
                if self._at(on, i, True) != self._at(on, i, False)
                or self._at(off, i, True) != self._at(off, i, False)]

    def _single(self, on: int, off: int, i: int) -> tuple[int, int, str]:
        """How many fixed places the best gate of an input and a function of the others covers."""
        best = (0, i, "")
        for value in (False, True):
            ones, zeros = self._at(on, i, value), self._at(off, i, value)
            if not ones or not zeros:  # that half is constant
                kind = ("or" if ones else "and") + ("" if value else "_not")
                best = max(best, ((ones | zeros).bit_count() + 1, i, kind))
        ones, zeros = self._across(on, off, i)
        if not ones & zeros:  # the halves are each other's inverse
            best = max(best, (1, i, "xor"))
        return best

    def _across(self, on: int, off: int, i: int) -> tuple[int, int]:
        """What is fixed of the function whose XOR with an input this one is."""
        return (self._at(on, i, False) | self._at(off, i, True),
                self._at(off, i, False) | self._at(on, i, True))

    def _joined(self, on: int, off: int, i: int, kind: str) -> int:
        """The gate of an input, behind the function of the others."""
        own = self.where[i]
        if kind == "xor":
            return self._fill(*self._across(on, off, i)) ^ own
        # The half of the input that is constant leaves the other to be filled.
        constant = not kind.endswith("_not")
        rest = self._fill(self._at(on, i, not constant), self._at(off, i, not constant))
        half = own if constant else self.all & ~own
        return rest & ~half | (half if kind.startswith("or") else 0)
