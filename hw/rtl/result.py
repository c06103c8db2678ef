"""Numbers and results of a network, as shapes and as bytes."""

from amaranth.hdl import Cat, Const, signed, unsigned
from amaranth.lib import data

from bitwright.hw.layout import score_width

__all__ = ["decision_shape", "result_bytes", "result_layout", "score_shape"]


def score_shape(score_range):
    """Shape of a signed number that holds every score of a range, both ends inclusive."""
    return signed(score_width(score_range))


def decision_shape(classes):
    """Shape of the number of a class: of one bit, which is 0, where there is a single score."""
    return unsigned(max(1, (classes - 1).bit_length()))


def result_layout(network):
    """Layout of a result: ``decision``, the class, and ``scores``, one signed number a class.

    The scores of a regression name no class: its decision means nothing.
    """
    return data.StructLayout({
        "decision": decision_shape(network.classes),
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
