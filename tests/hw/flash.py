"""A flash at four wires, in Amaranth's simulator."""

from bitwright.hw.link.record import OFFSET

__all__ = ["Flash"]


class Flash:
    """A W25Q128 as far as a reader needs it: asleep at first, as an iCE40 leaves it.

    Parameters
    ----------
    record : bytes
        What lies at the offset. All else is erased.
    pins : flash_signature
    wakes : int
        Clock cycles from the end of the command until it is awake.
    """

    def __init__(self, record, pins, wakes=30):
        self.record = record
        self.reads = 0
        self._pins, self._wakes = pins, wakes
        self._awake, self._now = None, 0

    @property
    def processes(self):
        """For the background of a simulation."""
        return [self._run, self._count]

    async def _count(self, ctx):
        async for _ in ctx.tick():
            self._now += 1

    async def _run(self, ctx):
        """React to the wires at once."""
        pins = self._pins
        ctx.set(pins.cipo, 1)
        received, before = [], 0
        async for clk, cs in ctx.changed(pins.clk, pins.cs):
            if not cs:
                if self._bytes(received) == [0xAB]:
                    self._awake = self._now + self._wakes
                received = []
            elif clk and not before:
                received.append(ctx.get(pins.copi))
                self.reads += self._reading(received) and len(received) == 32
            elif before and not clk:
                ctx.set(pins.cipo, self._sent(received))
            before = clk

    def _bytes(self, received):
        return [int("".join(map(str, received[at : at + 8])), 2)
                for at in range(0, len(received), 8)]

    def _reading(self, received):
        return (self._awake is not None and self._now >= self._awake
                and self._bytes(received[:8]) == [0x03])

    def _sent(self, received):
        """The bit behind all that was received."""
        if len(received) < 32 or not self._reading(received):
            return 1
        address = int("".join(map(str, received[8:32])), 2)
        place, bit = divmod(len(received) - 32, 8)
        place += address - OFFSET
        byte = self.record[place] if 0 <= place < len(self.record) else 0xFF
        return byte >> 7 - bit & 1
