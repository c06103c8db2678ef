"""The network behind AXI4-Stream names."""

from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitwright.hw.interface import Interface
from bitwright.hw.plan import VIDEO
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.pixels.ip import PixelIp, by_pixels
from bitwright.hw.rtl.result import result_bytes

__all__ = ["AxiIp"]


class AxiIp(wiring.Component):
    """:class:`Ip` or :class:`PixelIp` behind AXI4-Stream names, results in beats as planned.

    ``tvalid`` never waits for ``tready``, and holds with ``tdata`` until taken. All beats of a
    result are there with the first: none waits for anything but ``tready``. Clock and reset are
    those of the domain; the text names them, see :func:`hw.flow.verilog.to_verilog`.

    Of samples there is no ``tkeep``, since their length is known: every beat but the last is taken
    whole, and of the last the bytes behind the last feature are ignored, whatever they are.

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
        Samples; ``tlast`` goes with the last beat of a sample. Of video: of a line.
    s_axis_tuser : ``In(1)``
        Only of video: goes with the first beat of a picture.
    m_axis_tdata : ``Out(8 * layout.result_beat_bytes)``
    m_axis_tkeep : ``Out(layout.result_beat_bytes)``
    m_axis_tvalid : ``Out(1)``
    m_axis_tready : ``In(1)``
    m_axis_tlast : ``Out(1)``
        Results; ``tlast`` goes with the last beat of one. ``tkeep`` tells which of its bytes count,
        those of all other beats do; it is only there if ``layout.result_keep``.
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
    ip : Ip or PixelIp
        The latter where pictures go into the network pixel by pixel, see :func:`by_pixels`.
    layout, latency, interval
        As of :class:`Ip`.
    """

    def __init__(self, network, plan):
        self.ip = (PixelIp if by_pixels(network, plan) else Ip)(network, plan)
        self._video = plan.input == VIDEO
        self.layout = self.ip.layout
        self.latency, self.interval = self.ip.latency, self.ip.interval
        keeps = {"m_axis_tkeep": Out(self.layout.result_beat_bytes)}
        loads = {"s_load_axis_tdata": In(8), "s_load_axis_tvalid": In(1),
                 "s_load_axis_tready": Out(1), "s_load_axis_tlast": In(1)}
        super().__init__({
            "s_axis_tdata": In(8 * self.layout.beat_bytes),
            "s_axis_tvalid": In(1),
            "s_axis_tready": Out(1),
            "s_axis_tlast": In(1),
            **({"s_axis_tuser": In(1)} if self._video else {}),
            "m_axis_tdata": Out(8 * self.layout.result_beat_bytes),
            **(keeps if self.layout.result_keep else {}),
            "m_axis_tvalid": Out(1),
            "m_axis_tready": In(1),
            "m_axis_tlast": Out(1),
            "sample_error": Out(1),
            **(loads if self.ip.tables else {}),
        })

    def interface(self, naming):
        """What a design around the block must know of it, if it has those names.

        Parameters
        ----------
        naming : Naming
        """
        contents = sum(len(table.image) for table in self.ip.tables)
        return Interface(naming, self.layout, contents, self.latency, self.interval,
                         self.ip.video)

    def elaborate(self, platform):
        m = Module()
        m.submodules.ip = ip = self.ip
        m.d.comb += [
            ip.i.payload.data.eq(self.s_axis_tdata),
            ip.i.payload.last.eq(self.s_axis_tlast),
            ip.i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(ip.i.ready),
            self.m_axis_tvalid.eq(ip.o.valid),
            ip.o.ready.eq(self.m_axis_tready & self.m_axis_tlast),
            self.sample_error.eq(ip.error),
        ]
        if self._video:
            m.d.comb += ip.i.payload.start.eq(self.s_axis_tuser)
        self._results(m, result_bytes(ip.o.payload, self.layout))
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

    def _results(self, m, whole):
        """Cut a result, which stays until its last beat is taken, into beats."""
        layout = self.layout
        place = Signal(range(layout.result_beats))
        width = 8 * layout.result_beat_bytes
        beats = Array(whole[start : start + width] for start in range(0, len(whole), width))
        m.d.comb += [self.m_axis_tdata.eq(beats[place]),
                     self.m_axis_tlast.eq(place == layout.result_beats - 1)]
        if layout.result_beats > 1:
            with m.If(self.m_axis_tvalid & self.m_axis_tready):
                m.d.sync += place.eq(Mux(self.m_axis_tlast, 0, place + 1))
        if layout.result_keep:
            full, last = layout.result_beat_bytes, layout.last_beat_bytes
            m.d.comb += self.m_axis_tkeep.eq(
                Mux(self.m_axis_tlast, Const((1 << last) - 1, full), Const((1 << full) - 1, full)))
