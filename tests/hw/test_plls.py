"""Every setting of a PLL is within the vendor's limits, and none is missing: against a naive search
over all that the cell can be set to."""

import dataclasses
import itertools
import re
from fractions import Fraction
from types import SimpleNamespace

import pytest

from bitwright.hw.families.pll import NoPll, Reference, fastest, megahertz, nearest
from bitwright.hw.families.plls import ecp5, gatemate, gowin, ice40, nexus

MHZ = 1_000_000


def part(device, package="", speed=""):
    return SimpleNamespace(name=f"{device}-{package}".rstrip("-"), device=device, package=package,
                           speed=speed)


UP5K = part("iCE40UP5K", "SG48")


def outputs(found):
    return [pll.output_hz for pll in found]


@pytest.mark.parametrize("hz", [10 * MHZ, 12 * MHZ, 16 * MHZ, 25 * MHZ, 48 * MHZ, 100 * MHZ,
                                133 * MHZ])
def test_ice40(hz):
    found = ice40.solve(UP5K, Reference(hz, "35"))
    naive = set()
    for divr, divf, divq in itertools.product(range(16), range(128), range(8)):
        detector = Fraction(hz, divr + 1)
        vco = detector * (divf + 1)
        output = vco / 2**divq
        if (10 * MHZ <= detector <= 133 * MHZ and 533 * MHZ <= vco <= 1066 * MHZ
                and 16 * MHZ <= output <= 275 * MHZ and 1 <= divq <= 6):
            naive.add(output)
    assert outputs(found) == sorted(naive)
    for pll in found:
        settings = pll.parameters
        assert pll.output_hz == Fraction(hz * (settings["DIVF"] + 1),
                                         (settings["DIVR"] + 1) * 2 ** settings["DIVQ"])


@pytest.mark.parametrize(("detector_mhz", "number"), [
    (10, 1), (16.9, 1), (17, 2), (25.9, 2), (26, 3), (44, 4), (66, 5), (101, 6), (133, 6)])
def test_filter_of_the_ice40(detector_mhz, number):
    """As icepll chooses it."""
    found = ice40.solve(UP5K, Reference(round(detector_mhz * MHZ), "35"))
    assert {pll.parameters["FILTER_RANGE"] for pll in found
            if pll.parameters["DIVR"] == 0} == {number}


@pytest.mark.parametrize("hz", [10 * MHZ, 12 * MHZ, 25 * MHZ, 48 * MHZ])
def test_ecp5(hz):
    found = ecp5.solve(part("LFE5U-25F"), Reference(hz))
    naive = set()
    for input_divider in range(1, 129):
        detector = Fraction(hz, input_divider)
        if not 10 * MHZ <= detector <= 400 * MHZ:
            continue
        # The feedback's divider times that of the output which is led back.
        for multiple in {one * other for one in range(1, 81) for other in range(1, 129)}:
            vco = detector * multiple
            if 400 * MHZ <= vco <= 800 * MHZ:
                naive |= {vco / divider for divider in range(1, 129)
                          if 3.125 * MHZ <= vco / divider <= 400 * MHZ}
    assert outputs(found) == sorted(naive)
    for pll in found[::97]:
        settings = pll.parameters
        vco = Fraction(hz * settings["CLKFB_DIV"] * settings["CLKOP_DIV"], settings["CLKI_DIV"])
        assert pll.output_hz == vco / settings["CLKOS_DIV"]
        assert 400 * MHZ <= vco <= 800 * MHZ


@pytest.mark.parametrize(("device", "speed", "limits"), [
    ("GW1N-1", "C6/I5", (400, 900, 3.125, 450)),
    ("GW1NR-9C", "C6/I5", (400, 1200, 3.125, 600)),
    ("GW1NR-9", "C6/I5", (400, 1000, 3.125, 500)),
    ("GW2AR-18C", "C8/I7", (500, 1250, 3.90625, 625)),
    ("GW2A-18", "C7/I6", (500, 1000, 3.90625, 500)),
])
def test_gowin(device, speed, limits):
    hz = 27 * MHZ
    vco_min, vco_max, least, most = limits
    found = gowin.solve(part(device, speed=speed), Reference(hz))
    naive = set()
    for idiv, fbdiv in itertools.product(range(64), range(64)):
        output = Fraction(hz * (fbdiv + 1), idiv + 1)
        if hz / (idiv + 1) < 3 * MHZ or not least * MHZ < output <= most * MHZ:
            continue
        if any(vco_min * MHZ <= output * divider <= vco_max * MHZ for divider in (
                2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)):
            naive.add(output)
    assert outputs(found) == sorted(naive)
    for pll in found:
        assert vco_min * MHZ <= pll.output_hz * pll.parameters["ODIV_SEL"] <= vco_max * MHZ
        assert pll.parameters["FCLKIN"] == "27"


