"""What a device tells about itself, where a part of it changes."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.link.protocol import DIGEST_BYTES, IDENTITY_BYTES
from bitwright.hw.rtl.parts.store import read_later
from bitwright.hw.rtl.realisation import Memory

__all__ = ["IdentityMemory"]

_DIGEST = 1 + DIGEST_BYTES
_COMPLETE = _DIGEST + DIGEST_BYTES
"""Places of the digest of the contents, and of the byte that tells whether they are complete."""


class IdentityMemory(wiring.Component):
    """An identity in a memory, byte by byte, whose digest can be written.

    A block RAM, for a multiplexer of its bytes takes two hundred LUTs. Like the contents, what is
    written outlives a reset.

    Parameters
    ----------
    identity : Identity
        As it is at first.

    Members
    -------
    place : ``In(range(IDENTITY_BYTES))``
        Of a byte; 0 before an identity begins.
    byte : ``Out(8)``
        The byte at the place that was there in the cycle before.
    complete : ``In(1)``
        Whether the contents are complete. An identity tells what was so as it began: were they
        loaded meanwhile, its digest would be that of no network.
    write : ``In(1)``
    target : ``In(range(DIGEST_BYTES))``
    data : ``In(8)``
        A byte of the digest.
    """

    memory = Memory(8, IDENTITY_BYTES, True, style="block")

    def __init__(self, identity):
        self._text = identity.to_bytes()
        super().__init__({"place": In(range(IDENTITY_BYTES)), "byte": Out(8), "complete": In(1),
                          "write": In(1), "target": In(range(DIGEST_BYTES)), "data": In(8)})

    def elaborate(self, platform):
        m = Module()
        fixed = [*self._text]
        fixed[_COMPLETE] = 0
        m.submodules.memory = store = memory.Memory(
            shape=self.memory.width, depth=self.memory.depth, init=fixed,
            attrs={"no_rw_check": 1, "ram_style": self.memory.style})
        port = store.write_port()
        told, mark = Signal(), Signal()
        with m.If(self.place == 0):
            m.d.sync += told.eq(self.complete)
        m.d.sync += mark.eq(told & (self.place == _COMPLETE))
        m.d.comb += [port.en.eq(self.write), port.data.eq(self.data),
                     port.addr.eq(Const(_DIGEST, len(self.place)) + self.target),
                     self.byte.eq(read_later(m, store, self.place, "answer") | mark)]
        return m
