"""Drivers and monitors of streams for Amaranth's simulator."""

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

PERIOD = 1e-6


def simulate(dut, *benches, background=(), cycles=200_000):
    """Run test benches to their end, and fail when they do not get there."""
    m = Module()
    m.submodules.dut = dut
    m.d.sync += Signal().eq(1)  # a combinational design has no clock domain of its own
    simulator = Simulator(m)
    simulator.add_clock(PERIOD)
    pending = set(range(len(benches)))

    def watched(index, bench):
        async def run(ctx):
            await bench(ctx)
            pending.discard(index)
        return run

    async def deadline(ctx):
        for _ in range(cycles):
            await ctx.tick()
            if not pending:
                return
        raise AssertionError(f"still running after {cycles} cycles")

    for index, bench in enumerate(benches):
        simulator.add_testbench(watched(index, bench), background=True)
    for bench in background:
        simulator.add_testbench(bench, background=True)
    simulator.add_testbench(deadline)
    simulator.run()


def source(stream, payloads, stall=0.0, seed=0, log=None):
    """Bench that offers payloads, idle before each with a probability of ``stall``.

    ``log`` collects the cycle in which each was taken.
    """
    rng = np.random.default_rng(seed)

    async def bench(ctx):
        cycle = 0
        for payload in payloads:
            while rng.random() < stall:
                ctx.set(stream.valid, 0)
                await ctx.tick()
                cycle += 1
            ctx.set(stream.payload, payload)
            ctx.set(stream.valid, 1)
            taken = False
            while not taken:
                _, _, taken = await ctx.tick().sample(stream.ready)
                cycle += 1
            if log is not None:
                log.append(cycle - 1)
        ctx.set(stream.valid, 0)
    return bench


def sink(stream, count, received, stall=0.0, seed=1, log=None):
    """Bench that takes ``count`` payloads into ``received`` as integers.

    Not ready with a probability of ``stall``; checks that valid and payload hold until taken.
    """
    rng = np.random.default_rng(seed)
    payload = getattr(stream.payload, "as_value", lambda: stream.payload)()

    async def bench(ctx):
        offered, cycle = None, 0
        while len(received) < count:
            ready = rng.random() >= stall
            ctx.set(stream.ready, ready)
            _, _, valid, value = await ctx.tick().sample(stream.valid, payload)
            if offered is not None:
                assert valid, "valid fell before the payload was taken"
                assert value == offered, "payload changed before it was taken"
            offered = value if valid and not ready else None
            if valid and ready:
                received.append(value)
                if log is not None:
                    log.append(cycle)
            cycle += 1
        ctx.set(stream.ready, 0)
    return bench
