"""The head of forward-forward networks: one popcount over everything that it reads."""

from bitwright import ir
from bitwright.hw.rtl.layers.group_sum import GroupSumHead
from bitwright.hw.rtl.realisation import lower

__all__ = ["GoodnessHead"]


class GoodnessHead(GroupSumHead):
    """Popcount of the input bits, one score: the only group. As :class:`GroupSumHead`.

    Parameters
    ----------
    node : ir.Goodness
    plan : Plan
    """


@lower.register
def _(node: ir.Goodness, plan, registered=True):
    return GoodnessHead(node, plan)
