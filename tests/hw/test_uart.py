"""The serial line, byte by byte, at every length of a bit."""

import re

import pytest
from amaranth.hdl import Module

from bench.uart import lost_from_device, lost_to_device
from bitwright.hw.link.uart import UartReceiver, UartTransmitter
from bitwright.hw.rate import divisor
from tests.hw.streams import simulate, source


@pytest.mark.parametrize("skew", [-0.02, 0.0, 0.02])
@pytest.mark.parametrize("cycles", [4, 5, 6, 7, 12, 64])
def test_no_byte_is_lost_back_to_back(cycles, skew):
    count = 100 if cycles < 64 else 30
    assert lost_to_device(cycles, skew, count) == 0
    assert lost_from_device(cycles, skew, count) == 0


@pytest.mark.parametrize(("cycles", "skew"), [(4, -0.04), (4, 0.025), (6, -0.04), (6, 0.035),
                                              (12, -0.045), (12, 0.045)])
def test_the_widest_deviation_that_was_measured(cycles, skew):
    """Of docs/link.md. A fast sender needs the stop bit to be over as soon as it was seen."""
    assert lost_to_device(cycles, skew, 100) == 0


def test_what_counts_lost_bytes_finds_some():
    assert lost_to_device(12, 0.06, 100) > 50
    assert lost_from_device(12, -0.08, 100) > 50


def test_the_line_passes_two_flip_flops():
    """By the cycle in which a byte is there, counted from the edge of its start bit."""
    receiver = UartReceiver(8)
    found = []

    async def drive(ctx):
        await ctx.tick().repeat(5)
        ctx.set(receiver.rx, 0)
        cycles, valid = 0, 0
        while not valid:
            _, _, valid = await ctx.tick().sample(receiver.o.valid)
            cycles += 1
            if cycles == 8:
                ctx.set(receiver.rx, 1)
        found.append(cycles)

    simulate(receiver, drive)
    # Two flip-flops, the state that sees the edge, 3 cycles to the middle of 8, then 9 bits; the
    # byte is registered, and seen by the next edge.
    assert found == [2 + 1 + 3 + 9 * 8 + 1]


def test_the_transmitter_takes_a_byte_after_the_stop_bit():
    transmitter = UartTransmitter(4)
    line, log = [], []

    async def listen(ctx):
        async for _, _, level in ctx.tick().sample(transmitter.tx):
            line.append(level)

    async def work(ctx):
        await source(transmitter.i, [0x55, 0x55], log=log)(ctx)
        await ctx.tick().repeat(50)

    simulate(transmitter, work, background=[listen])
    assert log == [0, 41]  # ten bits of four cycles, and the one in which the byte is taken
    byte = [level for level in (0, 1, 0, 1, 0, 1, 0, 1, 0, 1) for _ in range(4)]
    assert line[1:82] == [*byte, 1, *byte]


def test_a_loop_back():
    receiver, transmitter = UartReceiver(20), UartTransmitter(21)
    m = Module()
    m.submodules.receiver, m.submodules.transmitter = receiver, transmitter
    m.d.comb += receiver.rx.eq(transmitter.tx)
    sent = [*range(0, 256, 13)]
    received = []

    async def listen(ctx):
        while len(received) < len(sent):
            _, _, valid, byte, error = await ctx.tick().sample(
                receiver.o.valid, receiver.o.payload, receiver.error)
            assert not error
            if valid:
                received.append(byte)

    simulate(m, source(transmitter.i, sent), listen)
    assert received == sent


def test_a_glitch_is_no_byte_and_a_break_one_error():
    receiver = UartReceiver(16)
    events = []

    async def drive(ctx):
        for level, cycles in ((1, 20), (0, 3), (1, 300), (0, 500), (1, 50)):
            ctx.set(receiver.rx, level)
            await ctx.tick().repeat(cycles)

    async def listen(ctx):
        while True:
            _, _, valid, error = await ctx.tick().sample(receiver.o.valid, receiver.error)
            events.extend(["byte"] * valid + ["error"] * error)

    simulate(receiver, drive, background=[listen])
    assert events == ["error"]


@pytest.mark.parametrize("end", [UartReceiver, UartTransmitter])
@pytest.mark.parametrize(("cycles", "error", "message"), [
    (1, ValueError, "Cycles of a bit must be at least 4, not 1"),
    (3, ValueError, "Cycles of a bit must be at least 4, not 3"),
    (4.0, TypeError, "Cycles of a bit must be an integer, not 4.0"),
    (True, TypeError, "Cycles of a bit must be an integer, not True"),
    ("8", TypeError, "Cycles of a bit must be an integer, not '8'"),
])
def test_bits_that_there_are_not(end, cycles, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        end(cycles)


@pytest.mark.parametrize("baud", [5e6, 2.2e6, 0, -1e6, float("nan"), float("inf")])
def test_baud_rates_that_the_clock_cannot_make(baud):
    message = ("Baud rate must be a fraction of the clock of 1.2e+07 Hz, at most a quarter and "
               f"within 2 %, not {baud:g}")
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        divisor(12e6, baud)


@pytest.mark.parametrize(("baud", "cycles"), [(3e6, 4), (2.4e6, 5), (1e6, 12), (115_200, 104)])
def test_baud_rates_that_the_clock_can_make(baud, cycles):
    assert divisor(12e6, baud) == cycles
