"""The greatest of scores that come one after the other."""

from amaranth.hdl import Mux, Signal

__all__ = ["race"]


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
    decision : Signal
        Place of the greatest, from the cycle behind the last score of a row until the next row
        begins.
    final : Value
        Whether the score is that of the last class.
    """
    number = Signal(range(classes))
    best = Signal(score.shape(), reset_less=True)
    decision = Signal(range(max(classes, 2)), name="leader", reset_less=True)
    final = number == classes - 1
    with m.If(step):
        m.d.sync += number.eq(Mux(final, 0, number + 1))
        with m.If((number == 0) | (score > best)):
            m.d.sync += [best.eq(score), decision.eq(number)]
    return decision, final