def test_gatemate():
    """As nextpnr's own search goes over the dividers, in its order and with its conditions."""
    hz = 10 * MHZ
    found = gatemate.solve(part("CCGM1A1"), Reference(hz))
    inside = set()
    for n1, n2 in itertools.product(range(1, 65), range(1, 1025)):
        dco = 2 * hz * n1 * n2
        if 1250 * MHZ < dco <= 2500 * MHZ and dco / 2 / n1 <= 1666.67 * MHZ / 2:
            inside.add(dco)
    naive = set()
    for dco, m2 in itertools.product(inside, range(1, 1025)):
        for m1 in (1, 2):
            output = Fraction(dco, 4 * m1 * m2)
            if ((m1 * m2) % 2 and m1 * m2 != 1) or dco / 2 / m1 > 1666.67 * MHZ / 2:
                continue
            if MHZ <= output <= 416.67 * MHZ and output % 100 == 0:
                naive.add(output)
    assert outputs(found) == sorted(naive)
    for pll in found:
        assert Fraction(pll.parameters["OUT_CLK"]) * MHZ == pll.output_hz
        assert pll.parameters["REF_CLK"] == "10.0000"


def test_the_cell_is_the_one_of_the_pin_and_of_the_device():
    def cell(solver, *arguments):
        return solver.solve(*arguments)[0].cell

    assert cell(ice40, UP5K, Reference(12 * MHZ, "35")) == "SB_PLL40_PAD"
    assert cell(ice40, UP5K, Reference(12 * MHZ, "20")) == "SB_PLL40_CORE"
    assert cell(ice40, UP5K, Reference(12 * MHZ, None)) == "SB_PLL40_CORE"
    assert cell(ice40, part("iCE40HX4K", "TQ144"), Reference(100 * MHZ, "129")) == "SB_PLL40_PAD"
    nine = Reference(27 * MHZ)
    assert cell(gowin, part("GW1NR-9C", speed="C6/I5"), nine) == "rPLL"
    assert cell(gowin, part("GW1NSR-4C", speed="C6/I5"), nine) == "PLLVR"


@pytest.mark.parametrize(("solver", "of", "reference", "message"), [
    (ice40, part("iCE40LP384", "SG32"), Reference(12 * MHZ), "iCE40LP384-SG32 has no PLL"),
    (ice40, part("iCE40HX1K", "VQ100"), Reference(25 * MHZ), "iCE40HX1K-VQ100 has no PLL"),
    (ice40, part("iCE40LP1K", "CM36"), Reference(12 * MHZ), "iCE40LP1K-CM36 has no PLL"),
    (ice40, part("iCE40XX", "A1"), Reference(12 * MHZ),
     "nothing is known here of a PLL of iCE40XX-A1"),
    (ice40, UP5K, Reference(3_300_000, "20"),
     "the PLL of iCE40UP5K-SG48 takes 10 to 133 MHz, and the oscillator has 3.3 MHz"),
    (ice40, UP5K, Reference(12 * MHZ, "20", frozenset({"35", "6"})),
     "iCE40UP5K-SG48 reads the pin of its PLL (35) as an input"),
    (ecp5, part("LFE5U-25F"), Reference(8 * MHZ),
     "the PLL of LFE5U-25F takes 10 to 400 MHz, and the oscillator has 8 MHz"),
    (gowin, part("GW5A-25", speed="C1/I0"), Reference(50 * MHZ),
     "nothing is known here of a PLL of GW5A-25"),
    (gowin, part("GW1N-1", speed="C6/I5"), Reference(2 * MHZ),
     "the PLL of GW1N-1 takes 3 to 400 MHz, and the oscillator has 2 MHz"),
    (nexus, part("LIFCL-40"), Reference(12 * MHZ),
     "the PLL of LIFCL-40 takes 18 to 500 MHz, and the oscillator has 12 MHz"),
    (nexus, part("LIFCL-40"), Reference(25 * MHZ),
     "how the loop filter of the PLL of LIFCL-40 is to be set is not known here"),
    (gatemate, part("CCGM1A1"), Reference(100 * MHZ),
     "the PLL of CCGM1A1 takes 5 to 50 MHz, and the oscillator has 100 MHz"),
])
def test_why_there_is_none(solver, of, reference, message):
    with pytest.raises(NoPll, match=f"^{re.escape(message)}$"):
        solver.solve(of, reference)


def test_one_pll_of_two_is_enough():
    """Where the pin of one PLL is read, the other is taken."""
    both = part("iCE40HX8K", "CT256")
    assert ice40.solve(both, Reference(12 * MHZ, "J3", frozenset({"R9"})))
    with pytest.raises(NoPll):
        ice40.solve(both, Reference(12 * MHZ, "J3", frozenset({"R9", "F7"})))


def test_nearest_and_fastest():
    found = ice40.solve(UP5K, Reference(12 * MHZ, "35"))
    assert nearest(found, 24e6).output_hz == 24 * MHZ
    assert nearest(found, 1e9).output_hz == found[-1].output_hz
    assert nearest([], 24e6) is None
    assert fastest(found, 24e6).output_hz == 24 * MHZ
    assert fastest(found, 23_999_999).output_hz == 23_625_000
    assert fastest(found, 16e6) is None
    middle = (found[0].output_hz + found[1].output_hz) / 2
    assert nearest(found, float(middle)).output_hz == found[0].output_hz


@pytest.mark.parametrize(("hertz", "text"), [
    (12e6, "12"), (28_125_000, "28.125"), (Fraction(600 * MHZ, 7), "85.714286"), (1, "0.000001")])
def test_frequencies_for_people(hertz, text):
    assert megahertz(hertz) == text


def test_settings_are_records():
    """Two solutions are equal, so that a build is found done."""
    first, second = (ice40.solve(UP5K, Reference(12 * MHZ, "35")) for _ in range(2))
    assert first == second
    assert dataclasses.replace(first[0], multiply=1) != first[0]
