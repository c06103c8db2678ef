"""Timing constraints: the clock, and that there is nothing else to say."""

from __future__ import annotations

from bitwright.hw.interface import Interface
from bitwright.hw.ip.text import fill

__all__ = ["constraints"]

_TEXT = """\
# Timing of @name@ where it is built by itself. In a design the clock comes with the design: leave
# this file out there, or the clock is defined twice.
#
# The period is an example. Write that of your design.
set period_ns 10.000
create_clock -name @clock@ -period $period_ns [get_ports @clock@]

# All ports, @reset@ too, belong to @clock@. There is one clock, and neither a false path nor one of
# more than a cycle: nothing may be left out of the analysis. What the other side of the ports needs
# of a cycle is for the design to say: set_input_delay, set_output_delay.
"""


def constraints(interface: Interface) -> str:
    """What XDC (Vivado) and SDC (all others) have in common, in Tcl."""
    naming = interface.naming
    return fill(_TEXT, name=naming.module, clock=naming.clock, reset=naming.reset)
