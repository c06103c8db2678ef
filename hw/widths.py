"""How wide a network may be."""

from hw.layout import Layout

__all__ = ["WIDEST", "WidthError", "check_widths"]

WIDEST = 65_536
"""Bits of the widest signal of Amaranth."""

_PORTS = 7
"""Of which these are taken beside the data of a beat, where all inputs of a top module count as one
signal: two constants, clock, reset, valid, last, and the ready of the results."""


class WidthError(ValueError):
    """A network is too wide to be built. The message names the node."""


def check_widths(network, plan):
    """Refuse a network that would need a signal wider than Amaranth has.

    Parameters
    ----------
    network : ir.Network
    plan : Plan

    Raises
    ------
    WidthError
        If a node reads or drives more than :data:`WIDEST` bits, or a beat or a result is wider.
    """
    for entry in network.entries:
        first, last = entry is network.entries[0], entry is network.entries[-1]
        if not first:
            _check(f"Node {entry.name!r} must read", entry.node.in_width, WIDEST)
        if not last:
            _check(f"Node {entry.name!r} must drive", entry.node.out_width, WIDEST)
    layout = Layout.of(network, plan.lanes)
    _check(f"A beat for node {network.entries[0].name!r} must have", 8 * layout.beat_bytes,
           WIDEST - _PORTS, f" ({plan.lanes:,} lanes)")
    _check(f"A result of node {network.entries[-1].name!r} must have", 8 * layout.result_bytes,
           WIDEST, f" ({layout.classes:,} classes)")


def _check(rule, width, limit, cause=""):
    if width > limit:
        raise WidthError(f"{rule} at most {limit:,} bits, not {width:,}{cause}")
