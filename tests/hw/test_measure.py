"""What is expected of a build and what it measures, under the same names."""

import pytest

from bitwright import boards
from bitwright.errors import UsageError
from bitwright.form import Form
from bitwright.hw import families
from bitwright.hw.flow import measure as module
from bitwright.hw.flow.estimate import Estimated, estimate
from bitwright.hw.flow.fit import Candidate, MisfitError, Wish
from bitwright.hw.flow.measure import expect, measure, option
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rtl.layers import asked as planned
from tests.hw.tiny import tiny

BOARD = boards.get("icebreaker")


def candidate(luts):
    return Candidate("unrolled", Plan(), Estimated({"core": luts}, 0, 0, 20.0, 5, 10),
                     BOARD, Wish(1000.0))


def test_with_a_rate_it_is_the_plan_that_reaches_it_or_the_nearest(monkeypatch):
    monkeypatch.setattr(module, "choose_plan", lambda *_: (candidate(100), ""))
    assert expect(tiny(), "icebreaker", 1000.0) == {
        "luts": 100.0, "fmax_mhz": 20.0, "per_second": 2e6, "fits": 1.0}

    def misfit(*_):
        raise MisfitError("none", candidate(5280))

    monkeypatch.setattr(module, "choose_plan", misfit)
    assert expect(tiny(), "icebreaker", 1000.0) == {
        "luts": 5280.0, "fmax_mhz": 20.0, "per_second": 2e6, "fits": 0.0}


def test_a_rate_needs_a_device():
    with pytest.raises(UsageError, match=(
            r"^xilinx: a rate is reached on a device; name a board or a part$")):
        expect(tiny(), "xilinx", 1000.0)


@pytest.mark.parametrize("target", ["xilinx", "icebreaker"])
def test_a_form_is_what_the_options_of_a_build_make(target):
    family = BOARD.family if target == "icebreaker" else families.get(target)
    plan = planned(Plan(lut_size=family.lut_size), tiny(), parallel=True, serial=2,
                   gated=family.gated)
    found = estimate(tiny(), plan, family, BOARD if target == "icebreaker" else None)
    assert found.total != expect(tiny(), target)["luts"]
    assert expect(tiny(), target, form=Form(parallel=True, serial_head=2))["luts"] == found.total


def test_a_part_is_a_target():
    """That of a board is estimated as the board is."""
    part = BOARD.part.name
    for rate in (None, 1000.0):
        assert expect(tiny(), part, rate) == expect(tiny(), "icebreaker", rate)
    with pytest.raises(boards.BoardError, match=r"^icebraker: no such board; "):
        expect(tiny(), "icebraker")


@pytest.mark.parametrize(("target", "found"), [
    ("xilinx", "--target"), ("ice40", None), ("icebreaker", "--board"),
    ("LFE5U-25F-6BG381C", "--part")])
def test_the_option_of_a_build_that_names_a_target(target, found):
    assert option(target) == found


def test_a_form_that_does_not_do():
    with pytest.raises(UsageError, match=(
            r"^a rate of 1000 chooses the form by itself: leave out the rate, or parallel$")):
        expect(tiny(), "icebreaker", 1000.0, Form(parallel=True))
    with pytest.raises(PlanError, match=r"^Network has no node that can be streamed$"):
        expect(tiny(), "xilinx", form=Form(streamed=True))


def test_a_build_says_the_same_of_the_real_thing(monkeypatch, tmp_path):
    asked = []

    def build(name, network, options):
        asked.append((options.target, options.stop_after, options.plan, options.out))
        return {"resources": {"total": {"luts": 90}},
                "timing": {"fmax_hz": None if options.board is None else 25e6},
                "throughput": {"ip": {"per_second_at_clock": 2.4e6}}}, False

    monkeypatch.setattr(module, "build", build)
    monkeypatch.setattr(module, "choose_plan", lambda *_: (candidate(100), ""))
    assert measure(tiny(), "icebreaker", 1000.0, out=tmp_path) == {
        "luts": 90.0, "fmax_mhz": 25.0, "per_second": 2.4e6}
    assert measure(tiny(), "xilinx", out=tmp_path) == {"luts": 90.0}
    measure(tiny(), "ice40", form=Form(serial_head=2), out=tmp_path)
    assert asked == [("icebreaker", "route", Plan(), tmp_path),
                     ("xilinx", "synth", Plan(lut_size=6), tmp_path),
                     ("ice40", "synth", planned(Plan(), tiny(), serial=2, gated=False), tmp_path)]
