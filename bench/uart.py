"""Bytes that the UART loses, by length of a bit and by how much the other side is off.

Bytes go back to back in bursts, in Amaranth's simulator; every burst begins at a random phase of
the clock. Towards the device a modelled host sends with bits of a wrong length, from the device a
modelled host samples in the middle of such bits.
"""

import argparse
import random

from amaranth.hdl import Module
from amaranth.sim import Simulator

from bitwright.hw.link.uart import UartReceiver, UartTransmitter

__all__ = ["lost_from_device", "lost_to_device", "main"]

CYCLES = (4, 5, 6, 7, 8, 12, 16, 32, 64)
SKEWS = (-0.045, -0.04, -0.035, -0.03, -0.025, -0.02, -0.01, 0.0,
         0.01, 0.02, 0.025, 0.03, 0.035, 0.04, 0.045)
BURST = 50  # bytes
PERIOD = 1e-6


def lost_to_device(cycles, skew, count, seed=0):
    """Bytes of ``count`` that a host sends and the device does not receive as they are.

    Parameters
    ----------
    cycles : int
        Clock cycles of a bit of the device.
    skew : float
        By how much the host's bits are longer: 0.01 for 1 %.
    count, seed : int
    """
    receiver = UartReceiver(cycles)
    rng = random.Random(seed)
    bit = cycles * PERIOD * (1 + skew)
    bursts = [rng.randbytes(min(BURST, count - start)) for start in range(0, count, BURST)]
    received = []

    async def send(ctx):
        for burst in bursts:
            await ctx.delay(rng.uniform(12, 14) * bit)
            received.append([])
            for byte in burst:
                for level in (0, *(byte >> place & 1 for place in range(8)), 1):
                    ctx.set(receiver.rx, level)
                    await ctx.delay(bit)
        await ctx.delay(2 * bit)

    async def listen(ctx):
        while True:
            await ctx.posedge(receiver.o.valid)
            received[-1].append(ctx.get(receiver.o.payload))

    _simulate(receiver, send, listen)
    return sum(map(_lost, bursts, received))


def lost_from_device(cycles, skew, count, seed=0):
    """Bytes of ``count`` that the device sends and a host does not receive as they are.

    Parameters as of :func:`lost_to_device`.
    """
    transmitter = UartTransmitter(cycles)
    rng = random.Random(seed)
    bit = cycles * PERIOD * (1 + skew)
    sent, received = rng.randbytes(count), []

    async def send(ctx):
        for byte in sent:
            ctx.set(transmitter.i.payload, byte)
            ctx.set(transmitter.i.valid, 1)
            if not ctx.get(transmitter.i.ready):
                await ctx.posedge(transmitter.i.ready)
            await ctx.tick()
        ctx.set(transmitter.i.valid, 0)
        await ctx.delay(12 * bit)

    async def listen(ctx):
        while True:
            await ctx.negedge(transmitter.tx)
            await ctx.delay(1.5 * bit)
            byte = 0
            for place in range(8):
                byte |= ctx.get(transmitter.tx) << place
                await ctx.delay(bit)
            if ctx.get(transmitter.tx):
                received.append(byte)

    _simulate(transmitter, send, listen)
    return _lost(sent, received)


def _lost(sent, received):
    """Bytes of ``sent`` that did not arrive; what arrived instead of them is not counted."""
    place = kept = 0
    for byte in sent:
        try:
            place = received.index(byte, place, place + 8) + 1
            kept += 1
        except ValueError:
            pass
    return len(sent) - kept


def _simulate(dut, work, background):
    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(work)
    simulator.add_testbench(background, background=True)
    simulator.run()


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.uart", description=__doc__)
    parser.add_argument("--bytes", metavar="N", type=int, default=1000,
                        help="bytes a cell (default: %(default)s)")
    args = parser.parse_args(argv)
    for title, lost in (("to the device", lost_to_device), ("from the device", lost_from_device)):
        print(f"Bytes lost of {args.bytes:,} {title}, by cycles of a bit and the host's deviation "
              "in the length of a bit:\n")
        print("| cycles |", *(f"{100 * skew:+.1f} % |" for skew in SKEWS), "widest without loss |")
        print("|---" * (len(SKEWS) + 2) + "|")
        for cycles in CYCLES:
            found = [lost(cycles, skew, args.bytes, seed) for seed, skew in enumerate(SKEWS)]
            print(f"| {cycles} |", *(f"{one} |" for one in found), f"{_widest(found)} |",
                  flush=True)
        print()


def _widest(found):
    """Deviations around 0 that lose nothing."""
    middle = low = high = SKEWS.index(0.0)
    assert not found[middle], "bytes are lost without any deviation"
    while low and not found[low - 1]:
        low -= 1
    while high < len(SKEWS) - 1 and not found[high + 1]:
        high += 1
    return f"{100 * SKEWS[low]:+.1f} % to {100 * SKEWS[high]:+.1f} %"


if __name__ == "__main__":
    main()
