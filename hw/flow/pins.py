"""Pins that a user chose are tried before anything that takes long."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bitwright.boards import Board
from bitwright.errors import UserError
from bitwright.hw.flow import toolchain
from bitwright.hw.report.results import Written

__all__ = ["CheckPins", "PinError"]


class PinError(UserError):
    """A pin that a user chose does not do. One line, with nextpnr's own words."""


@dataclass(frozen=True)
class CheckPins:
    """Have nextpnr put the ports of a board's design on its pins, with nothing between them.

    Parameters
    ----------
    about, constraints : Path
        ``board.json`` and the constraint file.
    board : Board
    nextpnr : Tool
    """

    name: ClassVar[str] = "pins"
    Result: ClassVar[type[Written]] = Written

    about: Path
    constraints: Path
    board: Board
    nextpnr: toolchain.Tool

    def run(self, folder: Path, logs: Path) -> Written:
        """See :class:`hw.flow.cache.Stage`.

        Raises
        ------
        PinError
            If one does not do.
        ToolError
            If nextpnr fails for another reason.
        """
        place = self.board.family.place
        assert place is not None
        ports = json.loads(self.about.read_text(encoding="utf-8"))["ports"]
        netlist, constraints = folder / "pins.json", folder / self.constraints.name
        netlist.write_text(json.dumps(_netlist(ports, place.pads)), encoding="utf-8")
        constraints.write_bytes(self.constraints.read_bytes())
        try:
            toolchain.run(self.nextpnr, [
                *self.board.part.nextpnr, "--json", netlist.name,
                *(option.format(constraints=constraints.name) for option in place.reads),
                "--pack-only"], folder=folder, log=logs / "pins.log")
        except toolchain.ToolError as error:
            self._explain(str(error))
            raise
        netlist.unlink()
        constraints.unlink()
        return Written()

    def _explain(self, message: str) -> None:
        """Raise what names the pin, if nextpnr names it."""
        for role, pin in self.board.chosen.items():
            if re.search(rf"(?<!\w){re.escape(pin)}(?!\w)", message):
                words = re.sub(r" \(exit code .*", "", message)
                raise PinError(f"{self.board.part.name} does not take pin {pin!r} for {role}; "
                               f"{words}")


def _netlist(ports: dict[str, str | None], pads: tuple[str, str] | None) -> dict[str, Any]:
    """A design in nextpnr's form: what is received is sent, and nothing else is used."""
    names = {role: name for role, name in ports.items() if name is not None}
    inner = {"clk": 2, "rx": 3, "reset": 4, "tx": 3}  # behind the pads
    outer, cells = inner, {}
    if pads is not None:
        outer = {"clk": 5, "rx": 6, "reset": 7, "tx": 8}
        cells = {role: _pad(pads[1], inner[role], outer[role]) if role == "tx" else
                 _pad(pads[0], outer[role], inner[role]) for role in names}
    return {"modules": {"board": {
        "attributes": {"top": f"{1:032b}"}, "cells": cells,
        "ports": {name: {"direction": "output" if role == "tx" else "input", "bits": [outer[role]]}
                  for role, name in names.items()},
        "netnames": {name: {"hide_name": 0, "bits": [outer[role]], "attributes": {}}
                     for role, name in names.items() if role != "tx" or pads is not None}}}}


def _pad(kind: str, into: int, out: int) -> dict[str, Any]:
    """A cell of a pin."""
    return {"hide_name": 0, "type": kind, "parameters": {}, "attributes": {},
            "port_directions": {"I": "input", "O": "output"},
            "connections": {"I": [into], "O": [out]}}
