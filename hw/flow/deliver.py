"""Second stage: what lies around the block in its folder, for whatever flow takes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bitwright import ir
from bitwright.hw.interface import FOLDER, Interface
from bitwright.hw.ip.kit import kit
from bitwright.hw.report.results import Delivered

__all__ = ["SAMPLES", "Deliver"]

SAMPLES = 32
"""Samples of the bench. Few, since Icarus takes a second for some hundred cycles of a large network."""

SEED = 1
"""Of their draw."""


@dataclass(frozen=True)
class Deliver:
    """Write all of the folder ``ip`` but the block's text: see :mod:`hw.ip`.

    Parameters
    ----------
    interface : Interface
    network : ir.Network
        As it was frozen. It computes the results that the bench wants.
    """

    name: ClassVar[str] = "ip"
    Result: ClassVar[type[Delivered]] = Delivered

    interface: Interface
    network: ir.Network

    def run(self, folder: Path, logs: Path) -> Delivered:
        """See :class:`hw.flow.cache.Stage`."""
        (folder / FOLDER).mkdir()
        samples = ir.draw(self.network, SAMPLES, SEED).tolist()
        for name, text in kit(self.interface, self.network, samples).items():
            (folder / FOLDER / name).write_text(text, encoding="utf-8")
        return Delivered()
