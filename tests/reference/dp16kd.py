"""Block RAM of the ECP5, bit by bit, as the vendor's memory usage guide tells it."""

from dataclasses import dataclass, field

__all__ = ["BlockRam", "Port"]

BYTE = 9
"""Bits of a byte, of which ports narrower than it reach the first eight."""


@dataclass
class Port:
    """Settings of a port, and what it holds.

    Parameters
    ----------
    width : int
        Bits that it reads and writes.
    mode : str
        What it shows of a write: NORMAL, WRITETHROUGH or READBEFOREWRITE.
    registered : bool
        Whether there is an output register.
    select : int
        What its three chip selects must be.
    """

    width: int
    mode: str = "NORMAL"
    registered: bool = False
    select: int = 0
    latch: int = 0
    register: int = 0
    held: bool = False

    @property
    def shown(self) -> int:
        return self.register if self.registered else self.latch

    def bits(self, address: int) -> list[int]:
        """Which bits of the memory an address means."""
        if self.width >= BYTE:
            units = self.width // BYTE
            first = (address >> 3) // units * units * BYTE
            return [first + bit for bit in range(self.width)]
        byte, place = address >> 3, address & 7
        place -= place % self.width
        return [byte * BYTE + place + bit for bit in range(self.width)]

    def enabled(self, address: int) -> list[bool]:
        """Which of those a write changes."""
        if self.width <= BYTE:
            return [True] * self.width
        return [bool(address >> bit // BYTE & 1) for bit in range(self.width)]


@dataclass
class BlockRam:
    """The memory with two ports.

    Parameters
    ----------
    a, b : Port
        If port ``a`` is 36 bits wide it only writes, and ``b`` only reads.
    asynchronous : bool
        Whether resets are, in mode and release.
    release : bool
        Whether the release of an asynchronous reset is asynchronous too.
    rows : list of int
        The 64 values of 320 bits that it starts with.
    """

    a: Port
    b: Port
    asynchronous: bool = False
    release: bool = False
    rows: list[int] = field(default_factory=lambda: [0] * 64)

    def __post_init__(self) -> None:
        self.memory = [row >> 20 * word + bit & 1
                       for row in self.rows for word in range(16) for bit in range(18)]

    @property
    def pseudo(self) -> bool:
        return self.a.width == 36

    def reset(self, a: bool, b: bool) -> None:
        """Tell the levels of both resets, which matters if they are asynchronous."""
        for port, level in ((self.a, a), (self.b, b)):
            if self.asynchronous and level:
                port.latch = port.register = 0
                port.held = True

    def clock(self, edges: dict[str, dict[str, int]]) -> None:
        """Rising edges of one clock, or of both at once.

        Parameters
        ----------
        edges : dict
            By port, "a" and "b": its inputs address, data, ce, oce, we, rst and cs.
        """
        before = list(self.memory)
        for name, pins in edges.items():
            self._edge(getattr(self, name), name, pins, before)

    def _edge(self, port: Port, name: str, pins: dict[str, int], before: list[int]) -> None:
        cleared = bool(pins["rst"])
        on = pins["ce"] and pins["cs"] == port.select
        bits = port.bits(pins["address"])
        write = on and (self.pseudo or pins["we"]) and not (self.pseudo and name == "b")
        if not self.asynchronous and cleared:
            write = False
        old = sum(before[bit] << place for place, bit in enumerate(bits))
        new = old
        if write:
            for place, (bit, enabled) in enumerate(zip(bits, port.enabled(pins["address"]),
                                                       strict=True)):
                if enabled:
                    self.memory[bit] = pins["data"] >> place & 1
                    new = new & ~(1 << place) | (pins["data"] >> place & 1) << place
        if self.asynchronous and not cleared:
            cleared = port.held and not self.release
            port.held = False
        if cleared:
            port.latch = port.register = 0
            return
        if pins["oce"]:
            port.register = port.latch
        if on and not (self.pseudo and name == "a"):
            if not write:
                port.latch = old
            elif port.mode != "NORMAL":
                port.latch = new if port.mode == "WRITETHROUGH" else old

    def outputs(self) -> tuple[int, int]:
        """The 18 pins of each port's output."""
        if self.pseudo:
            if self.b.width == 36:
                return self.b.shown & 0x3FFFF, self.b.shown >> 18
            return self.b.shown & 0x3FFFF, self.b.shown
        return self.a.shown, self.b.shown
