"""The greatest of scores that come one after the other."""

from typing import NamedTuple

from amaranth.hdl import Mux, Signal, Value

__all__ = ["Race", "race"]


class Race(NamedTuple):
    """A comparison of scores that come one after the other.

    ``decision``, the place of the greatest one, stands from the cycle behind the last score of a
    row until the next row begins.
    """

    decision: Signal
    number: Signal
    """Class of the score."""
    final: Value
    """Whether it is the last one."""
    ahead: Value
    """Whether it is greater than all before it."""
    best: Signal
    """The greatest one before it, or of a row that has ended."""


def race(m, score, step, classes):
    """See which score of a row is the greatest, the first one on a tie.

    Parameters
    ----------
    m : Module
    score : Value
        Of a class, in the order of the classes.
    step : Value
        Whether there is one in this cycle.
    classes : int

    Returns
    -------
    Race
    """
    number = Signal(range(classes))
    best = Signal(score.shape(), reset_less=True)
    decision = Signal(range(max(classes, 2)), name="leader", reset_less=True)
    final, ahead = number == classes - 1, (number == 0) | (score > best)
    with m.If(step):
        m.d.sync += number.eq(Mux(final, 0, number + 1))
        with m.If(ahead):
            m.d.sync += [best.eq(score), decision.eq(number)]
    return Race(decision, number, final, ahead, best)
