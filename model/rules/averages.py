"""Averages of what trains, over the last steps: what is validated and frozen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from bitwright.model.network import Network

__all__ = ["Averages"]


class Averages:
    """Moving averages of the parameters of a network.

    Tables, wiring and thresholds become bits and numbers of the averages, so that what is frozen is
    what was validated. In the first steps less is kept, ``t / (t + 9)`` after step t, so that the
    start is soon forgotten.

    Parameters
    ----------
    network : Network
    kept : float
        Share of an average that a step leaves, at most.
    """

    def __init__(self, network: Network, kept: float) -> None:
        self._network, self._kept, self._steps = network, kept, 0
        self._parameters = [one for one in network.parameters() if one.requires_grad]
        self._averages = [one.detach().clone() for one in self._parameters]

    @torch.no_grad()
    def take(self) -> None:
        """Take the parameters as a step has left them."""
        self._steps += 1
        kept = min(self._kept, self._steps / (self._steps + 9))
        torch._foreach_lerp_(self._averages, self._parameters, 1 - kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averages in place of the parameters, for a while.

        Running statistics that are measured meanwhile belong to the averages, and go with them.
        """
        trained = {name: value.clone() for name, value in self._network.state_dict().items()}
        with torch.no_grad():
            for parameter, average in zip(self._parameters, self._averages, strict=True):
                parameter.copy_(average)
        self._network.constrain()
        try:
            yield
        finally:
            self._network.load_state_dict(trained)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        return {"steps": self._steps, "averages": self._averages}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave."""
        self._steps = state["steps"]
        for average, value in zip(self._averages, state["averages"], strict=True):
            average.copy_(value)
