"""Parts of components: registers in a row, registers that hold, queues."""

import pytest
from amaranth.hdl import Cat
from amaranth.lib import data

from bitwright.hw.rtl.core import _Hold
from bitwright.hw.rtl.parts.popcount import Count, popcount
from bitwright.hw.rtl.parts.queue import Queue
from bitwright.hw.rtl.parts.stages import Depth, Pipeline
from tests.hw.streams import simulate, sink


class Delay(Pipeline):
    """So many registers in a row; one that says another number than it has."""

    def __init__(self, registers, said):
        self._registers = registers
        super().__init__(8, 8, 1, said)

    def _payload(self, stages):
        values = [self.i.payload]
        for _ in range(self._registers):
            values = stages.register(values)
        return values[0]


def test_elaboration_must_agree_with_what_was_said():
    Delay(3, 3).elaborate(None)
    with pytest.raises(AssertionError, match=r"^Delay has a latency of 3, not 2$"):
        Delay(3, 2).elaborate(None)


@pytest.mark.parametrize("registers", [1, 2, 5])
def test_bubbles_are_filled_while_the_output_waits(registers):
    """As many vectors go in as there are registers, wherever they were when it stopped."""
    dut = Delay(registers, registers)
    taken, received = [], []

    async def bench(ctx):
        for gap in range(registers):  # a vector, and as many cycles of nothing as there were before
            ctx.set(dut.i.payload, gap)
            ctx.set(dut.i.valid, 1)
            _, _, ready = await ctx.tick().sample(dut.i.ready)
            taken.append(ready)
            ctx.set(dut.i.valid, 0)
            for _ in range(gap % 3):
                await ctx.tick()
        ctx.set(dut.i.valid, 1)
        await ctx.tick().repeat(registers)
        assert not ctx.get(dut.i.ready)
        ctx.set(dut.i.valid, 0)
        await sink(dut.o, registers, received)(ctx)

    simulate(dut, bench)
    assert taken == [1] * registers
    assert received == list(range(registers))


@pytest.mark.parametrize("interval", [1, 2, 3, 7])
@pytest.mark.parametrize("more", [0, 2])
def test_a_vector_is_held_for_exactly_the_interval(interval, more):
    """It is in the register from the next cycle on, and offered in the last one in which it is."""
    dut, seen = _Hold(8, interval), []

    async def bench(ctx):
        for cycle in range(6 * (interval + more)):
            first = cycle % (interval + more) == 0
            ctx.set(dut.i.valid, first)
            ctx.set(dut.i.payload, 1 + cycle // (interval + more) if first else 0)
            _, _, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            seen.append((valid, payload))

    simulate(dut, bench)
    for number in range(5):
        start = number * (interval + more)
        assert all(payload == number + 1 for _, payload in seen[start + 1 : start + interval + 1])
        offered = [cycle for cycle in range(start + 1, start + interval + more + 1)
                   if seen[cycle][0]]
        assert offered == [start + interval]


PLACES = [1, 2, 3, 7]


@pytest.mark.parametrize(("places", "gap"), [
    (places, gap) for places in PLACES for gap in (1, 2, 5) if gap > 1 or places > 2])
def test_a_queue_has_the_places_that_it_says(places, gap):
    """Filled to the last one while nothing is taken, cycle after cycle where it can."""
    dut, received = Queue(data.StructLayout({"a": 5, "b": 3}), places), []

    async def bench(ctx):
        for number in range(places):
            ctx.set(dut.i.payload.as_value(), number + 1)
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
            ctx.set(dut.i.valid, 0)
            for _ in range(gap - 1):
                await ctx.tick()
        await ctx.tick().repeat(5)
        await sink(dut.o, places, received, 0.3)(ctx)
        assert not ctx.get(dut.o.valid)

    simulate(dut, bench)
    assert received == list(range(1, places + 1))


@pytest.mark.parametrize("places", PLACES)
def test_a_queue_at_full_speed(places):
    """In and out every cycle, or every second one; as long inside as declared."""
    dut, pace = Queue(data.StructLayout({"a": 8}), places), 1 if places > 2 else 2
    given, received = [], []

    async def put(ctx):
        for number in range(20):
            ctx.set(dut.i.payload.as_value(), number)
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
            ctx.set(dut.i.valid, 0)
            for _ in range(pace - 1):
                await ctx.tick()

    simulate(dut, put, sink(dut.o, 20, received, log=given))
    assert received == list(range(20))
    assert given == [pace * number + min(places, 2) for number in range(20)]


@pytest.mark.parametrize("lut_size", [4, 6])
@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 7, 8, 31, 64, 100])
def test_a_popcount_is_as_deep_and_wide_as_it_is_said_to_be(bits, limit, lut_size):
    class Counter(Pipeline):
        def _payload(self, stages):
            count = popcount(stages, list(self.i.payload), lut_size)
            self.found = len(count)
            return Cat(stages.flush(count))

    depth = Depth(limit)
    count = Count.through(depth, bits, lut_size)
    depth.flush(count.width)
    dut = Counter(bits, count.width, limit, depth.latency)
    dut.elaborate(None)
    assert dut.found == count.width == bits.bit_length()
