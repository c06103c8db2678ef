"""From a node to the component that implements it, in the way that the plan says."""

from dataclasses import replace
from functools import singledispatch

from amaranth.lib import wiring

from bitwright import ir
from bitwright.hw.plan import FOLDED, Plan, PlanError

__all__ = ["fold", "foldable", "folded", "lower", "realise"]


@singledispatch
def lower(node: ir.Node, plan: Plan, registered: bool = True) -> wiring.Component:
    """Build the unrolled component of a node. Each module of :mod:`hw.rtl.layers` registers one.

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


@singledispatch
def fold(node: ir.Node, plan: Plan, cycles: int) -> wiring.Component:
    """Build the folded component of a node, for the kinds that have one.

    Parameters
    ----------
    node : ir.Node
    plan : Plan
    cycles : int
        That it may take for a vector.

    Returns
    -------
    Component
        As of :func:`lower`. When nothing stalls it takes a vector every ``interval`` cycles, which
        are no more than ``cycles``.

    Raises
    ------
    NotImplementedError
        If that kind of node can only be unrolled.
    """
    raise NotImplementedError(f"No component folds {node.kind!r} nodes")


def foldable(node: ir.Node) -> bool:
    """Whether :func:`fold` has a component for that kind of node."""
    return fold.dispatch(type(node)) is not fold.dispatch(object)


def folded(plan: Plan, network: ir.Network, cycles: int) -> Plan:
    """The plan with every node folded that can be, into no more than that many cycles.

    Raises
    ------
    PlanError
        If there is no such node.
    """
    ways = {entry.name: FOLDED for entry in network.entries if foldable(entry.node)}
    if not ways:
        raise PlanError("Network has no node that can be folded")
    return replace(plan, fold_cycles=cycles, realisations={**plan.realisations, **ways})


def realise(entry: ir.Entry, plan: Plan, registered: bool = True) -> wiring.Component:
    """Build the component of a node in the way that the plan says.

    Raises
    ------
    PlanError
        If the node cannot be built in that way.
    """
    if plan.realisations.get(entry.name) != FOLDED:
        return lower(entry.node, plan, registered)
    if not foldable(entry.node):
        raise PlanError(f"Plan key 'realisations.{entry.name}' must be 'unrolled' for a "
                        f"{entry.node.kind!r} node, not {FOLDED!r}")
    return fold(entry.node, plan, plan.fold_cycles)
