"""What the scores of a network mean where they name no class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.declared import Declared
from bitwright.ir.fields import MAX_WIDTH, Field, Reals, Size

__all__ = ["Answer"]


@dataclass(frozen=True, eq=False)
class Answer(Declared):
    """Numbers: ``offset + scale * score`` in binary32; score, product and sum are rounded in turn.

    A network that has one is a regression.

    Parameters
    ----------
    offset, scale : array of float32, shape (scores,)
        The scale is above 0, so that a higher score is a higher number.

    Raises
    ------
    ValueError
        If a field is not so.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Size("scores", 1, MAX_WIDTH),
        Reals("offset", ("scores",)),
        Reals("scale", ("scores",), positive=True),
    )

    offset: NDArray[np.float32]
    scale: NDArray[np.float32]

    @property
    def scores(self) -> int:
        return len(self.offset)

    def apply(self, scores: NDArray[np.int64]) -> NDArray[np.float32]:
        """Map scores, shape (batch, scores), to numbers of the same shape, in their own unit.

        Raises
        ------
        ValueError
            If the scores are no integers, or of another shape.
        """
        if scores.dtype.kind not in "iu" or scores.shape[1:] != (self.scores,):
            raise ValueError(f"Scores must be integers of shape (batch, {self.scores}), "
                             f"not {scores.dtype} of {scores.shape}")
        with np.errstate(over="ignore"):  # a network's scores stay finite, see Network
            result: NDArray[np.float32] = scores.astype(np.float32) * self.scale + self.offset
        return result

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        """Draw a small one. Feeds the conformance tests."""
        scores = int(rng.integers(1, 4))
        return cls(rng.normal(size=scores).astype(np.float32),
                   rng.uniform(0.5, 9, size=scores).astype(np.float32))
