"""Second stage: the design of a board around the network's Verilog."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from amaranth.build import TemplatedPlatform
from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Instance, Module, ResetSignal
from amaranth.lib import io, wiring

from bitwright import ir
from bitwright.boards import Board, Site
from bitwright.hw.contents import as_built
from bitwright.hw.families.pll import Clock, Pll
from bitwright.hw.flow.clocking import PllClock
from bitwright.hw.flow.environment import not_elaborated, without_overrides
from bitwright.hw.flow.parts import BOARD
from bitwright.hw.flow.record import file_digest
from bitwright.hw.flow.verilog import without_contents
from bitwright.hw.interface import FOLDER
from bitwright.hw.link.protocol import OVERHEAD, Identity
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.report.results import Wrapped

__all__ = ["BoardTop", "Delivered", "Prepared", "Wrap", "delivered", "prepare", "told"]


class Delivered(wiring.Component):
    """An instance of a component whose text is delivered apart.

    Parameters
    ----------
    component : Component
        Gives its ports, and stays as it is.
    naming : Naming
        Of its text's top module.
    reset : Value
        Resets it beside the reset of its domain.

    Members
    -------
    Those of the component.
    """

    def __init__(self, component: Any, naming: Naming, reset: Any = 0) -> None:
        self._naming, self._reset = naming, reset
        super().__init__(component.signature)

    def elaborate(self, platform: Any) -> Any:
        ports = {f"{'i' if member.flow == wiring.In else 'o'}_{'__'.join(map(str, path))}": value
                 for path, member, value in self.signature.flatten(self)}
        naming, reset = self._naming, ResetSignal(allow_reset_less=True) | self._reset
        return Instance(naming.module, **ports, **{
            f"i_{naming.clock}": ClockSignal(),
            f"i_{naming.reset}": ~reset if naming.active_low else reset})


class BoardTop(Elaboratable):
    """A design with ports ``rx`` and ``tx``, on the serial port of a board, and ``flash`` on its
    flash if it has that.

    Without a PLL, the platform adds the clock and a reset that lasts until the device has settled.

    Parameters
    ----------
    design : Component
        With the ports ``rx`` and ``tx``, asynchronous to the clock.
    board : Site
    pll : Pll, optional
        What clocks the design in place of the board's oscillator.

    Attributes
    ----------
    pins : dict of str to str
        Name of the port of each side of the line, once elaborated.
    """

    def __init__(self, design: Any, board: Site, pll: Pll | None = None) -> None:
        self._design = design
        self._board = board
        self._pll = pll
        self.pins: dict[str, str] = {}

    def elaborate(self, platform: Any) -> Any:
        m = Module()
        pins = platform.request(*self._board.uart_resource, dir="-")
        self.pins = {name: getattr(pins, name).io.name for name in ("rx", "tx")}
        m.submodules.rx = rx = io.Buffer("i", pins.rx)
        m.submodules.tx = tx = io.Buffer("o", pins.tx)
        m.submodules.serial = self._design
        if self._pll is not None:
            m.domains += ClockDomain("sync")
            m.submodules.clocking = PllClock(self._pll)
        m.d.comb += [self._design.rx.eq(rx.i), tx.o.eq(self._design.tx)]
        if "flash" in self._design.signature.members:
            self._flash(m, platform)
        return m

    def _flash(self, m: Module, platform: Any) -> None:
        pins, flash = platform.request(*self._board.flash_resource, dir="-"), self._design.flash
        for name in ("cs", "clk", "copi"):
            m.submodules[name] = buffer = io.Buffer("o", getattr(pins, name))
            m.d.comb += buffer.o.eq(getattr(flash, name))
        m.submodules.cipo = cipo = io.Buffer("i", pins.cipo)
        m.d.comb += flash.cipo.eq(cipo.i)
        for name in ("wp", "hold"):  # neither is wanted, and a wire of them may float
            if hasattr(pins, name):
                m.submodules[name] = buffer = io.Buffer("o", getattr(pins, name))
                m.d.comb += buffer.o.eq(0)


@dataclass(frozen=True)
class Prepared:
    """A design ready for synthesis.

    Parameters
    ----------
    rtlil : str
        Its text, the top module being :data:`hw.flow.parts.BOARD`.
    constraints : str
        Pins and clock, in the language of the family's nextpnr.
    ports : dict
        Names of the module's ports: ``rx``, ``tx``, ``clk`` and ``reset``, None where there is
        none.
    packer : tuple of str
        Options that the class of the platform gives the packer, of those that are wanted.
    """

    rtlil: str
    constraints: str
    ports: dict[str, str | None]
    packer: tuple[str, ...] = ()


def prepare(design: Any, board: Board, pll: Pll | None = None) -> Prepared:
    """Put a design on a board. Equal designs give equal texts."""
    place = board.family.place
    assert place is not None
    platform, top = board.platform(), BoardTop(design, board, pll)
    # What the class of a board adds are options of tools that are run in another way here, and not
    # every one of them takes an option beside its own.
    platform.toolchain_prepare = partial(TemplatedPlatform.toolchain_prepare, platform,
                                         emit_src=False)
    with without_overrides():
        plan = platform.prepare(top, BOARD)
    texts = {name: text if isinstance(text, str) else text.decode()
             for name, text in plan.files.items()}
    rtlil = without_contents(texts[f"{BOARD}.il"])
    names = re.findall(r"^  wire width 1 (?:input|inout) \d+ +\\(\S+)$",
                       rtlil[rtlil.index(f"\nmodule \\{BOARD}\n"):], re.MULTILINE)

    def of(resource: str | None) -> str | None:
        return next((name for name in names if name.startswith(f"{resource}_0__")), None)

    ports = {**top.pins, "clk": of(platform.default_clk), "reset": of(platform.default_rst)}
    constraints = texts[f"{BOARD}.{place.constraints}"]
    if board.estimate and place.free is not None:
        constraints = place.free.unlocated(constraints)
    options = inspect.getsource(type(platform).toolchain_prepare)
    return Prepared(rtlil, constraints, ports, tuple(re.findall(place.passed, options)))


def delivered(network: ir.Network, plan: Plan, *, simplify: bool, clock_hz: float, baud: int,
              naming: Naming, flash: bool = False) -> SerialTop:
    """The network behind a serial line, its block being an instance of the text of that name.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
    simplify : bool
        Whether it is simplified first.
    clock_hz : float
        Of the design.
    baud : int
        Rate of the line.
    naming : Naming
        Of the block.
    flash : bool
        Whether the contents come from the board's flash.
    """
    return SerialTop(as_built(network, plan, simplify=simplify), plan, clock_hz=clock_hz, baud=baud,
                     frozen=network, instance=lambda axi, reset: Delivered(axi, naming, reset),
                     flash=flash)


def told(network: ir.Network, plan: Plan, simplify: bool, identity: Identity) -> dict[str, Any]:
    """What ``board.json`` tells of the network in a design, and of how it was built."""
    return {"simplify": simplify, "network": ir.digest(network), "plan": plan.digest,
            "identity": identity.to_bytes().hex()}


@dataclass(frozen=True)
class Wrap:
    """Write ``board.il``, which instantiates the block, its constraints, and ``board.json``.

    The last says what a bench must know to talk to the netlist through its pins.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
    simplify : bool
        Whether it was simplified first.
    naming : Naming
        Of the block.
    text : Path
        The block's Verilog.
    board : Board
    clock : Clock
        Of the design.
    baud : int
        Rate of the serial line.
    amaranth, amaranth_boards : str
        Their versions.
    flash : bool
        Whether the contents come from the board's flash.
    """

    name: ClassVar[str] = "board"
    Result: ClassVar[type[Wrapped]] = Wrapped

    network: ir.Network
    plan: Plan
    simplify: bool
    naming: Naming
    text: Path
    board: Board
    clock: Clock
    baud: int
    amaranth: str
    amaranth_boards: str
    flash: bool = False

    def run(self, folder: Path, logs: Path) -> Wrapped:
        """See :class:`hw.flow.cache.Stage`."""
        board = self.board
        assert board.family.place is not None
        with not_elaborated():  # the network's component gives its ports, and is text already
            serial = delivered(self.network, self.plan, simplify=self.simplify,
                               clock_hz=self.clock.hz, baud=self.baud, naming=self.naming,
                               flash=self.flash)
            prepared = prepare(serial, board, self.clock.pll)
        constraints = f"{BOARD}.{board.family.place.constraints}"
        (folder / f"{BOARD}.il").write_text(prepared.rtlil, encoding="utf-8")
        (folder / constraints).write_text(prepared.constraints, encoding="utf-8")
        (folder / "board.json").write_text(json.dumps({
            "format": 1, "board": board.name, "clock_hz": self.clock.hz, "baud": self.baud,
            **told(self.network, self.plan, self.simplify, serial.identity),
            "block": {f"{FOLDER}/{self.text.name}": file_digest(self.text)},
            "family": board.family.name, "oscillator_hz": board.clock_hz,
            "pll": None if self.clock.pll is None else {
                "cell": self.clock.pll.cell, "parameters": dict(self.clock.pll.parameters)},
            "module": BOARD, "ports": prepared.ports,
            "flash": self.flash,
        }, indent=2) + "\n", encoding="utf-8")
        return Wrapped(request_bytes=OVERHEAD + serial.layout.sample_bytes,
                       reply_bytes=OVERHEAD + serial.layout.result_bytes, packer=prepared.packer)
