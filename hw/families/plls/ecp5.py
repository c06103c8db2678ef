"""The PLL of the ECP5, ``EHXPLLL``."""

from __future__ import annotations

from collections.abc import Iterator

from bitwright.hw.families.part import Part
from bitwright.hw.families.pll import NoPll, Pll, Reference, distinct, megahertz

__all__ = ["solve"]

# Data sheet (FPGA-DS-02012), section "sysCLOCK PLL Timing": input 8 to 400 MHz, phase detector 10
# to 400 MHz, VCO 400 to 800 MHz, outputs 3.125 to 400 MHz.
_INPUT_HZ = (8_000_000, 400_000_000)
_DETECTOR_HZ = (10_000_000, 400_000_000)
_VCO_HZ = (400_000_000, 800_000_000)
_OUTPUT_HZ = (3_125_000, 400_000_000)

_DIVIDER = range(1, 129)
"""FPGA-TN-02200: dividers of the input and of each output."""


def solve(part: Part, reference: Reference) -> tuple[Pll, ...]:
    """Every clock that the PLL makes; see :data:`hw.families.pll.Solver`.

    One output is led back and settles the VCO, another, with a divider of its own, is the clock. As
    the phase detector has 10 MHz or more, and the VCO 800 MHz or less, the divider of the output
    that is led back reaches every multiple, and that of the feedback stays 1.
    """
    hz = reference.hz
    if not (_INPUT_HZ[0] <= hz <= _INPUT_HZ[1] and hz >= _DETECTOR_HZ[0]):
        raise NoPll(f"the PLL of {part.name} takes 10 to 400 MHz, and the oscillator has "
                    f"{megahertz(hz)} MHz")
    return distinct(_settings(hz))


def _settings(hz: int) -> Iterator[Pll]:
    """Settings within the limits, those with the fastest phase detector and VCO first."""
    for input_divider in _DIVIDER:
        if not _DETECTOR_HZ[0] <= hz / input_divider <= _DETECTOR_HZ[1]:
            continue
        for multiple in reversed(_DIVIDER):
            vco = hz * multiple / input_divider
            if not _VCO_HZ[0] <= vco <= _VCO_HZ[1]:
                continue
            for divider in _DIVIDER:
                if _OUTPUT_HZ[0] <= vco / divider <= _OUTPUT_HZ[1]:
                    yield _pll(hz, input_divider, multiple, divider)


def _pll(hz: int, input_divider: int, multiple: int, divider: int) -> Pll:
    return Pll(
        cell="EHXPLLL", input_hz=hz, multiply=multiple, divide=input_divider * divider,
        parameters={
            "CLKI_DIV": input_divider, "CLKFB_DIV": 1, "FEEDBK_PATH": "CLKOP",
            # A phase of one less than the divider is none.
            "CLKOP_ENABLE": "ENABLED", "CLKOP_DIV": multiple, "CLKOP_CPHASE": multiple - 1,
            "CLKOP_FPHASE": 0,
            "CLKOS_ENABLE": "ENABLED", "CLKOS_DIV": divider, "CLKOS_CPHASE": divider - 1,
            "CLKOS_FPHASE": 0},
        clock="CLKI", output="CLKOS", lock="LOCK", feedback=("CLKOP", "CLKFB"),
        constants={"RST": 0, "STDBY": 0, "PHASESEL0": 0, "PHASESEL1": 0, "PHASEDIR": 1,
                   "PHASESTEP": 1, "PHASELOADREG": 1, "PLLWAKESYNC": 0, "ENCLKOP": 0,
                   "ENCLKOS": 0},
        # The loop filter, as ecppll sets it.
        attributes={"ICP_CURRENT": "12", "LPF_RESISTOR": "8", "MFG_ENABLE_FILTEROPAMP": "1",
                    "MFG_GMCREF_SEL": "2"})
