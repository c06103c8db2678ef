"""How wide a network may be."""

from bitwright import ir
from bitwright.errors import UserError

__all__ = ["WIDEST", "WidthError", "check_link", "check_widths"]

WIDEST = 65_536
"""Bits of the widest signal of Amaranth."""

LONGEST = 65_535
"""Bytes of a payload on the serial link, whose packets tell their length in 16 bits."""

_PORTS = 7
"""Of which these are taken beside the data of a beat, where all inputs of a top module count as one
signal: two constants, clock, reset, valid, last, and the ready of the results."""


class WidthError(UserError):
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
        If a node reads or drives more than :data:`WIDEST` bits, or sees them at a time, or a beat
        or a result is wider.
    """
    for entry in network.entries:
        first, last = entry is network.entries[0], entry is network.entries[-1]
        if not first:
            _check(f"Node {entry.name!r} must read", entry.node.in_width, WIDEST)
        if not last:
            _check(f"Node {entry.name!r} must drive", entry.node.out_width, WIDEST)
        if isinstance(entry.node, ir.Convolution):
            _check(f"A window of node {entry.name!r} must see", entry.node.window.bits, WIDEST)
            for index, part in enumerate(entry.node.body):
                _check(f"Body node {index} of {entry.name!r} must drive", part.out_width, WIDEST)
    layout = plan.layout(network)
    _check(f"A beat for node {network.entries[0].name!r} must have", 8 * layout.beat_bytes,
           WIDEST - _PORTS, f" ({layout.lanes:,} lanes)")
    _check(f"A result of node {network.entries[-1].name!r} must have", 8 * layout.result_bytes,
           WIDEST, f" ({layout.classes:,} classes)")
    _check("A beat of results must have", 8 * layout.result_beat_bytes, WIDEST)


def check_link(layout):
    """Refuse a network whose samples or results do not fit a packet of the serial link.

    Parameters
    ----------
    layout : Layout

    Raises
    ------
    WidthError
        If either has more bytes than the length of a packet can tell.
    """
    _check("A sample on the link must have", layout.sample_bytes, LONGEST, unit="bytes")
    _check("A result on the link must have", layout.result_bytes, LONGEST, unit="bytes")


def _check(rule, width, limit, cause="", unit="bits"):
    if width > limit:
        raise WidthError(f"{rule} at most {limit:,} {unit}, not {width:,}{cause}")
