"""A board's design for one clock after another, and one seed of the placer beside another, until
the fastest that is proven is found."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bitwright.boards import Board
from bitwright.hw.families.pll import Clock, megahertz
from bitwright.hw.flow import cache, toolchain
from bitwright.hw.flow.clock import Clocks
from bitwright.hw.flow.options import Options
from bitwright.hw.flow.parts import BOARD, PATHS, modules
from bitwright.hw.flow.pins import CheckPins
from bitwright.hw.flow.place import Place, PlaceError, RouteError
from bitwright.hw.flow.runner import Runner, later
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.flow.wrap import Wrap
from bitwright.hw.naming import Naming
from bitwright.hw.report.capacity import FitError, check_fit, explain, shortage
from bitwright.hw.report.figures import Findings
from bitwright.hw.report.results import Placed, Synthesised, Trial

__all__ = ["FOLDER", "Trials"]

FOLDER = "trials"
"""Folder of a build in which clocks and seeds are tried: each in one of its own, so that none is
tried twice."""


@dataclass(frozen=True)
class _Found:
    """A trial, the folder that it was made in, and what was placed there or why nothing was."""

    trial: Trial
    folder: Path
    placed: Placed | None
    failure: RouteError | None = None


class Trials:
    """The stages from the network's text to the routed design.

    Parameters
    ----------
    options : Options
        With a board and a baud rate.
    naming : Naming
        Of the block.
    yosys, nextpnr : Tool
        The latter only if there is to be a placement.
    runner : Runner
    findings : Findings
        Receives what is found.

    Raises
    ------
    UsageError
        If a clock is asked for that the board has not, or a baud rate that no clock of it makes.
    """

    def __init__(self, options: Options, naming: Naming, yosys: toolchain.Tool,
                 nextpnr: toolchain.Tool | None, runner: Runner, findings: Findings) -> None:
        assert options.board is not None
        assert options.baud is not None
        self._options, self._naming = options, naming
        self._board: Board = options.board
        self._baud = options.baud
        self._yosys, self._nextpnr = yosys, nextpnr
        self._runner, self._findings = runner, findings
        self._clocks = Clocks(self._board, options.baud)
        self._asked = None if options.clock_hz is None else self._clocks.asked(options.clock_hz)
        findings.no_pll = self._clocks.why
        # Where there is one thing to try only, it is done in the build folder itself.
        only_one = self._asked is not None or not self._clocks.settings
        self._direct = only_one and options.seeds == 1
        self._tried: dict[str, list[_Found]] = {}

    def netlist(self, block: Path) -> None:
        """Go as far as synthesis of a block's text, for the clock that is asked for, or else the
        first."""
        self._block = block
        self._synthesise(self._asked or self._clocks.first, self._options.out)

    def run(self, block: Path) -> None:
        """Settle the clock, and have the design of a block's text placed and routed in the build
        folder.

        Raises
        ------
        ToolError, FitError, PlaceError, RouteError
            One line each.
        """
        self._block = block
        self._announce()
        if self._asked is None:
            clock = self._clocks.search(self._attempt)
        else:
            clock = self._asked
            self._reached(clock)
        best = _best(self._tried[clock.name])
        self._findings.clock, self._findings.seed = clock, best.trial.seed
        if not self._direct:
            out, folder = self._options.out, self._folder(clock)
            cache.adopt(folder, out, (Wrap.name, Synthesise.name), later(Synthesise.name))
            cache.adopt(best.folder, out, (Place.name,), later(Place.name))
            with self._runner.silent():
                self._synthesise(clock, out)
                self._place(clock, out, best.trial.seed, out)
        self._findings.placed = best.placed
        self._runner.say(f"clock: {megahertz(clock.hz)} MHz, "
                         f"{megahertz(best.trial.fmax_hz or 0)} MHz reached")

    def _announce(self) -> None:
        say, clocks = self._runner.say, self._clocks
        if clocks.why is not None:
            say(f"clock: the oscillator's {megahertz(clocks.oscillator.hz)} MHz, for {clocks.why}")
        asked = self._options.clock_hz
        if self._asked is not None and asked is not None and self._asked.hz != asked:
            say(f"clock: {megahertz(asked)} MHz is asked for; {megahertz(self._asked.hz)} MHz is "
                f"the nearest that the PLL makes and that {self._baud:,} baud divides")

    def _folder(self, clock: Clock) -> Path:
        out = self._options.out
        return out if self._direct else out / FOLDER / clock.name

    def _attempt(self, clock: Clock) -> float:
        """As :meth:`_reached`; a PLL that cannot be had is no reason to have no design."""
        try:
            return self._reached(clock)
        except (toolchain.ToolError, FitError, PlaceError, RouteError) as error:
            if clock == self._clocks.first:
                raise
            self._findings.no_pll = str(error)
            self._runner.say(f"clock: {megahertz(clock.hz)} MHz cannot be built: {error}")
            return 0.0

    def _reached(self, clock: Clock) -> float:
        """Build for a clock; where it is missed, with the other seeds, too. Returns what the best
        of them reaches, 0 if no router connects the design."""
        folder, seed = self._folder(clock), self._options.seed
        folder.mkdir(parents=True, exist_ok=True)
        self._synthesise(clock, folder)
        more = range(seed + 1, seed + self._options.seeds)
        found = self._tried.setdefault(clock.name, [])
        found.append(self._place(clock, folder, seed, folder))
        if not found[0].trial.met and more:
            found += self._beside(clock, folder, more)
        self._findings.trials += [one.trial for one in found]
        best = _best(found)
        if best.placed is None:
            assert best.failure is not None
            raise best.failure
        return best.placed.fmax_hz

    def _synthesise(self, clock: Clock, folder: Path) -> None:
        """Put the network on the board, synthesise, and see that it fits."""
        options, found = self._options, self._findings
        at = f" at {megahertz(clock.hz)} MHz"
        found.clock = clock
        found.wrapped = self._runner.stage(f"put on the board{at}", folder, Wrap(
            found.network, options.plan, options.simplify, self._naming, self._block,
            self._board, clock, self._baud, importlib.metadata.version("amaranth"),
            importlib.metadata.version("amaranth-boards"), options.flash))
        self._check_pins(folder)
        found.synthesised = self._runner.stage(f"synthesise{at}", folder, Synthesise(
            (self._block, folder / f"{BOARD}.il"), BOARD, options.family,
            modules(self._naming.module), self._yosys))
        check_fit(found.name, found.synthesised, self._board, found.foldable)

    def _check_pins(self, folder: Path) -> None:
        """Try pins that a user chose now, before anything that takes long, and once."""
        board, place = self._board, self._board.family.place
        if self._tried or not board.chosen or board.estimate or place is None \
                or self._nextpnr is None:
            return
        self._runner.stage("check pins", folder, CheckPins(
            folder / "board.json", folder / f"{BOARD}.{place.constraints}", board, self._nextpnr))

    def _beside(self, clock: Clock, netlist: Path, seeds: Iterable[int]) -> list[_Found]:
        """Place with some seeds, as many at a time as there are processors, here or elsewhere."""
        elsewhere = self._options.elsewhere
        cores = (os.cpu_count() or 1) if elsewhere is None else elsewhere.cores

        def attempt(seed: int) -> _Found:
            folder = netlist / f"seed-{seed}"
            folder.mkdir(exist_ok=True)
            return self._place(clock, netlist, seed, folder)

        with ThreadPoolExecutor(cores) as pool:
            try:
                return list(pool.map(attempt, seeds))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                toolchain.stop_all()
                if elsewhere is not None:
                    elsewhere.stop()
                raise

    def _place(self, clock: Clock, netlist: Path, seed: int, folder: Path) -> _Found:
        place, found = self._board.family.place, self._findings
        assert place is not None
        assert self._nextpnr is not None
        stage = Place(netlist / "netlist.json", netlist / f"{BOARD}.{place.constraints}",
                      self._board, clock, seed, PATHS, self._nextpnr)
        try:
            placed = self._runner.stage(
                f"place and route at {megahertz(clock.hz)} MHz, seed {seed}", folder, stage,
                self._options.elsewhere)
        except PlaceError as error:
            assert found.synthesised is not None
            raise self._misfit(error, found.synthesised) from error
        except RouteError as error:
            return _Found(Trial(clock.hz, seed, None), folder, None, error)
        return _Found(Trial(clock.hz, seed, placed.fmax_hz), folder, placed)

    def _misfit(self, error: PlaceError, synthesised: Synthesised) -> PlaceError | FitError:
        """What to say of a design that the placer found no place for."""
        found, board = self._findings, self._board
        assert board.family.place is not None
        usage = error.utilisation.get(board.family.place.logic)
        cells = max(synthesised.logic_cells, 0 if usage is None else usage.used)
        short = shortage(cells, synthesised.total, board)
        if short is None:
            return error  # something else ran out: nextpnr's own words
        return FitError(explain(found.name, short, cells, synthesised.parts, board,
                                found.foldable))


def _best(found: list[_Found]) -> _Found:
    """The fastest, the first of equals."""
    return max(found, key=lambda one: one.trial.fmax_hz or 0.0)
