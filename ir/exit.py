"""When the frames so far decide, and no other can change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.network import Network

__all__ = ["Exit", "Exits"]


@dataclass(frozen=True, eq=False)
class Exits:
    """What a network answers to a batch when it stops as soon as it may.

    Parameters
    ----------
    scores : array of int64, shape (batch, classes)
        Sums over the frames that were needed.
    frames : array of int64, shape (batch,)
        How many those are, 1 or more.
    """

    scores: NDArray[np.int64]
    frames: NDArray[np.int64]

    @property
    def decision(self) -> NDArray[np.int64]:
        """Class with the highest score, the lowest index on a tie, shape (batch,)."""
        decision: NDArray[np.int64] = np.argmax(self.scores, axis=1)
        return decision


@dataclass(frozen=True)
class Exit:
    """Early exit from the frames of a network, without ever another decision.

    In each of the r frames that are left a class gains at most :attr:`HeadNode.gain` on another.
    After a frame the class with the highest sum is decided on if its lead over every class after it
    is at least r times that, and over every class before it more, since the lowest index wins a
    tie.

    Whoever is content with another decision now and then may name a smaller lead that decides, too.

    Parameters
    ----------
    margins : tuple of int
        Lead that decides after each frame; 0 after the last.
    """

    margins: tuple[int, ...]

    @classmethod
    def of(cls, network: Network, lead: int = 0) -> Self:
        """The rule for a network.

        Parameters
        ----------
        network : Network
        lead : int
            0 for the exact rule; else a lead that decides after any frame, which is approximate.

        Raises
        ------
        ValueError
            If the frames of the network are no summands of a decision, or there is only one, or the
            lead is negative.
        """
        if lead < 0:
            raise ValueError(f"Lead must be at least 0, not {lead}")
        if network.frames < 2 or network.head.per_frame or network.answer is not None:
            raise ValueError("Early exit must be from several frames whose scores add up to a "
                             "decision")
        exact = tuple(network.head.gain * left for left in range(network.frames)[::-1])
        return cls(tuple(min(margin, lead) for margin in exact) if lead else exact)

    def evaluate(self, network: Network, features: NDArray[Any],
                 progress: Callable[[int], object] | None = None) -> Exits:
        """Run a batch, as :meth:`Network.evaluate`, as far as every sample needs it."""
        name = network.entries[-1].name
        return self.apply(network.evaluate(features, [name], progress).taps[name])

    def apply(self, scores: NDArray[np.int64]) -> Exits:
        """Stop as soon as may be.

        Parameters
        ----------
        scores : array of int64, shape (frames, batch, classes)
            Of every frame.
        """
        sums = np.cumsum(scores, axis=0)
        first = np.argmax(sums, axis=2)[..., None]
        # What must be reached: a tie is not enough for a class before the first.
        rivals = sums + (np.arange(sums.shape[2]) < first)
        np.put_along_axis(rivals, first, np.iinfo(np.int64).min >> 1, axis=2)
        lead = np.take_along_axis(sums, first, axis=2)[..., 0] - rivals.max(axis=2)
        frame = np.argmax(lead >= np.array(self.margins)[:, None], axis=0)
        return Exits(sums[frame, np.arange(sums.shape[1])], frame + 1)
