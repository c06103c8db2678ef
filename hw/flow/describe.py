"""Second stage: what lies around the block in its folder, for whatever flow takes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bitwright import ir
from bitwright.hw.interface import FOLDER, Interface
from bitwright.hw.ip.kit import kit
from bitwright.hw.plan import Plan
from bitwright.hw.report.results import Described

__all__ = ["SAMPLES", "Describe"]

SAMPLES = 32
"""Samples of the bench. Few: of a large network Icarus does some ten cycles a second."""

SEED = 1
"""Of their draw."""


@dataclass(frozen=True)
class Describe:
    """Write all of the folder ``ip`` but the block's text and its waivers: see :mod:`hw.ip`.

    Parameters
    ----------
    interface : Interface
    network : ir.Network
        As it was frozen. It says which results are right.
    plan : Plan
        Of the block.
    """

    name: ClassVar[str] = "ip"
    Result: ClassVar[type[Described]] = Described

    interface: Interface
    network: ir.Network
    plan: Plan

    def run(self, folder: Path, logs: Path) -> Described:
        """See :class:`hw.flow.cache.Stage`."""
        (folder / FOLDER).mkdir()
        samples = ir.draw(self.network, SAMPLES, SEED).tolist()
        for name, text in kit(self.interface, self.network, samples, self.plan).items():
            (folder / FOLDER / name).write_text(text, encoding="utf-8")
        return Described()
