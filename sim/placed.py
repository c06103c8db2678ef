"""A build folder, as far as the simulation of what was placed needs it."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitwright import ir
from bitwright.errors import UserError
from bitwright.hw import families
from bitwright.hw.families.routed import FILE, RoutedError
from bitwright.hw.flow import routed as after
from bitwright.hw.flow import synth
from bitwright.hw.flow.environment import not_elaborated
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan

__all__ = ["Clocking", "Line", "Placed", "PlacedError", "load"]

SETTLE_S = 40e-6
"""From switching on until every family's design is out of its reset, in seconds."""

LOCK_S = 60e-6
"""How much later that is with a PLL: the time that its model takes to lock, and a little."""


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
class Clocking:
    """The clock of a harness, and that of the design in it.

    A design without a PLL is told no frequency, and so any will do; a PLL is told its own, and its
    model holds what comes in against the limits of the real one.

    Parameters
    ----------
    input_hz : float
        At the clock's pin.
    hz : float
        Of the design.
    pll : bool
    """

    input_hz: float = 1.0
    hz: float = 1.0
    pll: bool = False

    @property
    def half_ps(self) -> int:
        """Half a period of the harness's clock."""
        return round(1e12 / self.input_hz / 2) if self.pll else 5_000

    @property
    def ratio(self) -> float:
        """Cycles of the design in one of the harness."""
        return self.hz / self.input_hz if self.pll else 1.0

    @property
    def period_ps(self) -> float:
        """Of the design's clock, in the harness's time."""
        return 2 * self.half_ps / self.ratio

    @property
    def parameters(self) -> dict[str, int]:
        """Of the harness."""
        settle = (SETTLE_S + (LOCK_S if self.pll else 0)) * self.input_hz
        return {"SETTLE": round(settle), "HALF_PS": self.half_ps}


@dataclass(frozen=True)
class Placed:
    """A netlist that was placed, and what it was made of.

    It is the one that the placer was given, or what came out of the router.

    Parameters
    ----------
    folder : Path
    text, digest : str
        The netlist as Verilog, and the SHA-256 of its file in hexadecimal.
    network : str
        Digest of the frozen network.
    plan : Plan
    simplify : bool
        Whether the network was simplified.
    board, family : str
    clock_hz : float
        Of the design.
    oscillator_hz : int
        Of the board.
    pll : bool
        Whether a PLL makes the one of the other.
    baud : int
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
    clock_hz: float
    oscillator_hz: int
    pll: bool
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
    def clocking(self) -> Clocking:
        """How the harness clocks it."""
        return Clocking(self.oscillator_hz, self.clock_hz, self.pll)

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


def load(folder: Path, *, routed: bool = False) -> Placed:
    """Read a build folder.

    Parameters
    ----------
    folder : Path
    routed : bool
        Whether the netlist is taken that came out of the router.

    Raises
    ------
    PlacedError
        If it holds no finished build, or a netlist that is not the one of its report.
    PlanError
        If its plan is damaged.
    ToolError
        If there is no Yosys, which makes Verilog of a routed netlist.
    """
    report, about = _read(folder, "report.json"), _read(folder, "board.json")
    try:
        if report["status"] != "done":
            raise PlacedError(f"{folder}: its build did not end with a bitstream "
                              f"({report['status']})")
        if about["ports"]["clk"] is None:
            raise PlacedError(f"{folder}: the clock of {about['board']} comes from an oscillator "
                              "inside its device, which nothing models; simulate --level netlist")
        if about["flash"]:
            raise PlacedError(f"{folder}: its contents come from the board's flash, which nothing "
                              "models; simulate a build without --contents flash")
        if routed:
            text, digest = _routed(folder, report, about)
        else:
            text, digest = _proven(folder, "netlist.v", report["netlist"]["netlist.v"], "placed")
        return Placed(
            folder, text, digest, about["network"], Plan.load(folder / "plan.toml"),
            about["simplify"], about["board"], about["family"], about["clock_hz"],
            about["oscillator_hz"], about["pll"] is not None, about["baud"],
            about["module"], {role: about["ports"][role] for role in ("clk", "rx", "tx")})
    except (KeyError, TypeError) as error:
        raise PlacedError(f"{folder}: no build of this version of the program; build again") \
            from error


def _proven(folder: Path, name: str, known: str, what: str) -> tuple[str, str]:
    """Text and digest of a file, which must be the report's."""
    text = (folder / name).read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest != known:
        raise PlacedError(f"{folder}: {name} is not the one that was {what}: its SHA-256 is "
                          f"{digest[:16]}, the report's {known[:16]}")
    return text, digest


def _routed(folder: Path, report: dict[str, Any], about: dict[str, Any]) -> tuple[str, str]:
    """The netlist after routing as Verilog, and the digest of its file."""
    place = families.get(about["family"]).place
    if place is None or place.routed is None:
        raise PlacedError(f"{folder}: what nextpnr packs for {about['family']} has no models; "
                          "simulate --level placed, the netlist that it was given")
    text, digest = _proven(folder, FILE, report["netlist"]["routed"], "routed")
    try:
        return after.verilog(text, about["module"], place.routed), digest
    except RoutedError as error:
        raise PlacedError(f"{folder / FILE}: {error}") from error


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PlacedError(f"{folder}: no build for a board ({name} is missing); make one with "
                          "`python -m hw.build`") from error
    except ValueError as error:
        raise PlacedError(f"{folder / name}: not JSON ({error})") from error
