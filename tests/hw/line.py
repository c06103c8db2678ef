"""A host at the serial line of a device, in Amaranth's simulator."""

from bitwright.hw.link.protocol import Parser, encode_reply
from tests.hw.streams import PERIOD, simulate

__all__ = ["CYCLES", "TIMEOUT", "converse", "levels"]

CYCLES = 4
"""Of a bit."""

TIMEOUT = 25 * CYCLES
"""Cycles of silence that end an unfinished packet."""


def levels(packet):
    """Levels of the line, one a bit."""
    return [level for byte in packet for level in (0, *(byte >> i & 1 for i in range(8)), 1)]


def converse(top, script, *, bit=CYCLES, cycles=400_000, background=()):
    """Run ``script(drive, answer)`` against the device's line.

    ``await drive(levels)`` sends, ``await answer()`` returns the replies once nothing more comes.
    ``background`` runs beside it, ``bit`` is the length of a bit of the host in clock cycles.
    """
    received = []
    bit *= PERIOD

    async def listen(ctx):
        while True:
            await ctx.negedge(top.tx)
            await ctx.delay(0.5 * bit)
            byte = 0
            for index in range(9):
                await ctx.delay(bit)
                byte |= ctx.get(top.tx) << index
            assert byte >> 8, "the reply had no stop bit"
            received.append(byte & 0xFF)

    async def talk(ctx):
        async def drive(line):
            for level in line:
                ctx.set(top.rx, level)
                await ctx.delay(bit)
            ctx.set(top.rx, 1)

        async def answer(patience=2 * TIMEOUT):
            count, waited = len(received), 0
            while waited < patience:
                await ctx.delay(10 * bit)
                waited = 0 if len(received) > count else waited + 10 * bit / PERIOD
                count = len(received)
            replies = Parser().feed(bytes(received))
            assert sum(len(encode_reply(reply)) for reply in replies) == len(received)
            received.clear()
            return replies

        await script(drive, answer)

    simulate(top, talk, background=[listen, *background], cycles=cycles)
