"""A build folder, as far as the simulation of what was placed needs it."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitwright import ir
from bitwright.errors import UserError
from bitwright.hw.flow import synth
from bitwright.hw.flow.environment import not_elaborated
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan

__all__ = ["Line", "Placed", "PlacedError", "load"]

SETTLE_S = 40e-6
"""From switching on until every family's design is out of its reset, in seconds."""


class PlacedError(UserError):
    """A folder holds no finished build, or another one than it says. One line."""


@dataclass(frozen=True)
class Line:
    """A serial line, as the device has it.

    Parameters
    ----------
    cycles, timeout : int
        Clock cycles of a bit, and of the silence that ends a packet.
    latency : int
        Clock cycles from the first beat of a sample to its result.
    """

    cycles: int
    timeout: int
    latency: int


@dataclass(frozen=True)
class Placed:
    """A netlist that was placed, and what it was made of.

    Parameters
    ----------
    folder : Path
    text, digest : str
        The netlist as Verilog, and its SHA-256 in hexadecimal.
    network : str
        Digest of the frozen network.
    plan : Plan
    simplify : bool
        Whether the network was simplified.
    board, family : str
    clock_hz, baud : int
    module : str
        Name of the netlist's module.
    pins : dict
        Names of its pins ``clk``, ``rx`` and ``tx``.
    """

    folder: Path
    text: str
    digest: str
    network: str
    plan: Plan
    simplify: bool
    board: str
    family: str
    clock_hz: int
    baud: int
    module: str
    pins: dict[str, str]

    @property
    def models(self) -> synth.CellModels:
        """Of its cells. Raises ToolError if there is no Yosys, which has them."""
        return synth.cell_models(self.family)

    @property
    def simulated(self) -> str:
        """The netlist with its pins declared ``inout``, as the port of a pad is.

        Netlists for iCE40 have them so. Those for ECP5 say ``input``, which Verilator does not take
        for a pad.
        """
        pins = "|".join(map(re.escape, self.pins.values()))
        return re.sub(rf"^  input ({pins});$", r"  inout \1;", self.text, flags=re.MULTILINE)

    @property
    def settle(self) -> int:
        """Clock cycles from switching on until the design is ready."""
        return round(SETTLE_S * self.clock_hz)

    def line(self, network: ir.Network, frozen: ir.Network) -> Line:
        """What a host must know of the line of the design that was placed.

        Raises
        ------
        PlacedError
            If the build is of another network.
        """
        if ir.digest(frozen) != self.network:
            raise PlacedError(f"{self.folder}: built from network {self.network[:16]}, not "
                              f"{ir.digest(frozen)[:16]}")
        with not_elaborated():
            made = SerialTop(network, self.plan, clock_hz=self.clock_hz, baud=self.baud,
                             frozen=frozen)
            line = Line(made.cycles, made.timeout, made.latency)
            del made
        return line


def load(folder: Path) -> Placed:
    """Read a build folder.

    Raises
    ------
    PlacedError
        If it holds no finished build, or a netlist that is not the one of its report.
    PlanError
        If its plan is damaged.
    """
    report, about = _read(folder, "report.json"), _read(folder, "board.json")
    try:
        if report["status"] != "done":
            raise PlacedError(f"{folder}: its build did not end with a bitstream "
                              f"({report['status']})")
        text = (folder / "netlist.v").read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        placed = report["netlist"]["netlist.v"]
        if digest != placed:
            raise PlacedError(f"{folder}: netlist.v is not the one that was placed: its SHA-256 is "
                              f"{digest[:16]}, the report's {placed[:16]}")
        return Placed(
            folder, text, digest, about["network"], Plan.load(folder / "plan.toml"),
            about["simplify"], about["board"], about["family"], about["clock_hz"], about["baud"],
            about["module"], {role: about["ports"][role] for role in ("clk", "rx", "tx")})
    except (KeyError, TypeError) as error:
        raise PlacedError(f"{folder}: no build of this version of the program; build again") \
            from error


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PlacedError(f"{folder}: no build for a board ({name} is missing); make one with "
                          "`python -m hw.build`") from error
    except ValueError as error:
        raise PlacedError(f"{folder / name}: not JSON ({error})") from error
