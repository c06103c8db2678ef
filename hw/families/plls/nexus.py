"""The PLL of the Nexus, ``PLL``: why it is not used.

Besides its dividers it has a dozen settings of its loop filter, which Lattice's tool finds from the
dividers, and whose rule is not published.
"""

from __future__ import annotations

from bitwright.hw.families.part import Part
from bitwright.hw.families.pll import NoPll, Pll, Reference, megahertz

__all__ = ["solve"]

_INPUT_HZ = (18_000_000, 500_000_000)
"""Data sheet (FPGA-DS-02049), section "sysCLOCK PLL Timing": input and phase detector."""


def solve(part: Part, reference: Reference) -> tuple[Pll, ...]:
    """No clock; see :data:`hw.families.pll.Solver`."""
    if not _INPUT_HZ[0] <= reference.hz <= _INPUT_HZ[1]:
        raise NoPll(f"the PLL of {part.name} takes 18 to 500 MHz, and the oscillator has "
                    f"{megahertz(reference.hz)} MHz")
    raise NoPll(f"how the loop filter of the PLL of {part.name} is to be set is not known here")
