"""The PLL of the GateMate, ``CC_PLL``."""

from __future__ import annotations

from collections.abc import Iterator

from bitwright.hw.families.part import Part
from bitwright.hw.families.pll import NoPll, Pll, Reference, distinct, megahertz

__all__ = ["solve"]

# UG1001, CC_PLL, in the mode SPEED, which is also what nextpnr reckons delays for: output at most
# 416.75 MHz, input 5 to 50 MHz. Inside, as nextpnr sets it (himbaechel/uarch/gatemate/pll.cc): the
# oscillator (DCO) runs above 1250 and up to 2500 MHz, and half of that passes a first divider, from
# which at most 833.33 MHz may come. The least output is ours: nothing here is slower.
_INPUT_HZ = (5_000_000, 50_000_000)
_OUTPUT_HZ = (1_000_000, 416_750_000)
_DCO_HZ = (1_250_000_000, 2_500_000_000)
_FIRST_HZ = 833_330_000
_FIRST = range(1, 65)

_MULTIPLE = range(1, 501)
"""Of the reference, half of what the DCO runs at."""

_DIVIDER = (1, *range(2, 1025, 2))
"""Of a quarter of the DCO's clock. An even one, or none, so that the phases are quarters."""


def solve(part: Part, reference: Reference) -> tuple[Pll, ...]:
    """Every clock that the PLL makes; see :data:`hw.families.pll.Solver`.

    The cell is told frequencies in MHz with four digits behind the point, and nextpnr finds the
    dividers. So only what these digits say exactly is offered.
    """
    if not _INPUT_HZ[0] <= reference.hz <= _INPUT_HZ[1] or reference.hz % 100:
        raise NoPll(f"the PLL of {part.name} takes 5 to 50 MHz, and the oscillator has "
                    f"{megahertz(reference.hz)} MHz")
    return distinct(_settings(reference.hz))


def _settings(hz: int) -> Iterator[Pll]:
    for multiple in _MULTIPLE:
        inside = hz * multiple
        if not _DCO_HZ[0] < 2 * inside <= _DCO_HZ[1] or not any(
                multiple % first == 0 and inside / first <= _FIRST_HZ for first in _FIRST):
            continue
        for divider in _DIVIDER:
            output, rest = divmod(inside, 2 * divider)
            if not rest and not output % 100 and _OUTPUT_HZ[0] <= output <= _OUTPUT_HZ[1]:
                yield _pll(hz, multiple, 2 * divider, output)


def _pll(hz: int, multiple: int, divider: int, output: int) -> Pll:
    return Pll(
        cell="CC_PLL", input_hz=hz, multiply=multiple, divide=divider,
        parameters={"REF_CLK": f"{hz / 1e6:.4f}", "OUT_CLK": f"{output / 1e6:.4f}",
                    "PERF_MD": "SPEED", "LOW_JITTER": 1, "LOCK_REQ": 1, "CI_FILTER_CONST": 2,
                    "CP_FILTER_CONST": 4},
        clock="CLK_REF", output="CLK0", lock="USR_PLL_LOCKED",
        constants={"USR_CLK_REF": 0, "CLK_FEEDBACK": 0, "USR_LOCKED_STDY_RST": 0})
