"""The clock of a board's design: the board's own, or one that a PLL makes of it."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Const,
    DomainRenamer,
    Elaboratable,
    Instance,
    Module,
    ResetSignal,
    Signal,
)
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from bitwright.boards import Board
from bitwright.hw.families.pll import NoPll, Pll, Reference

__all__ = ["PllClock", "plls"]

_SETTLE_S = 15e-6
"""How long the design is held in reset after the PLL has locked, as Amaranth holds one that has no
PLL: an iCE40's block RAMs read zeros for some microseconds after configuration."""


class PllClock(Elaboratable):
    """Clock and reset of the ``sync`` domain, which is its parent's, by a PLL.

    It is in reset until the PLL has locked and everything has settled, while the board's own reset
    is asserted, and again should the PLL lose its lock.

    Parameters
    ----------
    pll : Pll
    """

    def __init__(self, pll: Pll) -> None:
        self._pll = pll

    def elaborate(self, platform: Any) -> Any:
        m = Module()
        reference, reset = self._reference(m, platform)
        clock, locked = Signal(), Signal()
        m.submodules.pll = _instance(self._pll, reference, clock, locked)
        m.submodules.hold = hold = Hold(locked & ~reset, self._pll.output_hz)
        m.d.comb += [ClockSignal("sync").eq(clock), hold.clock.eq(clock),
                     ResetSignal("sync").eq(~hold.ready)]
        return m

    def _reference(self, m: Module, platform: Any) -> tuple[Any, Any]:
        """The clock that feeds the PLL, and the reset that there is without it."""
        pad = self._pll.pad
        if pad is None:
            # As Amaranth makes it, oscillators inside the device included; under another name.
            made, clock, reset = platform.create_missing_domain("sync"), Signal(), Signal()
            made.d.comb += [clock.eq(ClockSignal()), reset.eq(ResetSignal(allow_reset_less=True))]
            m.submodules.oscillator = DomainRenamer("oscillator")(made)
            return clock, reset
        pin = Signal()
        m.submodules.pin = Instance(
            pad.cell, **{f"p_{name}": value for name, value in pad.parameters.items()},
            **{f"io_{pad.pin}": platform.request(platform.default_clk, dir="-").io,
               f"o_{pad.output}": pin})
        if platform.default_rst is None:
            return pin, Const(0)
        button = platform.request(platform.default_rst, dir="-")
        m.submodules.button = buffer = io.Buffer("i", button)
        return pin, buffer.i


class Hold(Elaboratable):
    """Says that a clock can be used: some time after it was stable, for as long as it is.

    Parameters
    ----------
    stable : Value
        Of any phase.
    hertz : number
        Frequency of the clock.

    Attributes
    ----------
    clock, ready : Signal
    """

    def __init__(self, stable: Any, hertz: Any) -> None:
        self._stable = stable
        self._cycles = round(_SETTLE_S * float(hertz))
        self.clock, self.ready = Signal(), Signal()

    def elaborate(self, platform: Any) -> Any:
        m = Module()
        m.domains.hold = ClockDomain(reset_less=True, local=True)
        m.d.comb += ClockSignal("hold").eq(self.clock)
        stable, timer = Signal(), Signal(range(self._cycles + 1))
        m.submodules.synchroniser = FFSynchronizer(self._stable, stable, o_domain="hold")
        with m.If(~stable):
            m.d.hold += [timer.eq(0), self.ready.eq(0)]
        with m.Elif(timer == self._cycles):
            m.d.hold += self.ready.eq(1)
        with m.Else():
            m.d.hold += timer.eq(timer + 1)
        return m


def _instance(pll: Pll, reference: Any, clock: Signal, locked: Signal) -> Any:
    ports = {f"i_{pll.clock}": reference, f"o_{pll.output}": clock, f"o_{pll.lock}": locked,
             **{f"i_{name}": Const(value, 1) for name, value in pll.constants.items()}}
    if pll.feedback is not None:
        loop = Signal()
        ports |= {f"o_{pll.feedback[0]}": loop, f"i_{pll.feedback[1]}": loop}
    return Instance(pll.cell, **ports,
                    **{f"p_{name}": value for name, value in pll.parameters.items()},
                    **{f"a_{name}": value for name, value in pll.attributes.items()})


def plls(board: Board) -> tuple[Pll, ...]:
    """Every clock that a PLL makes of a board's oscillator, from the slowest.

    Raises
    ------
    NoPll
        If there is none. The message is the reason.
    """
    if board.family.pll is None:
        raise NoPll(f"no PLL is known here of {board.family.title}")
    return tuple(board.family.pll(board.part, _reference(board)))


def _reference(board: Board) -> Reference:
    """A board's oscillator, and the pins that its design reads."""
    platform = board.platform()

    def pin(port: Any) -> str:
        io_port = getattr(port, "io", None) or port.p  # of a pair, its positive pin
        return str(io_port.metadata[0].name)

    others = [platform.request(*board.uart_resource, dir="-").rx]
    if platform.default_rst is not None:
        others.append(platform.request(platform.default_rst, dir="-"))
    inputs = frozenset(map(pin, others))
    if (platform.default_clk, 0) not in platform.resources:  # an oscillator inside the device
        return Reference(board.clock_hz, None, inputs)
    return Reference(board.clock_hz, pin(platform.request(platform.default_clk, dir="-")), inputs)
