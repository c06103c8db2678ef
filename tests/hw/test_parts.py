"""Parts of components: registers in a row, registers that hold, queues."""

import re

import pytest
from amaranth.hdl import Cat
from amaranth.lib import data

from bitwright.hw.contents import Contents
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.core import Core, _Hold
from bitwright.hw.rtl.encoder import Encoder
from bitwright.hw.rtl.head import Argmax, Head
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import Choice
from bitwright.hw.rtl.layers.xnor import XnorLayer
from bitwright.hw.rtl.parts.popcount import Count, popcount
from bitwright.hw.rtl.parts.queue import Queue
from bitwright.hw.rtl.parts.stages import Depth, Pipeline
from bitwright.hw.rtl.parts.store import Loader, Store
from tests.hw.streams import simulate, sink
from tests.networks import network


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


NETWORK, OTHER = network(0), Plan()
WRONG = {
    "Ip": lambda: Ip(OTHER, OTHER), "AxiIp": lambda: AxiIp(OTHER, OTHER),
    "Core": lambda: Core(OTHER, OTHER), "Head": lambda: Head(OTHER, OTHER),
    "Contents": lambda: Contents(OTHER, OTHER),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_network_is_refused(name):
    with pytest.raises(TypeError, match=r"^Network must be of the type Network, not Plan\(.*\)$"):
        WRONG[name]()


@pytest.mark.parametrize(("build", "message"), [
    (lambda: Ip(NETWORK, 1), "Plan must be of the type Plan, not 1"),
    (lambda: Core(NETWORK, 1), "Plan must be of the type Plan, not 1"),
    (lambda: Head(NETWORK, 1), "Plan must be of the type Plan, not 1"),
    (lambda: Encoder(1, 1, 1), "Modulate must be of the type Modulate, not 1"),
    (lambda: Encoder(NETWORK.modulate, 1, 1), "Plan must be of the type Plan, not 1"),
    (lambda: Argmax(8, OTHER), "Layout must be of the type ArrayLayout, not 8"),
    (lambda: Store(8), "Table must be of the type Table, not 8"),
    (lambda: Loader([8]), "Table must be of the type Table, not 8"),
    (lambda: Queue(8, True), "Places must be of the type int, not True"),
    (lambda: _Hold(8, 1.0), "Interval must be of the type int, not 1.0"),
    (lambda: Choice(NETWORK.modulate, XnorLayer, XnorLayer.Settings(), OTHER),
     "XnorLayer realises no Modulate"),
    (lambda: Choice(NETWORK.head, XnorLayer, 3, OTHER),
     "Settings must be of the type NoSettings, not 3"),
])
def test_wrong_types_are_refused(build, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        build()
