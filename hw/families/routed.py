"""The netlist that nextpnr writes when it has routed a design."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FILE", "Cells", "Routed", "RoutedError"]

FILE = "routed.json"
"""Name of that netlist in a build folder."""

Cells = dict[str, dict[str, Any]]
"""Cells of a netlist by name, as Yosys's JSON has them."""


class RoutedError(ValueError):
    """A file is not the netlist of one routed design. One line."""


def _nothing(cells: Cells) -> None:
    """The file has every connection."""


@dataclass(frozen=True)
class Routed:
    """What nextpnr writes with ``--write``, where there are models of the cells that it packs.

    Parameters
    ----------
    high : mapping of str to set of str
        By type of cell, the inputs that the device holds at 1 where nothing is connected; every
        other is held at 0.
    connect : callable, optional
        Adds what a device has by its make, and which therefore is no net and no parameter. Left
        out: there is nothing.
    models : mapping of str to str
        By type of cell, the model of it, where the type is that of a primitive that has another.
    """

    high: Mapping[str, frozenset[str]] = field(default_factory=dict)
    connect: Callable[[Cells], None] = _nothing
    models: Mapping[str, str] = field(default_factory=dict)

    def complete(self, text: str, module: str) -> str:
        """The same netlist for a simulator, with every input connected.

        Parameters
        ----------
        text : str
            Of the file.
        module : str
            What its module is called.

        Raises
        ------
        RoutedError
            If it is not the netlist of one design.
        """
        try:
            (design,) = json.loads(text)["modules"].values()
            cells: Cells = design["cells"]
            self.connect(cells)
            for cell in cells.values():
                high = self.high.get(cell["type"], frozenset())
                ways, wires = cell["port_directions"], cell["connections"]
                cell["connections"] = {
                    port: bits or ["1" if port in high else "0"] for port, bits in wires.items()
                    if bits or ways[port] == "input"}
                cell["type"] = self.models.get(cell["type"], cell["type"])
                cell["attributes"] = {}
            # Without the ways of the wires, half of the file, and without the names that cells
            # have, too, which Yosys refuses.
            design["netnames"] = {name: {**net, "attributes": {}}
                                  for name, net in design["netnames"].items() if name not in cells}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RoutedError(f"no netlist of one routed design ({error})") from error
        return json.dumps({"modules": {module: design}})
