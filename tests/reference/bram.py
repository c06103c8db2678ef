"""A block RAM with two ports, bit by bit."""

from dataclasses import dataclass, field

__all__ = ["BlockRam", "Port"]


@dataclass
class Port:
    """Settings of a port, and what it holds.

    Parameters
    ----------
    width : int
        Bits that it reads and writes.
    mode : int
        What it shows of a write: 0 nothing, 1 the new bits, 2 the old ones.
    registered : bool
        Whether there is an output register.
    """

    width: int
    mode: int = 0
    registered: bool = False
    latch: int = 0
    register: int = 0

    @property
    def shown(self) -> int:
        return self.register if self.registered else self.latch


@dataclass
class BlockRam:
    """The memory.

    Parameters
    ----------
    byte : int
        Bits of a byte, of which ports narrower than it reach the first eight.
    a, b : Port
    contents : int
        What it starts with, the first bit lowest.
    gated : bool
        Whether a reset needs the port's enable.
    """

    byte: int
    a: Port
    b: Port
    contents: int = 0
    gated: bool = False
    memory: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.memory = [self.contents >> bit & 1 for bit in range(2048 * self.byte)]

    def _bits(self, width: int, address: int) -> list[int]:
        if width < self.byte:
            place = address & 7
            return [self.byte * (address >> 3) + place - place % width + bit
                    for bit in range(width)]
        units = width // self.byte
        return [self.byte * (address >> 3) // width * width + bit for bit in range(width)] \
            if units == 1 else [(address >> 3) // units * width + bit for bit in range(width)]

    def touched(self, port: Port, address: int) -> set[int]:
        """Bits of the memory that an address means."""
        return set(self._bits(port.width, address))

    def clock(self, edges: dict[str, dict[str, int]]) -> None:
        """Rising edges of one clock, or of both at once.

        Parameters
        ----------
        edges : dict
            By port, "a" and "b": its inputs address, data, enable, write, reset and advance. The
            lowest bits of the address enable bytes where a port has several.
        """
        before = list(self.memory)
        for name, pins in edges.items():
            port = getattr(self, name)
            bits = self._bits(port.width, pins["address"])
            old = new = sum(before[bit] << place for place, bit in enumerate(bits))
            write = pins["enable"] and pins["write"]
            for place, bit in enumerate(bits):
                enabled = port.width <= self.byte or pins["address"] >> place // self.byte & 1
                if write and enabled:
                    value = pins["data"] >> place & 1
                    self.memory[bit] = value
                    new = new & ~(1 << place) | value << place
            if pins["reset"] and (pins["enable"] or not self.gated):
                port.latch = port.register = 0
                continue
            if pins["advance"]:
                port.register = port.latch
            if pins["enable"] and not (write and port.mode == 0):
                port.latch = new if port.mode == 1 else old
