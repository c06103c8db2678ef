"""From a node to the component that implements it."""

from functools import singledispatch

from amaranth.lib import wiring

import ir
from hw.plan import Plan

__all__ = ["lower"]


@singledispatch
def lower(node: ir.Node, plan: Plan, registered: bool = True) -> wiring.Component:
    """Build the component of a node. Each module of :mod:`hw.layers` registers one.

    Parameters
    ----------
    node : ir.Node
    plan : Plan
    registered : bool
        Whether the output must come from registers. A layer whose plan allows it may otherwise be
        combinational, with latency 0.

    Returns
    -------
    Component
        With streams ``i`` and ``o``, ``latency`` (cycles from an input to its output when nothing
        stalls) and ``interval`` (cycles from one input to the next).

    Raises
    ------
    NotImplementedError
        If no component implements that kind of node.
    """
    raise NotImplementedError(f"No component implements {node.kind!r} nodes")
