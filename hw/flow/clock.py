"""Which clock a design gets."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from bitwright.boards import Board
from bitwright.errors import UsageError
from bitwright.hw.families.pll import Clock, NoPll, Pll, fastest, megahertz, nearest
from bitwright.hw.flow.clocking import plls
from bitwright.hw.rate import FEWEST_CYCLES, divisor

__all__ = ["Clocks"]

LINE_TOLERANCE = Fraction(1, 100)
"""How far a clock that is chosen here may be from a multiple of the baud rate. Half of what a line
bears, so that the other half is left to the host."""

MARGIN = Fraction(3, 100)
"""How far the next clock to try stays below what was reached. The design with another clock is
another netlist, whose placement comes out some percent faster or slower."""


class Clocks:
    """The clocks that a board can give a design with a serial line.

    Parameters
    ----------
    board : Board
    baud : int
        Rate of the line.

    Attributes
    ----------
    oscillator : Clock
    first : Clock
        The oscillator; where the baud rate does not divide it, what is nearest to it and does.
    settings : tuple of Pll
        Those whose output the baud rate divides within 1 %, from the slowest.
    why : str or None
        Why there are none.

    Raises
    ------
    UsageError
        If no clock of the board makes the baud rate.
    """

    def __init__(self, board: Board, baud: int) -> None:
        self._board, self._baud = board, baud
        self.oscillator = Clock(board.clock_hz)
        self.settings: tuple[Pll, ...] = ()
        self.why: str | None = None
        try:
            self.settings = tuple(pll for pll in plls(board) if _divides(pll.output_hz, baud))
        except NoPll as reason:
            self.why = str(reason)
        else:
            if not self.settings:
                self.why = f"no clock of the PLL is a multiple of {baud:,} baud within 1 %"
        self.first = self.oscillator
        if board.estimate:  # nobody has chosen an oscillator, either
            self.settings, self.why = (), None
        try:
            divisor(board.clock_hz, baud)
        except ValueError as error:
            pll = nearest(self.settings, board.clock_hz)
            if pll is None:
                raise UsageError(f"--baud {baud}: {error}") from error
            self.first = Clock(board.clock_hz, pll)

    def asked(self, hz: float) -> Clock:
        """The clock that is nearest to what was asked for.

        Raises
        ------
        UsageError
            If another one than the oscillator is asked for, and there is none.
        """
        if hz == self._board.clock_hz and self.first.pll is None:
            return self.oscillator
        if self._board.estimate:
            return Clock(round(hz))
        if self.why is not None:
            raise UsageError(f"--freq {megahertz(hz)}: {self._board.name} runs at its oscillator's "
                             f"{megahertz(self._board.clock_hz)} MHz only: {self.why}")
        pll = nearest(self.settings, hz)
        assert pll is not None
        return min(self.first, Clock(self._board.clock_hz, pll),
                   key=lambda clock: abs(clock.exact_hz - Fraction(hz)))

    def below(self, limit_hz: float | Fraction) -> Clock | None:
        """The fastest that the PLL makes and that is not above a limit."""
        pll = fastest(self.settings, limit_hz)
        return None if pll is None else Clock(self._board.clock_hz, pll)

    def search(self, reached: Callable[[Clock], float]) -> Clock:
        """The fastest clock that is proven.

        It is seen what is reached with the first; then the fastest clock that stays within that is
        tried, and while it is missed, the fastest within what was reached then.

        Parameters
        ----------
        reached : callable
            Is given a clock, and returns what the design reaches that is built for it, in Hz.

        Returns
        -------
        Clock
            One that was reached; the first, if none was.
        """
        found = Fraction(reached(self.first))
        floor = self.first.exact_hz if found >= self.first.exact_hz else Fraction(0)
        clock = self.below(found * (1 - MARGIN))
        while clock is not None and clock.exact_hz > floor:
            found = Fraction(reached(clock))
            if found >= clock.exact_hz:
                return clock
            clock = self.below(min(found, clock.exact_hz) * (1 - MARGIN))
        return self.first


def _divides(hz: Fraction, baud: int) -> bool:
    cycles = round(hz / baud)
    return cycles >= FEWEST_CYCLES and abs(hz / cycles / baud - 1) <= LINE_TOLERANCE
