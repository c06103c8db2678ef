"""What the block has at its ports, however a network lies between them."""

from amaranth.hdl import Cat
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, flipped

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.contents import writable_tables
from bitwright.hw.limits import check_widths
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.parts.store import fill, load_signature
from bitwright.hw.rtl.result import result_layout

__all__ = ["Block"]


class Block(wiring.Component):
    """Beats of samples in, results out, and bytes of an image for what can be written.

    A subclass calls :meth:`_read` first in its constructor, and ``super().__init__`` with the beat
    that it takes.

    Parameters
    ----------
    network : ir.Network
    beat : StructLayout
        Of ``i``.

    Members
    -------
    i : ``In(stream.Signature(beat))``
    o : ``Out(stream.Signature(result_layout(network)))``
    error : ``Out(1)``
    load : ``In(load_signature())``
        Only if the plan lets a node be written.

    Attributes
    ----------
    layout : Layout
        Bytes of both sides, in plain Python.
    tables : tuple of Table
        What can be written, in the order of the image.
    """

    def __init__(self, network, beat):
        members = {"i": In(stream.Signature(beat)),
                   "o": Out(stream.Signature(result_layout(network))), "error": Out(1)}
        if self.tables:
            members["load"] = In(load_signature())
        super().__init__(members)

    def _read(self, network, plan):
        """Look at what is to be built.

        Raises
        ------
        WidthError
            If the network is wider than Amaranth's signals can be.
        """
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        check_widths(network, plan)
        self._written = writable_tables(network, plan)
        self.tables = tuple(table for found in self._written.values() for table in found)
        self.layout = plan.layout(network)

    def _take(self, m, taker):
        """Hand the features of each beat to a component, without what fills up their bytes."""
        size, bits = 8 * self.layout.feature_bytes, self.layout.bits
        m.d.comb += [
            taker.i.payload.data.eq(Cat(self.i.payload.data[lane * size :][:bits]
                                        for lane in range(self.layout.lanes))),
            taker.i.payload.last.eq(self.i.payload.last),
            taker.i.valid.eq(self.i.valid), self.i.ready.eq(taker.i.ready),
            self.error.eq(taker.error),
        ]

    def _fill(self, m, writes):
        """Put what is loaded where it belongs, by load ports of each node."""
        if self.tables:
            fill(m, flipped(self.load), self.tables,
                 [ports for name in self._written for ports in writes[name]])
