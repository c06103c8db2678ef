"""Who answers: the golden evaluator, or a device."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from bitwright import ir
from bitwright.hw.link.host import Host

__all__ = ["Backend", "Device", "Evaluator"]


class Backend(Protocol):
    """Something that answers a sample of the network.

    Parameters
    ----------
    name : str
        A word, by which the page asks for it.
    title : str
        What the page calls it.
    """

    name: str
    title: str

    def infer(self, features: list[int]) -> tuple[int, tuple[int, ...]]:
        """Class and scores of one sample.

        Raises
        ------
        UserError
            If there is no answer. One line.
        """


class Evaluator:
    """The frozen network itself."""

    name = "evaluator"
    title = "golden evaluator"

    def __init__(self, network: ir.Network) -> None:
        self._network = network

    def infer(self, features: list[int]) -> tuple[int, tuple[int, ...]]:
        result = self._network.evaluate(np.array([features]))
        return int(result.decision[0]), tuple(result.scores[0].tolist())


class Device:
    """A board or an emulator behind the serial protocol.

    Parameters
    ----------
    title : str
    host : Host
        Whose device has the network.
    """

    name = "device"

    def __init__(self, title: str, host: Host) -> None:
        self.title = title
        self._host = host

    def infer(self, features: list[int]) -> tuple[int, tuple[int, ...]]:
        return self._host.infer(features)
