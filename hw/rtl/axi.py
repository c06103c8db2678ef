"""The network behind AXI4-Stream names."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.result import result_bytes

__all__ = ["AxiIp"]


class AxiIp(wiring.Component):
    """:class:`Ip` behind AXI4-Stream names, a whole result in one beat.

    ``tvalid`` never waits for ``tready``, and holds with ``tdata`` until taken. The clock is
    ``clk``, the synchronous reset, active high, is ``rst``.

    Parameters
    ----------
    network : ir.Network
    plan : Plan

    Members
    -------
    s_axis_tdata : ``In(8 * layout.beat_bytes)``
    s_axis_tvalid : ``In(1)``
    s_axis_tready : ``Out(1)``
    s_axis_tlast : ``In(1)``
        Samples; ``tlast`` goes with the last beat of a sample.
    m_axis_tdata : ``Out(8 * layout.result_bytes)``
    m_axis_tvalid : ``Out(1)``
    m_axis_tready : ``In(1)``
    m_axis_tlast : ``Out(1)``
        Results; ``tlast`` is always 1.
    s_load_axis_tdata : ``In(8)``
    s_load_axis_tvalid : ``In(1)``
    s_load_axis_tready : ``Out(1)``
    s_load_axis_tlast : ``In(1)``
        Only if something can be written: bytes of an image of :class:`hw.contents.Contents`,
        ``tlast`` with the last. Always ready. After a reset, and after a byte with ``tlast``, the
        next byte is the first of an image. Samples that are inside while an image is written get
        any scores.
    sample_error : ``Out(1)``
        A sample was malformed and is dropped; 1 for one cycle.

    Attributes
    ----------
    ip : Ip
    layout, latency, interval
        As of :class:`Ip`.
    """

    def __init__(self, network, plan):
        self.ip = Ip(network, plan)
        self.layout = self.ip.layout
        self.latency, self.interval = self.ip.latency, self.ip.interval
        loads = {"s_load_axis_tdata": In(8), "s_load_axis_tvalid": In(1),
                 "s_load_axis_tready": Out(1), "s_load_axis_tlast": In(1)}
        super().__init__({
            "s_axis_tdata": In(8 * self.layout.beat_bytes),
            "s_axis_tvalid": In(1),
            "s_axis_tready": Out(1),
            "s_axis_tlast": In(1),
            "m_axis_tdata": Out(8 * self.layout.result_bytes),
            "m_axis_tvalid": Out(1),
            "m_axis_tready": In(1),
            "m_axis_tlast": Out(1),
            "sample_error": Out(1),
            **(loads if self.ip.tables else {}),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.ip = ip = self.ip
        m.d.comb += [
            ip.i.payload.data.eq(self.s_axis_tdata),
            ip.i.payload.last.eq(self.s_axis_tlast),
            ip.i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(ip.i.ready),
            self.m_axis_tdata.eq(result_bytes(ip.o.payload, self.layout)),
            self.m_axis_tvalid.eq(ip.o.valid),
            self.m_axis_tlast.eq(1),
            ip.o.ready.eq(self.m_axis_tready),
            self.sample_error.eq(ip.error),
        ]
        if self.ip.tables:
            first = Signal(init=1)
            m.d.comb += [
                ip.load.payload.data.eq(self.s_load_axis_tdata),
                ip.load.payload.first.eq(first),
                ip.load.valid.eq(self.s_load_axis_tvalid),
                self.s_load_axis_tready.eq(ip.load.ready),
            ]
            with m.If(self.s_load_axis_tvalid & self.s_load_axis_tready):
                m.d.sync += first.eq(self.s_load_axis_tlast)
        return m
