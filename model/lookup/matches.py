"""How far the bits that slots of tables might read go with what the slots receive."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from torch import Tensor

__all__ = ["Matches"]


class Matches:
    """Sums of what slots receive by bits, in one step.

    Parameters
    ----------
    run : callable
        See :meth:`model.lookup.trees.Trees.run`.
    rows : Tensor of uint8, shape (in_width, samples)
        The bits.
    kind : Tensor
        Of the type that numbers are to have.
    """

    def __init__(self, run: Callable[..., None], rows: Tensor, kind: Tensor) -> None:
        self._run, self._rows, self._kind = run, rows, kind

    @cached_property
    def signs(self) -> Tensor:
        """Bits as -1 and +1."""
        return self._rows.to(self._kind).mul_(2).sub_(1)

    def of(self, of_slots: Tensor, bits: Tensor | None) -> Tensor:
        """Gradients of slots by the share that they have of each bit.

        Parameters
        ----------
        of_slots : Tensor, shape (nodes, fan_in, samples)
            Their gradients.
        bits : Tensor of int64, shape (nodes, bits), optional
            Left out, all.

        Returns
        -------
        Tensor, shape (nodes, fan_in, bits)
        """
        if bits is None:
            return (of_slots.flatten(0, 1) @ self.signs.T).unflatten(0, of_slots.shape[:2])
        found = of_slots.new_empty(*of_slots.shape[:2], bits.shape[1])
        self._run("match", of_slots, self._rows, bits, found)
        return found
