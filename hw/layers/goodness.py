"""The head of forward-forward networks: one popcount over everything that it reads."""

import ir

from .group_sum import GroupSumHead
from .lower import lower

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
