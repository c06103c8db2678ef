"""The PLL of the iCE40, ``SB_PLL40_PAD`` and ``SB_PLL40_CORE``."""

from __future__ import annotations

from collections.abc import Iterator

from bitwright.hw.families.part import Part
from bitwright.hw.families.pll import NoPll, Pad, Pll, Reference, distinct, megahertz

__all__ = ["solve"]

# Data sheets of the LP/HX (FPGA-DS-02029) and of the UltraPlus (FPGA-DS-02008), section "sysCLOCK
# PLL Timing": input and phase detector 10 to 133 MHz, VCO 533 to 1066 MHz, output 16 to 275 MHz.
_INPUT_HZ = _DETECTOR_HZ = (10_000_000, 133_000_000)
_VCO_HZ = (533_000_000, 1_066_000_000)
_OUTPUT_HZ = (16_000_000, 275_000_000)

# FPGA-TN-02052, "iCE40 sysCLOCK PLL Design and Usage Guide". It says that DIVF ends at 63, which is
# so for the other feedback paths only; with SIMPLE, all its seven bits count, as in icepll.
_DIVR, _DIVF, _DIVQ = range(16), range(128), range(1, 7)

_FILTER = ((17_000_000, 1), (26_000_000, 2), (44_000_000, 3), (66_000_000, 4), (101_000_000, 5))
"""FILTER_RANGE by what the phase detector stays below, as icepll has it; above all, 6."""

# FPGA-DS-02029, table of the family: "No PLL available on the 16 WLCSP, 36 ucBGA, 81 csBGA, 84 QFN,
# and 100 VQFP packages"; the LP384 has none at all. IceStorm found none on the 49 ucBGA, either.
_WITHOUT = {"iCE40LP384": None,
            "iCE40LP1K": frozenset({"SWG16TR", "CM36", "CM49", "CB81", "QN84"}),
            "iCE40HX1K": frozenset({"VQ100"})}

_PADS = {
    ("iCE40LP1K", "CM81"): ("H4",), ("iCE40LP1K", "CM121"): ("J5",),
    ("iCE40LP1K", "CB121"): ("L9",), ("iCE40HX1K", "CB132"): ("P7",),
    ("iCE40HX1K", "TQ144"): ("49",),
    ("iCE40LP4K", "CM81"): ("G4",), ("iCE40LP8K", "CM81"): ("G4",),  # the other is not bonded out
    **{(device, "CM121"): ("L5", "B6") for device in ("iCE40LP4K", "iCE40LP8K")},
    **{(device, "CM225"): ("N7", "D8") for device in ("iCE40LP4K", "iCE40LP8K", "iCE40HX8K")},
    **{(device, "CB132"): ("P7", "A6") for device in ("iCE40HX4K", "iCE40HX8K")},
    **{(device, "BG121"): ("L5", "B6") for device in ("iCE40HX4K", "iCE40HX8K")},
    ("iCE40HX4K", "TQ144"): ("49", "129"), ("iCE40HX8K", "CT256"): ("R9", "F7"),
    **{(device, "SG48"): ("35",) for device in ("iCE40UP3K", "iCE40UP5K", "iCE5LP1K", "iCE5LP2K",
                                                "iCE5LP4K")},
    **{(device, "UWG30"): ("B3",) for device in ("iCE40UP3K", "iCE40UP5K")},
}
"""The pin that belongs to each PLL of a part, from IceStorm's database.

The PLL's output takes the place of that pin's input. So the pin can feed its PLL and nothing else
(PAD), or the PLL is fed from inside (CORE) and the pin cannot be read.
"""

# An input without a register. Amaranth would put a global buffer behind it, which must not be.
_PAD = Pad("SB_IO", {"PIN_TYPE": 0b000001}, "PACKAGE_PIN", "D_IN_0")


def solve(part: Part, reference: Reference) -> tuple[Pll, ...]:
    """Every clock that the PLL makes; see :data:`hw.families.pll.Solver`."""
    pads = _pads(part)
    pad = reference.pin in pads
    if not pad and all(other in reference.inputs for other in pads):
        raise NoPll(f"{part.name} reads the pin of its PLL ({', '.join(pads)}) as an input")
    if not _INPUT_HZ[0] <= reference.hz <= _INPUT_HZ[1]:
        raise NoPll(f"the PLL of {part.name} takes 10 to 133 MHz, and the oscillator has "
                    f"{megahertz(reference.hz)} MHz")
    return distinct(_settings(reference.hz, pad))


def _pads(part: Part) -> tuple[str, ...]:
    if part.device in _WITHOUT:
        packages = _WITHOUT[part.device]
        if packages is None or part.package in packages:
            raise NoPll(f"{part.name} has no PLL")
    try:
        return _PADS[part.device, part.package]
    except KeyError:
        raise NoPll(f"nothing is known here of a PLL of {part.name}") from None


def _settings(hz: int, pad: bool) -> Iterator[Pll]:
    """Settings within the limits, those with the fastest phase detector first: its filter settles
    quicker."""
    for divr in _DIVR:
        detector = hz / (divr + 1)
        if not _DETECTOR_HZ[0] <= detector <= _DETECTOR_HZ[1]:
            continue
        filter_range = next((number for limit, number in _FILTER if detector < limit), 6)
        for divf in _DIVF:
            vco = hz * (divf + 1) / (divr + 1)
            if not _VCO_HZ[0] <= vco <= _VCO_HZ[1]:
                continue
            for divq in _DIVQ:
                if _OUTPUT_HZ[0] <= vco / 2**divq <= _OUTPUT_HZ[1]:
                    yield _pll(hz, pad, divr, divf, divq, filter_range)


def _pll(hz: int, pad: bool, divr: int, divf: int, divq: int, filter_range: int) -> Pll:
    return Pll(
        cell="SB_PLL40_PAD" if pad else "SB_PLL40_CORE",
        input_hz=hz, multiply=divf + 1, divide=(divr + 1) * 2**divq,
        parameters={"FEEDBACK_PATH": "SIMPLE", "PLLOUT_SELECT": "GENCLK", "DIVR": divr,
                    "DIVF": divf, "DIVQ": divq, "FILTER_RANGE": filter_range},
        clock="PACKAGEPIN" if pad else "REFERENCECLK", output="PLLOUTGLOBAL", lock="LOCK",
        constants={"RESETB": 1, "BYPASS": 0}, pad=_PAD if pad else None)
