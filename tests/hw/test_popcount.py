"""Counting bits and comparing the count, exhaustively for small widths."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream
from amaranth.sim import Simulator

from bitwright.hw.rtl.parts.popcount import at_least, popcount
from bitwright.hw.rtl.parts.stages import Stages


@pytest.mark.parametrize("lut_size", [4, 6])
@pytest.mark.parametrize("width", range(1, 10))
def test_every_input_of_small_widths(width, lut_size):
    """Three counters side by side: of the bits, of their complements, and of none."""
    x, total = Signal(width), Signal(12)
    compared = [Signal(3) for _ in range(width + 2)]
    m = Module()
    stages = Stages(m, stream.Signature(1).create(), limit=1000)
    count = popcount(stages, [Cat(bit, ~bit, Const(0, 1)) for bit in x], lut_size)
    assert len(count) == width.bit_length()
    m.d.comb += total.eq(Cat(Cat(Cat(*(slice_[k] for slice_ in count), Const(0, 4))[:4])
                             for k in range(3)))
    for threshold, reached in enumerate(compared):
        m.d.comb += reached.eq(at_least(stages, count, [threshold] * 3))
    assert stages.latency == 0

    async def bench(ctx):
        for value in range(1 << width):
            ctx.set(x, value)
            await ctx.delay(1e-9)
            ones = value.bit_count()
            counts = (ones, width - ones, 0)
            assert ctx.get(total) == counts[0] | counts[1] << 4 | counts[2] << 8
            for threshold, reached in enumerate(compared):
                assert ctx.get(reached) == sum((n >= threshold) << k
                                               for k, n in enumerate(counts))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("lut_size", [4, 6])
@pytest.mark.parametrize("width", [12, 13, 31, 64, 100])
def test_wide_counts(width, lut_size):
    rng = np.random.default_rng(width)
    x, total = Signal(width), Signal(width.bit_length())
    m = Module()
    stages = Stages(m, stream.Signature(1).create(), limit=1000)
    m.d.comb += total.eq(Cat(popcount(stages, list(x), lut_size)))
    values = [0, (1 << width) - 1]
    values += [sum(int(bit) << i for i, bit in enumerate(rng.random(width) < share))
               for share in np.linspace(0, 1, 60)]

    async def bench(ctx):
        for value in values:
            ctx.set(x, value)
            await ctx.delay(1e-9)
            assert ctx.get(total) == value.bit_count()

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
