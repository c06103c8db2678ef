"""Counts of carry chains, and comparisons with constants, in LUTs of every size."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.sim import Simulator

from bitwright.hw.rtl.parts.chains import Chains
from bitwright.hw.rtl.parts.comparators import Comparators
from bitwright.hw.rtl.parts.stages import Depth, Stages


def answers(m, x, y, values):
    """What ``y`` is for each value of ``x``, once registers have settled."""
    found = []

    async def bench(ctx):
        for value in values:
            ctx.set(x, value)
            await ctx.tick().repeat(2)
            found.append(ctx.get(y))

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def staged(limit=1000):
    """A module, and stages in it whose registers take something every cycle."""
    m = Module()
    i = stream.Signature(1).create()
    m.d.sync += Signal().eq(1)
    return m, Stages(m, i, limit)


@pytest.mark.parametrize("width", [*range(1, 10), 13, 31, 50, 100])
def test_counts(width):
    """Two counters: of the bits, and of their complements."""
    rng = np.random.default_rng(width)
    values = list(range(1 << width)) if width < 7 else [
        0, (1 << width) - 1, *(sum(int(bit) << place for place, bit in enumerate(
            rng.random(width) < share)) for share in np.linspace(0, 1, 60))]
    x, y = Signal(width), Signal(16)
    m, stages = staged()
    counts = Chains(width).build(stages, [list(x), [~bit for bit in x]])
    assert [len(count) for count in counts] == 2 * [width.bit_length()]
    m.d.comb += [y[:8].eq(counts[0]), y[8:].eq(counts[1])]
    assert answers(m, x, y, values) == [
        value.bit_count() | (width - value.bit_count()) << 8 for value in values]


@pytest.mark.parametrize(("width", "luts"), [(1, 0), (2, 2), (6, 3), (7, 3), (50, 37), (100, 80)])
def test_luts_of_counts(width, luts):
    """Those that Yosys makes of them for a Xilinx device: 50 bits of compressors are 56."""
    assert Chains(width).luts == luts


@pytest.mark.parametrize("width", [7, 50, 100])
@pytest.mark.parametrize("levels", [1, 2, 4])
def test_registers_of_counts_are_those_that_are_told(width, levels):
    _, stages = staged(levels)
    counts = Chains(width).build(stages, 3 * [list(Signal(width))])
    depth = Depth(levels)
    Chains(width).measure(depth, 3)
    assert stages.latency == depth.latency
    assert len(stages.flush(counts)) == 3


@pytest.mark.parametrize("lut_size", [4, 5, 6])
@pytest.mark.parametrize("bits", [1, 2, 5, 8])
def test_every_comparison(bits, lut_size):
    thresholds = range(1, 1 << bits)
    comparators = Comparators([(0, threshold) for threshold in thresholds], bits, lut_size)
    assert all(len(block.inputs) <= lut_size for blocks in comparators.levels for block in blocks)
    x, y = Signal(bits), Signal(len(thresholds))
    m, stages = staged()
    m.d.comb += y.eq(Cat(comparators.build(stages, [x])))
    assert answers(m, x, y, range(1 << bits)) == [(1 << value) - 1 for value in range(1 << bits)]


@pytest.mark.parametrize(("thresholds", "lut_size", "luts"), [
    ([128], 6, 0), ([64], 6, 1), ([64, 192], 4, 2), ([4], 6, 1), ([2], 6, 2), ([77], 6, 2),
    ([77], 4, 3), ([8], 4, 2), ([13, 45], 6, 3), ([77, 77], 6, 2)])
def test_luts_of_comparisons(thresholds, lut_size, luts):
    """Only bits from the lowest 1 of a threshold upwards count, and equal low bits are shared."""
    assert Comparators([(0, one) for one in thresholds], 8, lut_size).luts == luts
