"""Figures of bits and flips, a layer and an epoch at a time."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["EDGES", "Telemetry"]

EDGES = np.linspace(-12, 12, 49)
"""Edges of the histogram's classes, in deviations. What lies beyond counts in the last ones."""


class Telemetry:
    """Means over the steps of each epoch that are watched, by layer and figure.

    Figures of the report on full binary networks: ``mean_of_bits`` (a vector; 1/2 is informative,
    0 and 1 are dead), ``flip_ratio`` (share of the layer's output bits that should be inverted),
    ``update_ratio`` (share of its weights in the mask), ``gradient`` (mean magnitude, where
    signals are real) and ``histogram`` (shares of the normalised counts between :data:`EDGES`).

    Parameters
    ----------
    every : int
        Of so many steps one is watched, the first of each epoch always.

    Attributes
    ----------
    epochs : list of dict
        One entry an epoch: (layer, figure) to array or number.
    """

    def __init__(self, every: int = 1) -> None:
        self._every, self._step = every, 0
        self._watches = True
        self.epochs: list[dict[tuple[str, str], NDArray[np.float64]]] = []
        self._sums: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._steps: defaultdict[tuple[str, str], int] = defaultdict(int)

    def begin_step(self) -> None:
        """Open a step."""
        self._watches = self._step % self._every == 0
        self._step += 1

    def observe(self, layer: str, *, bits: Tensor | None = None, counts: Tensor | None = None,
                flips: Tensor | None = None, updates: Tensor | None = None,
                gradient: Tensor | None = None) -> None:
        """Take what a step knows of a layer, if it is watched.

        Parameters
        ----------
        layer : str
        bits : Tensor of 0 and 1, shape (out_width, batch)
        counts : Tensor
            Normalised.
        flips, updates : Tensor of bool
        gradient : Tensor
        """
        if not self._watches:
            return
        if bits is not None:
            self._add(layer, "mean_of_bits", bits.float().mean(1).double().cpu().numpy())
        if counts is not None:
            inside = counts.cpu().numpy().clip(EDGES[0], EDGES[-1])
            self._add(layer, "histogram", np.histogram(inside, EDGES)[0] / inside.size)
        for figure, values in (("flip_ratio", flips), ("update_ratio", updates),
                               ("gradient", gradient)):
            if values is not None:
                self._add(layer, figure, np.float64(values.float().abs().mean().item()))

    def end_epoch(self) -> None:
        """Close an epoch."""
        self.epochs.append({key: total / self._steps[key] for key, total in self._sums.items()})
        self._sums.clear()
        self._steps.clear()
        self._step = 0

    def over_epochs(self, layer: str, figure: str) -> NDArray[np.float64]:
        """A figure of every epoch, shape (epochs, ...).

        Raises
        ------
        KeyError
            If the layer has no such figure.
        """
        return np.array([entry[layer, figure] for entry in self.epochs])

    def _add(self, layer: str, figure: str, value: NDArray[np.float64]) -> None:
        key = layer, figure
        self._sums[key] = self._sums[key] + value if key in self._sums else value
        self._steps[key] += 1
