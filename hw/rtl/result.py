"""Numbers and results of a network, as shapes and as bytes."""

from amaranth.hdl import Cat, Const, signed
from amaranth.lib import data

from bitwright.hw.layout import score_width

__all__ = ["result_bytes", "result_layout", "score_shape"]


def score_shape(score_range):
    """Shape of a signed number that holds every score of a range, both ends inclusive."""
    return signed(score_width(score_range))


def result_layout(network):
    """Layout of a result: ``decision``, the class, and ``scores``, one signed number a class."""
    return data.StructLayout({
        "decision": range(network.classes),
        "scores": data.ArrayLayout(score_shape(network.score_range), network.classes),
    })


def result_bytes(result, layout):
    """Bytes of a result as one value, in the order of :class:`Layout`.

    Parameters
    ----------
    result : View of result_layout(network)
    layout : Layout
    """
    def extend(value, size):
        return Cat(value, value[-1].replicate(8 * size - len(value)))

    decision = Cat(result.decision, Const(0, 8 * layout.decision_bytes - len(result.decision)))
    return Cat(decision, *(extend(score, layout.score_bytes) for score in result.scores))
