"""The PLL of the Gowin GW1N and GW2A, ``rPLL``, and ``PLLVR`` where the device has that."""

from __future__ import annotations

from collections.abc import Iterator

from bitwright.hw.families.part import Part
from bitwright.hw.families.pll import NoPll, Pll, Reference, distinct, megahertz

__all__ = ["solve"]

# In kHz, by die and, where it matters, speed grade: VCO from and to, output from and to. Data
# sheets of the series, "PLL Switching Characteristics" (DS100, DS117, DS821, DS861, DS102), within
# what Apicula's packer lets through for any grade: it refuses a GW2A below 500 MHz.
_LIMITS = {
    ("GW1N-1", ""): (400_000, 900_000, 3_125, 450_000),
    ("GW1NZ-1", ""): (400_000, 800_000, 3_125, 400_000),
    ("GW1N-4", ""): (400_000, 1_000_000, 3_125, 500_000),
    ("GW1NSR-4C", ""): (400_000, 1_200_000, 4_687.5, 600_000),
    ("GW1N-9", ""): (400_000, 1_000_000, 3_125, 500_000),
    ("GW1N-9C", ""): (400_000, 1_200_000, 3_125, 600_000),
    ("GW2A-18", "C7/I6"): (500_000, 1_000_000, 3_906.25, 500_000),
    ("GW2A-18", "C8/I7"): (500_000, 1_250_000, 3_906.25, 625_000),
}

_DETECTOR_HZ = (3_000_000, 400_000_000)
"""The same for every die here, and so for the input."""

# UG286, "Gowin Clock User Guide": both dividers from 1 to 64, and a divider behind the VCO.
_DIVIDER = range(1, 65)
_OUTPUT_DIVIDER = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def solve(part: Part, reference: Reference) -> tuple[Pll, ...]:
    """Every clock that the PLL makes; see :data:`hw.families.pll.Solver`."""
    limits = _limits(part)
    if not _DETECTOR_HZ[0] <= reference.hz <= _DETECTOR_HZ[1]:
        raise NoPll(f"the PLL of {part.name} takes 3 to 400 MHz, and the oscillator has "
                    f"{megahertz(reference.hz)} MHz")
    return distinct(_settings(reference.hz, part.device, limits))


def _limits(part: Part) -> tuple[float, float, float, float]:
    """Limits of the die: one with memory beside it (GW1NR, GW2AR) is the same."""
    die = part.device.replace("GW1NR-", "GW1N-").replace("GW2AR-", "GW2A-")
    for name in (die, die.removesuffix("C")):
        for speed in (part.speed, ""):
            if (name, speed) in _LIMITS:
                return _LIMITS[name, speed]
    raise NoPll(f"nothing is known here of a PLL of {part.name}")


def _settings(hz: int, device: str, limits: tuple[float, float, float, float]) -> Iterator[Pll]:
    """Settings within the limits, those with the fastest phase detector and VCO first."""
    vco_min, vco_max, output_min, output_max = (1000 * limit for limit in limits)
    for input_divider in _DIVIDER:
        if not _DETECTOR_HZ[0] <= hz / input_divider <= _DETECTOR_HZ[1]:
            continue
        for multiple in _DIVIDER:
            output = hz * multiple / input_divider
            if not output_min < output <= output_max:  # the packer wants more than the least
                continue
            for output_divider in reversed(_OUTPUT_DIVIDER):
                if vco_min <= output * output_divider <= vco_max:
                    yield _pll(hz, device, input_divider, multiple, output_divider)
                    break


def _pll(hz: int, device: str, input_divider: int, multiple: int, output_divider: int) -> Pll:
    regulated = device.startswith("GW1NS")  # UG286: its PLL has a regulator, which is to be on
    return Pll(
        cell="PLLVR" if regulated else "rPLL", input_hz=hz, multiply=multiple,
        divide=input_divider,
        parameters={
            "DEVICE": device, "FCLKIN": megahertz(hz), "IDIV_SEL": input_divider - 1,
            "FBDIV_SEL": multiple - 1, "ODIV_SEL": output_divider, "DYN_IDIV_SEL": "false",
            "DYN_FBDIV_SEL": "false", "DYN_ODIV_SEL": "false", "CLKFB_SEL": "internal",
            "CLKOUT_BYPASS": "false"},
        clock="CLKIN", output="CLKOUT", lock="LOCK",
        constants={"CLKFB": 0, "RESET": 0, "RESET_P": 0, **({"VREN": 1} if regulated else {})})
