"""The network with a serial link: what goes on a board."""

from dataclasses import replace

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright.hw.layout import Layout
from bitwright.hw.limits import check_link
from bitwright.hw.link.flash import flash_signature
from bitwright.hw.link.link import QUEUE, Link
from bitwright.hw.link.protocol import IDENTITY_BYTES, OVERHEAD, Identity
from bitwright.hw.plan import LARGE, VIDEO, PlanError
from bitwright.hw.rate import divisor
from bitwright.hw.rtl.axi import AxiIp

__all__ = ["SerialTop"]


class SerialTop(wiring.Component):
    """A network behind a serial line. Knows nothing of any board.

    Parameters
    ----------
    network : ir.Network
    plan : Plan
    clock_hz : float
        Frequency of the ``sync`` domain.
    baud : float
        Bits a second of the line.
    timeout_s : float, optional
        Silence that ends an unfinished packet. None: longer than all replies that can be owed
        take, for simulations in which time passes only while there is something to do.
    frozen : ir.Network, optional
        The network as it was frozen, if ``network`` is another form of it: the one whose digest
        the device tells.
    instance : callable, optional
        Is given the :class:`hw.rtl.axi.AxiIp` and a signal, and returns the component with the same
        ports that goes on the board in its place: an instance of its text, say. While the signal is
        1 it is in reset.
    flash : bool
        Whether the contents come from the board's flash first, see :mod:`hw.link.record`. Until
        then there are none.

    Members
    -------
    rx : ``In(1)``
    tx : ``Out(1)``
        The line, as seen from the device.
    flash : ``Out(flash_signature())``
        Wires to the flash. Only where contents come from one.

    Attributes
    ----------
    axi : AxiIp
    link : Link
    layout, latency, interval
        As of :class:`hw.rtl.axi.AxiIp`.
    identity : Identity
        What the device says about itself.
    cycles, timeout : int
        Clock cycles of a bit, and of the silence that ends an unfinished packet.

    Raises
    ------
    ValueError
        If the clock cannot make the baud rate, the timeout is shorter than two bytes, or the
        frozen network has other features or scores.
    PlanError
        If the plan wants video, or there is a flash and nothing that can be written.
    WidthError
        If a sample or a result is too long for a packet of the link; and as
        :class:`hw.rtl.axi.AxiIp` does.
    """

    def __init__(self, network, plan, clock_hz, baud, timeout_s=0.02, frozen=None,
                 instance=lambda axi, restart: ResetInserter(restart)(axi), flash=False):
        self.cycles = divisor(clock_hz, baud)
        timeout = None if timeout_s is None else round(timeout_s * clock_hz)
        if timeout is not None and timeout < 20 * self.cycles:
            raise ValueError(f"Timeout must be at least two bytes, {20 * self.cycles / clock_hz:g} "
                             f"s, not {timeout_s:g} s")
        check_link(Layout.of(network))
        if plan.input == VIDEO:
            raise PlanError("Plan key 'input' must be 'samples' behind a serial line, which "
                            "carries no video; a build with --stop-after verilog makes the block "
                            "alone")
        self.axi = AxiIp(network, plan)
        self._restart = Signal()
        self._instance = instance(self.axi, self._restart)
        self.layout = self.axi.layout
        self.latency, self.interval = self.axi.latency, self.axi.interval
        frozen = network if frozen is None else frozen
        form = plan.layout(frozen)
        if form != self.layout:
            raise ValueError(f"Frozen network must have the form {self.layout}, not {form}")
        self.identity = Identity.of(frozen, plan)
        if flash and not self.identity.size:
            raise PlanError("Plan must have a node whose contents can be written (writable = true "
                            "in its table) where contents come from a flash")
        if flash:
            self.identity = replace(self.identity, complete=False)
        # From the first byte of a sample that is handed over, with as many samples as can be owed
        # before it.
        sent = self.layout.copies * self.layout.sample_bytes
        patience = 4 * sent + self.latency + QUEUE * self.interval
        reply = OVERHEAD + max(IDENTITY_BYTES, self.layout.result_bytes)
        self.timeout = (5 * patience + (QUEUE + 1) * reply * 11 * self.cycles if timeout is None
                        else timeout)
        self.link = Link(self.layout, self.identity, cycles=self.cycles, timeout=self.timeout,
                         patience=2 * patience, flash_hz=clock_hz if flash else None,
                         large=plan.request == LARGE)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1),
                          **({"flash": Out(flash_signature())} if flash else {})})

    def elaborate(self, platform):
        m = Module()
        m.submodules.axi = axi = self._instance
        m.submodules.link = link = self.link
        m.d.comb += [
            axi.s_axis_tdata.eq(link.beats.payload.data),
            axi.s_axis_tlast.eq(link.beats.payload.last),
            axi.s_axis_tvalid.eq(link.beats.valid),
            link.beats.ready.eq(axi.s_axis_tready),
            link.results.payload.data.eq(axi.m_axis_tdata),
            link.results.payload.last.eq(axi.m_axis_tlast),
            link.results.valid.eq(axi.m_axis_tvalid),
            axi.m_axis_tready.eq(link.results.ready),
            link.sample_error.eq(axi.sample_error),
            self._restart.eq(link.restart),
            link.rx.eq(self.rx),
            self.tx.eq(link.tx),
        ]
        if link.writable:
            m.d.comb += [
                axi.s_load_axis_tdata.eq(link.load.payload.data),
                axi.s_load_axis_tlast.eq(link.load.payload.last),
                axi.s_load_axis_tvalid.eq(link.load.valid),
                link.load.ready.eq(axi.s_load_axis_tready),
            ]
        if "flash" in self.signature.members:
            connect(m, link.flash, flipped(self.flash))
        return m
