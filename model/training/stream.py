"""Training samples that are read from shards while an epoch goes on."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bitwright.data.shards import Shards

__all__ = ["Stream", "spread"]

TOGETHER = 4
"""Shards in which samples are shuffled: as many more are read meanwhile."""

SOME = 10_000
"""Samples of which thresholds are measured, where not all can be looked at."""


def spread(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Some of many samples, spread evenly over them."""
    return rows[np.linspace(0, len(rows) - 1, min(SOME, len(rows))).astype(np.int64)]


class Stream:
    """Samples of shards, in place of a Tensor of features: ``stream[indices]``.

    Shards are read as a whole, in the order of the epoch, four at a time and the next four
    meanwhile, so that the memory that it takes depends on their size alone.

    Parameters
    ----------
    shards : Shards
    rows : array of int64
        Samples that are trained on, ascending. Indices count them.
    kind : torch.dtype
        Of what is given.
    device : torch.device
        Where that is.
    """

    def __init__(self, shards: Shards, rows: NDArray[np.int64], kind: torch.dtype,
                 device: torch.device) -> None:
        self._shards, self._kind, self._device = shards, kind, device
        cuts = np.searchsorted(rows, shards.bounds)
        self._rows = [rows[first:stop] - start for first, stop, start in
                      zip(cuts[:-1], cuts[1:], shards.bounds[:-1], strict=True)]
        self._bounds = torch.from_numpy(cuts.astype(np.int64))
        self._plan = self._groups(list(range(len(self._rows))))
        self._held: dict[int, Tensor] = {}
        self._reader = ThreadPoolExecutor(1, "shards")
        self._coming: tuple[int, Future[dict[int, Tensor]]] | None = None

    def __len__(self) -> int:
        return int(self._bounds[-1])

    @staticmethod
    def _groups(turn: list[int]) -> list[list[int]]:
        return [turn[start : start + TOGETHER] for start in range(0, len(turn), TOGETHER)]

    def order(self, generator: torch.Generator) -> Tensor:
        """Begin an epoch: all indices, shuffled as far as only some shards are held at a time.

        Shards come in random order, and the samples of each four of them, too.
        """
        self._plan = self._groups(torch.randperm(len(self._rows), generator=generator).tolist())
        self._coming = None
        order = []
        for group in self._plan:
            there = torch.cat([torch.arange(*self._bounds[one : one + 2].tolist())
                               for one in group])
            order.append(there[torch.randperm(len(there), generator=generator)])
        return torch.cat(order)

    def __getitem__(self, part: Tensor) -> Tensor:
        part = part.cpu()
        places = torch.searchsorted(self._bounds, part, right=True) - 1
        needed = sorted(set(places.tolist()))
        self._bring(needed)
        found = torch.empty(len(part), self._shards.shape[1], dtype=self._kind)
        for one in needed:
            mask = places == one
            found[mask] = self._held[one][part[mask] - self._bounds[one]].to(self._kind)
        return found.to(self._device)

    def _bring(self, needed: list[int]) -> None:
        """Hold shards, with those that belong to them, and read those that come next."""
        missing = set(needed) - self._held.keys()
        for index, group in enumerate(self._plan):
            if not missing.intersection(group):
                continue
            self._held = {one: values for one, values in self._held.items() if one in needed}
            if self._coming is not None and self._coming[0] == index:
                self._held |= self._coming[1].result()
            else:
                self._held |= self._read(group)
            following = self._plan[index + 1 : index + 2]
            self._coming = (index + 1, self._reader.submit(self._read, following[0])
                            ) if following else None

    def _read(self, group: list[int]) -> dict[int, Tensor]:
        # A type of torch that has all values: of unsigned ones of two bytes, four.
        found = {}
        for one in group:
            values = self._shards.read(one, self._rows[one])
            found[one] = torch.from_numpy(values.astype(np.int32) if values.dtype == np.uint16
                                          else values)
        return found
