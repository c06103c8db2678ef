"""The head of forward-forward networks: one popcount over everything that it reads."""

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.layers.group_sum import GroupSumHead
from bitwright.hw.rtl.realisation import realises

__all__ = ["GoodnessHead"]


@realises(ir.Goodness, UNROLLED)
class GoodnessHead(GroupSumHead):
    """Popcount of the input bits, one score: the only group. As :class:`GroupSumHead`.

    Parameters
    ----------
    node : ir.Goodness
    settings : NoSettings
    plan : Plan
    site : Site
    """
