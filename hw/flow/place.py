"""Fourth stage: placing and routing with nextpnr."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bitwright.boards import Board
from bitwright.errors import UserError
from bitwright.hw.families.pll import Clock
from bitwright.hw.families.routed import FILE
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.parts import BOARD, part_of
from bitwright.hw.flow.progress import routing
from bitwright.hw.flow.record import file_digest
from bitwright.hw.report.resources import OTHER
from bitwright.hw.report.results import Placed, Usage

__all__ = ["Place", "PlaceError", "RouteError", "Watcher"]

_RIPUPS = 10
"""Attempts for each connection after which the first router is given up.

Counted in attempts rather than seconds, so that every machine gives up at the same point.
"""

_SLOW, _OPEN = 0.5, 0.8
"""Attempts for each connection after which it is given up, too, if this share is still open.

Of designs that got through, 0.66 were open then at most; one of 69,000 connections had 0.9, and
after 1.5 attempts three quarters, each a hundred times as slow as the first ones.
"""

_ITERATIONS = 400
"""Rounds after which the second router is given up."""

_PLACEMENT = re.compile(r"[Uu]nable to (place|find)|no Bels remaining|[Ff]ailed to (place|find)|"
                        r"[Uu]nable to legali[sz]e|placement failed|too many .* for device")
_ARCS = re.compile(r"Routing (\d+) arcs")
_LEFT = re.compile(r"Info:\s+(\d+) \|(?:[^|]*\|){2}\s*(\d+)\|")
_OVERUSED = re.compile(r"iter=(\d+) wires=(\d+) overused=(\d+)")
_USAGE = re.compile(r"Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s")


class PlaceError(UserError):
    """The design does not fit the device.

    Parameters
    ----------
    message : str
    utilisation : mapping
        What it needs and what the device has, by nextpnr's names.
    """

    def __init__(self, message: str, utilisation: Mapping[str, Usage]) -> None:
        super().__init__(message)
        self.utilisation = utilisation

    def __reduce__(self) -> tuple[type[PlaceError], tuple[str, Mapping[str, Usage]]]:
        return PlaceError, (str(self), self.utilisation)  # it may come from another machine


class RouteError(UserError):
    """No router connects the design. One line, which says what to do."""


@dataclass(frozen=True)
class Place:
    """Place and route, and write the configuration as text, ``nextpnr.json`` and, where it can be
    simulated, the netlist that became of it.

    The router that gives the better clock is tried first. If it gets stuck, as it does on wiring
    without locality, the other one, which trades clock for success.

    Parameters
    ----------
    netlist, constraints : Path
    board : Board
    clock : Clock
        Of the design, to aim at. Whether it is reached is the caller's to judge.
    seed : int
        Of the placer.
    parts : mapping
        Instance of each part, see :data:`hw.flow.parts.PATHS`.
    nextpnr : Tool
    """

    name: ClassVar[str] = "place"
    Result: ClassVar[type[Placed]] = Placed

    netlist: Path
    constraints: Path
    board: Board
    clock: Clock
    seed: int
    parts: Mapping[str, str]
    nextpnr: toolchain.Tool

    def run(self, folder: Path, logs: Path) -> Placed:
        """See :class:`hw.flow.cache.Stage`.

        Raises
        ------
        ToolError
            If the tool fails.
        PlaceError
            If the design does not fit.
        RouteError
            If neither router gets through.
        OSError
            If a file cannot be written.
        """
        backend = self.board.family.place
        assert backend is not None
        # Copies, since the tools must be given relative paths. Both are files of earlier stages.
        netlist, constraints = folder / self.netlist.name, folder / self.constraints.name
        netlist.write_bytes(self.netlist.read_bytes())
        text = self.constraints.read_text(encoding="utf-8")
        # Else nextpnr derives the clock from the oscillator's.
        if self.clock.pll is None and backend.clock is not None:
            text = backend.clock.constrain(text, self.clock.hz)
        constraints.write_text(text, encoding="utf-8")
        files = [option.format(constraints=constraints.name, configuration=backend.configuration)
                 for option in (*backend.reads, *backend.writes)]
        if backend.routed is not None and FILE not in files:
            files += ["--write", FILE]
        router = self._route(folder, logs, [
            *self.board.part.nextpnr, *self._free, "--json", netlist.name, *files,
            "--report", "nextpnr.json", "--seed", str(self.seed), "--timing-allow-fail",
            # Of clocks that are not constrained and that nextpnr does not derive from one that is.
            "--freq", f"{self.clock.hz / 1e6:.6f}"], backend.routers)
        clocks = self._clocks(netlist)
        netlist.unlink()
        constraints.unlink()
        report = json.loads((folder / "nextpnr.json").read_text(encoding="utf-8"))
        # What a device has none of is a name for a use of something else, such as a pad's driver.
        usage = {name: Usage(item["used"], item["available"])
                 for name, item in sorted(report["utilization"].items())
                 if item["used"] and item["available"]}
        own = {name: clock["achieved"] for name, clock in report["fmax"].items()
               if clocks is None or _plain(name) in clocks}
        if not own:
            raise toolchain.ToolError(
                f"{self.nextpnr.name}: its report has no clock of the PLL, but "
                f"{', '.join(report['fmax']) or 'none'}; its log is {logs / 'nextpnr.log'}")
        slowest = min(own, key=lambda name: own[name])
        return Placed(1e6 * own[slowest], usage, usage[backend.logic].used, router,
                      self._slowest(report["critical_paths"], slowest),
                      None if backend.routed is None else file_digest(folder / FILE))

    def _clocks(self, netlist: Path) -> frozenset[str] | None:
        """Names of the clock that the PLL makes; None: all clocks are the oscillator's.

        Beside the design's there is that of the oscillator, with a few cells on it that start the
        device: how fast those could be says nothing.
        """
        pll = self.clock.pll
        if pll is None:
            return None
        module = json.loads(netlist.read_text(encoding="utf-8"))["modules"][BOARD]
        (source,) = (cell for cell in module["cells"].values() if cell["type"] == pll.cell)
        bits = set(source["connections"][pll.output])
        for cell in module["cells"].values():  # and behind a buffer, where there is one
            wires, ways = cell["connections"], cell["port_directions"]
            if cell["type"] in self.board.family.free and cell is not source and any(
                    bits.intersection(wires[port]) for port in wires if ways[port] == "input"):
                bits.update(*(wires[port] for port in wires if ways[port] == "output"))
        return frozenset(name for name, net in module["netnames"].items()
                         if bits.intersection(net["bits"]))

    @property
    def _free(self) -> tuple[str, ...]:
        """Options by which nextpnr chooses the pins, if nobody did."""
        backend = self.board.family.place
        assert backend is not None
        return backend.free.options if self.board.estimate and backend.free is not None else ()

    def _route(self, folder: Path, logs: Path, arguments: list[str],
               routers: tuple[str, ...]) -> str:
        log = logs / "nextpnr.log"
        for router in routers:
            try:
                with routing() as tell:
                    watcher = Watcher(tell)
                    toolchain.run(self.nextpnr, [*arguments, "--router", router], folder=folder,
                                  log=log, watch=watcher)
            except toolchain.Stopped:
                log.replace(log.with_name(f"nextpnr-{router}.log"))
                continue
            except toolchain.ToolError as error:
                over = any(item.used > item.available for item in watcher.utilisation.values())
                if over or _PLACEMENT.search(str(error)):
                    raise PlaceError(str(error), watcher.utilisation) from error
                raise
            return router
        raise RouteError(
            f"{self.board.name}: no router connects the design, although it fits; its wiring "
            "reaches too far for this device: train with local wiring (windows), with fewer inputs "
            "a node, or take a larger board")

    def _slowest(self, paths: list[dict[str, Any]], clock: str) -> tuple[str, ...]:
        """Parts at the two ends of the slowest path from a clock to itself."""
        for path in paths:
            if path["from"] == path["to"] == f"posedge {clock}" and path["path"]:
                ends = (path["path"][0]["from"]["cell"], path["path"][-1]["to"]["cell"])
                return tuple(part_of(end, self.parts, OTHER) for end in ends)
        return ()


def _plain(clock: str) -> str:
    """A net as the netlist calls it, without what tells that it became global."""
    return clock.removeprefix("$glbnet$").removesuffix("_$glb_clk")


class Watcher:
    """Reads nextpnr's output: what the device is used to, how much is routed, and whether the
    router is stuck.

    The first router counts the connections that are left, the second the wires that several nets
    lay claim to.

    Parameters
    ----------
    tell : callable
        Is told the share that is routed, with every line.
    """

    def __init__(self, tell: Callable[[float], None]) -> None:
        self.utilisation: dict[str, Usage] = {}
        self._tell = tell
        self._arcs = 0
        self._routed = 0.0

    def __call__(self, line: str) -> str | None:
        """Read a line. Returns "stuck" if the router is."""
        stuck = False
        if match := _USAGE.match(line):
            self.utilisation[match[1]] = Usage(int(match[2]), int(match[3]))
        elif match := _ARCS.search(line):
            self._arcs = int(match[1])
        elif self._arcs and (match := _LEFT.match(line)):
            attempts, left = int(match[1]) / self._arcs, int(match[2]) / self._arcs
            self._routed = 1 - left
            stuck = attempts > _RIPUPS or (attempts > _SLOW and left > _OPEN)
        elif match := _OVERUSED.search(line):
            self._routed = 1 - int(match[3]) / max(1, int(match[2]))
            stuck = int(match[1]) > _ITERATIONS
        self._tell(max(0.0, self._routed))
        return "stuck" if stuck else None
