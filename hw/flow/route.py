"""Placing, routing and packing with nextpnr."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from bitwright.boards import Board
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.board_top import CONSTRAINTS, TOP
from bitwright.hw.flow.synth import PARTS
from bitwright.hw.report.resources import OTHER

__all__ = ["BITSTREAM", "PlaceError", "RouteError", "Routing", "route"]

BITSTREAM = {"ice40": "top.bin", "ecp5": "top.bit"}
"""File that programs the device."""

LOGIC = {"ice40": "ICESTORM_LC", "ecp5": "TRELLIS_COMB"}
"""What nextpnr calls a logic cell."""

_CONFIGURATION = {"ice40": ("--asc", "top.asc"), "ecp5": ("--textcfg", "top.config")}

_RIPUPS = 10
"""Attempts for each connection after which the first router is given up.

Counted in attempts rather than seconds, so that every machine gives up at the same point.
"""

_ITERATIONS = 400
"""Rounds after which the second router is given up."""

_PLACEMENT = re.compile(r"[Uu]nable to (place|find)|no Bels remaining|[Ff]ailed to (place|find)|"
                        r"[Uu]nable to legali[sz]e|placement failed|too many .* for device")
_USAGE = re.compile(r"Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s")


class PlaceError(RuntimeError):
    """The design does not fit the device.

    Parameters
    ----------
    message : str
    utilisation : dict
        What it needs and what the device has, as in :class:`Routing`.
    """

    def __init__(self, message: str, utilisation: dict[str, dict[str, int]]) -> None:
        super().__init__(message)
        self.utilisation = utilisation


class RouteError(RuntimeError):
    """No router connects the design. One line, which says what to do."""


@dataclass(frozen=True)
class Routing:
    """A placed and routed design.

    Parameters
    ----------
    fmax_hz : float
        Clock that it reaches.
    utilisation : dict
        ``used`` and ``available`` of each resource, by nextpnr's name.
    router : str
        Which router succeeded.
    slowest : tuple of str
        Parts that the path which limits the clock starts and ends in.
    """

    fmax_hz: float
    utilisation: dict[str, dict[str, int]]
    router: str
    slowest: tuple[str, ...]


def route(folder: Path, board: Board, *, seed: int, log_folder: Path) -> Routing:
    """Place and route ``netlist.json`` of a folder, and pack the bitstream there.

    The router that gives the better clock is tried first. If it gets stuck, as it does on wiring
    without locality, the other one, which trades clock for success.

    Parameters
    ----------
    folder : Path
        Holds the netlist and the constraints.
    board : Board
    seed : int
        Of the placer.
    log_folder : Path
        Receives what the tools print.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    PlaceError
        If the design does not fit.
    RouteError
        If neither router gets through.
    OSError
        If a file cannot be written.
    """
    family = board.family
    nextpnr, pack = (toolchain.find(name) for name in toolchain.FAMILY_TOOLS[family][1:])
    suffix = CONSTRAINTS[family]
    option, configuration = _CONFIGURATION[family]
    log = log_folder / "nextpnr.log"
    # A missed clock is the caller's to judge: the figures are wanted either way.
    arguments = [*board.nextpnr, "--json", "netlist.json", f"--{suffix}", f"{TOP}.{suffix}",
                 option, configuration, "--report", "nextpnr.json", "--seed", str(seed),
                 "--timing-allow-fail"]
    for router in ("router1", "router2"):
        watcher = _Watcher()
        try:
            toolchain.run(nextpnr, [*arguments, "--router", router], folder=folder, log=log,
                          watch=watcher)
        except toolchain.Stopped:
            log.replace(log.with_name(f"nextpnr-{router}.log"))
            continue
        except toolchain.ToolError as error:
            over = {name: usage for name, usage in watcher.utilisation.items()
                    if usage["used"] > usage["available"]}
            if over or _PLACEMENT.search(str(error)):
                raise PlaceError(str(error), watcher.utilisation) from error
            raise
        break
    else:
        raise RouteError(
            f"{board.name}: no router connects the design, although it fits; its wiring reaches "
            "too far for this device: train with local wiring (windows), with fewer inputs a "
            "node, or take a larger board")
    bitstream = BITSTREAM[family]
    packing = ([configuration, bitstream] if family == "ice40"
               else ["--compress", "--input", configuration, "--bit", bitstream])
    toolchain.run(pack, packing, folder=folder, log=log_folder / f"{pack.name}.log")
    report = json.loads((folder / "nextpnr.json").read_text())
    return Routing(1e6 * min(clock["achieved"] for clock in report["fmax"].values()),
                   {name: {"used": usage["used"], "available": usage["available"]}
                    for name, usage in sorted(report["utilization"].items()) if usage["used"]},
                   router, _slowest(report["critical_paths"]))


def _slowest(paths: list[dict]) -> tuple[str, ...]:
    """Parts at the two ends of the slowest path from clock to clock."""
    for path in paths:
        if path["from"] == path["to"] != "<async>" and path["path"]:
            ends = (path["path"][0]["from"]["cell"], path["path"][-1]["to"]["cell"])
            return tuple(next((part for part, place in PARTS.items() if f".{place}." in end),
                              OTHER) for end in ends)
    return ()


class _Watcher:
    """Reads nextpnr's output: what the device is used to, and whether the router is stuck."""

    def __init__(self) -> None:
        self.utilisation: dict[str, dict[str, int]] = {}
        self._arcs = 0

    def __call__(self, line: str) -> str | None:
        if match := _USAGE.match(line):
            self.utilisation[match[1]] = {"used": int(match[2]), "available": int(match[3])}
        elif match := re.search(r"Routing (\d+) arcs", line):
            self._arcs = int(match[1])
        elif match := re.match(r"Info:\s+(\d+) \|", line):
            if self._arcs and int(match[1]) > _RIPUPS * self._arcs:
                return "stuck"
        elif (match := re.search(r"iter=(\d+) ", line)) and int(match[1]) > _ITERATIONS:
            return "stuck"
        return None
