"""Asynchronous serial line: one start bit, eight data bits from the lowest, one stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import cdc, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.rate import FEWEST_CYCLES

__all__ = ["UartReceiver", "UartTransmitter", "check_cycles"]


def check_cycles(cycles):
    """Refuse what is no length of a bit.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If there are fewer than :data:`FEWEST_CYCLES`.
    """
    if type(cycles) is not int:
        raise TypeError(f"Cycles of a bit must be an integer, not {cycles!r}")
    if cycles < FEWEST_CYCLES:
        raise ValueError(f"Cycles of a bit must be at least {FEWEST_CYCLES}, not {cycles}")


class UartReceiver(wiring.Component):
    """Receiving end. A byte is sampled in the middle of its bits.

    The stop bit is over as soon as it was seen, so that half a bit is left to a sender that is
    faster and sends its bytes back to back.

    Parameters
    ----------
    cycles : int
        Clock cycles of a bit, at least :data:`FEWEST_CYCLES`.

    Members
    -------
    rx : ``In(1)``
        The line, of any phase; idle is 1. It passes two flip-flops first.
    o : ``Out(stream.Signature(8, always_ready=True))``
        Bytes. There is no waiting: what is not looked at is gone.
    error : ``Out(1)``
        A byte had no stop bit; 1 for one cycle, in its place. Nothing more is received until the
        line is idle again, so a break is one error.

    Raises
    ------
    TypeError, ValueError
        As :func:`check_cycles` does.
    """

    def __init__(self, cycles):
        check_cycles(cycles)
        self._cycles = cycles
        super().__init__({
            "rx": In(1, init=1),
            "o": Out(stream.Signature(8, always_ready=True)),
            "error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        rx = Signal(init=1)
        m.submodules.synchroniser = cdc.FFSynchronizer(self.rx, rx, init=1)
        timer = Signal(range(self._cycles))
        count = Signal(range(10))
        bits = Signal(8)
        m.d.comb += self.o.payload.eq(bits)
        m.d.sync += [self.o.valid.eq(0), self.error.eq(0), timer.eq(timer - 1)]
        with m.FSM():
            with m.State("IDLE"):
                # The edge came up to a cycle before it is seen: an even number of cycles has its
                # middle half a cycle earlier.
                m.d.sync += [timer.eq((self._cycles - 1) // 2 - 1), count.eq(0)]
                with m.If(~rx):
                    m.next = "BYTE"
            with m.State("BYTE"), m.If(timer == 0):
                m.d.sync += [timer.eq(self._cycles - 1), count.eq(count + 1)]
                with m.If((count == 0) & rx):
                    m.next = "IDLE"  # a glitch, not a start bit
                with m.Elif(count == 9):
                    m.d.sync += [self.o.valid.eq(rx), self.error.eq(~rx)]
                    m.next = "BREAK"
                    with m.If(rx):
                        m.next = "IDLE"
                with m.Else():
                    m.d.sync += bits.eq(Cat(bits[1:], rx))
            with m.State("BREAK"), m.If(rx):
                m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Sending end.

    Parameters
    ----------
    cycles : int
        Clock cycles of a bit, at least :data:`FEWEST_CYCLES`.

    Members
    -------
    i : ``In(stream.Signature(8))``
        Bytes; the next is taken when the stop bit of the last is over.
    tx : ``Out(1)``
        The line; idle is 1.

    Raises
    ------
    TypeError, ValueError
        As :func:`check_cycles` does.
    """

    def __init__(self, cycles):
        check_cycles(cycles)
        self._cycles = cycles
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self._cycles))
        # The bit on the line is bit 0; a mark above the stop bit shows when all are sent.
        bits = Signal(11, init=1)
        idle = bits == 1
        m.d.comb += [self.tx.eq(bits[0]), self.i.ready.eq(idle)]
        with m.If(idle):
            m.d.sync += timer.eq(self._cycles - 1)
            with m.If(self.i.valid):
                m.d.sync += bits.eq(Cat(Const(0, 1), self.i.payload, Const(0b11, 2)))
        with m.Elif(timer == 0):
            m.d.sync += [timer.eq(self._cycles - 1), bits.eq(bits >> 1)]
        with m.Else():
            m.d.sync += timer.eq(timer - 1)
        return m
