"""How a vector crosses a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

__all__ = ["Beat"]


@dataclass(frozen=True)
class Beat:
    """Bits in ascending order, as many in each beat as one has.

    A whole vector at once is one case; the outputs of a neuron at a time are another. What the last
    beat has beyond the vector holds anything.

    Parameters
    ----------
    width : int
        Bits of a vector.
    bits : int
        Bits of a beat, at least 1.
    """

    width: int
    bits: int

    @classmethod
    def whole(cls, width: int) -> Self:
        """All bits in one beat."""
        return cls(width, width)

    @property
    def beats(self) -> int:
        """Beats of a vector."""
        return -(-self.width // self.bits)
