"""What is expected of a build and what it measures, under the same names."""

import pytest

from bitwright import boards
from bitwright.errors import UsageError
from bitwright.hw.flow import measure as module
from bitwright.hw.flow.estimate import Estimated
from bitwright.hw.flow.fit import Candidate, MisfitError, Wish
from bitwright.hw.flow.measure import expect, measure
from bitwright.hw.plan import Plan
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
    assert asked == [("icebreaker", "route", Plan(), tmp_path),
                     ("xilinx", "synth", Plan(lut_size=6), tmp_path)]
