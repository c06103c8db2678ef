"""A design that a PLL clocks waits for it."""

import gc

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from bitwright import boards
from bitwright.hw.families.pll import nearest
from bitwright.hw.flow.clocking import Hold, plls
from bitwright.hw.flow.wrap import prepare

HERTZ = 1e6


def test_in_reset_until_it_has_settled_and_again_when_the_lock_is_lost():
    m, stable = Module(), Signal()
    m.submodules.hold = hold = Hold(stable, HERTZ)
    after = round(15e-6 * HERTZ)

    async def bench(ctx):
        async def cycles_until(level):
            count = 0
            while ctx.get(hold.ready) != level:
                ctx.set(hold.clock, 1)
                await ctx.delay(0.5e-6)
                ctx.set(hold.clock, 0)
                await ctx.delay(0.5e-6)
                count += 1
                assert count < 100
            return count

        for _ in range(40):
            ctx.set(hold.clock, 1)
            await ctx.delay(0.5e-6)
            ctx.set(hold.clock, 0)
            await ctx.delay(0.5e-6)
            assert not ctx.get(hold.ready)
        ctx.set(stable, 1)
        assert await cycles_until(1) == 2 + after + 1  # the synchroniser, and one to say it
        ctx.set(stable, 0)
        assert await cycles_until(0) == 3
        ctx.set(stable, 1)
        assert await cycles_until(1) == 2 + after + 1

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


class Echo(wiring.Component):
    def __init__(self):
        super().__init__({"rx": In(1), "tx": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.tx.eq(self.rx)
        return m


@pytest.mark.parametrize(("name", "cell", "clock"), [
    ("icebreaker", "SB_PLL40_PAD", "clk12_0__io"),
    ("icestick", "SB_PLL40_CORE", "clk12_0__io"),
    ("ulx3s-25f", "EHXPLLL", "clk25_0__io"),
])
def test_a_design_with_a_pll(name, cell, clock):
    """Its register is reset by the hold, whatever the family; the constraint stays the
    oscillator's."""
    board = boards.get(name)
    pll = nearest(plls(board), 24e6)
    made = prepare(Echo(), board, pll)
    assert made.rtlil.count(f"cell \\{cell} ") == 1
    for parameter in pll.parameters:
        assert f"parameter \\{parameter} " in made.rtlil or (
            f"parameter signed \\{parameter} " in made.rtlil)
    assert made.ports["clk"] == clock
    line = next(line for line in made.constraints.splitlines() if "requency" in line.lower())
    assert clock in line
    assert f"{board.clock_hz / 1e6:g}" in line
    assert "\\hold" in made.rtlil
    assert prepare(Echo(), board, pll) == made
    without = prepare(Echo(), board)
    assert cell not in without.rtlil
    gc.collect()
