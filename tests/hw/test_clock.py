"""Which clock a design gets: the fastest that is proven, or the one that was asked for."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest

from bitwright import boards
from bitwright.errors import UsageError
from bitwright.hw.families.pll import Clock, NoPll
from bitwright.hw.flow import clock
from bitwright.hw.flow.clock import Clocks
from bitwright.hw.rate import FEWEST_CYCLES

BOARD = boards.get("icebreaker")


def searched(clocks, *reached):
    """The clock that is found where these frequencies are reached, and the clocks that were
    tried."""
    tried, left = [], [mhz * 1e6 for mhz in reached]

    def attempt(one):
        tried.append(float(one.exact_hz) / 1e6)
        return left.pop(0)

    found = clocks.search(attempt)
    assert not left
    return float(found.exact_hz) / 1e6, tried


def test_only_clocks_that_the_rate_divides():
    clocks = Clocks(BOARD, 1_000_000)
    assert clocks.why is None
    assert clocks.oscillator == clocks.first == Clock(12_000_000)
    for pll in clocks.settings:
        cycles = round(pll.output_hz / 1_000_000)
        assert cycles >= FEWEST_CYCLES
        assert abs(pll.output_hz / cycles / 1_000_000 - 1) <= Fraction(1, 100)
    outputs = [float(pll.output_hz) / 1e6 for pll in clocks.settings]
    assert 24 in outputs
    assert 24.375 not in outputs  # 1.6 % off
    assert len(Clocks(BOARD, 9600).settings) > len(outputs)


def test_the_fastest_that_is_reached():
    """3 % below what was reached with the oscillator, and it is proven."""
    assert searched(Clocks(BOARD, 1_000_000), 28.0, 27.5) == (27.0, [12.0, 27.0])


def test_one_that_is_missed_is_stepped_down_from():
    assert searched(Clocks(BOARD, 1_000_000), 28.0, 26.9, 26.5) == (25.875, [
        12.0, 27.0, 25.875])


def test_it_ends_where_nothing_more_is_reached():
    """Each step is below the last, whatever is reached; the oscillator's clock is proven."""
    clocks = Clocks(BOARD, 1_000_000)
    assert searched(clocks, 18.6, 17.9, 16.2) == (12.0, [12.0, 18.0, 16.875])
    assert searched(clocks, 16.5) == (12.0, [12.0])


def test_an_oscillator_that_is_too_fast_is_divided():
    fast = boards.get("blackice")
    assert fast.clock_hz == 100_000_000
    found, tried = searched(Clocks(fast, 1_000_000), 41.0, 40.5)
    assert tried[0] == 100.0
    assert found == tried[1] < 41.0 * 0.97


def test_nothing_is_reached():
    """The first is what the build fails with."""
    assert searched(Clocks(boards.get("blackice"), 1_000_000), 15.0) == (100.0, [100.0])


def test_no_pll():
    clocks = Clocks(boards.get("nandland-go"), 1_000_000)
    assert clocks.why == "iCE40HX1K-VQ100 has no PLL"
    assert searched(clocks, 90.0) == (25.0, [25.0])
    assert clocks.asked(25e6) == Clock(25_000_000)


def test_no_pll_is_known_of_the_family(monkeypatch):
    def none(board):
        raise NoPll("a reason")

    monkeypatch.setattr(clock, "plls", none)
    assert Clocks(BOARD, 1_000_000).why == "a reason"


@pytest.mark.parametrize(("wanted", "found"), [
    (12, 12), (24, 24), (24.5, 24.75), (25.4, 25.125), (1, 12), (13, 12),
    (1000, 270)])
def test_asked(wanted, found):
    assert float(Clocks(BOARD, 1_000_000).asked(wanted * 1e6).exact_hz) == found * 1e6


def test_a_clock_that_the_board_has_not():
    message = ("--freq 30: nandland-go runs at its oscillator's 25 MHz only: iCE40HX1K-VQ100 has "
               "no PLL")
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        Clocks(boards.get("nandland-go"), 1_000_000).asked(30e6)


def test_a_rate_that_only_a_pll_makes():
    """12 MHz has three cycles for a bit of 4 Mbaud."""
    clocks = Clocks(BOARD, 4_000_000)
    assert clocks.first.pll is not None
    assert clocks.first.hz == 16.125e6
    assert clocks.asked(12e6) == clocks.first


def test_a_rate_that_no_clock_makes():
    message = ("--baud 7000000: Baud rate must be a fraction of the clock of 2.5e+07 Hz, at most a "
               "quarter and within 2 %, not 7e+06")
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        Clocks(boards.get("nandland-go"), 7_000_000)


def test_names_are_folders():
    pll = Clocks(BOARD, 1_000_000).asked(24e6)
    assert (pll.name, Clock(12_000_000).name) == ("24MHz", "oscillator")
    third = replace(pll.pll, multiply=7, divide=3)
    assert Clock(12_000_000, third).name == "28MHz"
