"""A module of LiteX around the block."""

from __future__ import annotations

from bitwright.hw.interface import Interface
from bitwright.hw.ip.text import fill

__all__ = ["wrapper"]

_TEXT = '''\
"""@name@ as a module of LiteX.

    self.network = @class@(platform)
    self.network.add_csr()      # or connect its streams: source.connect(self.network.sink)
"""

from pathlib import Path

from litex.gen import LiteXModule
from litex.soc.interconnect import stream
from litex.soc.interconnect.csr import CSRField, CSRStatus, CSRStorage
from migen import ClockSignal, If, Instance, ResetSignal, Signal

BEATS = @beats@
"""Beats of a sample."""

PICTURE, LINE = @picture@, @line@
"""Beats from one `first` to the next, and from one `last` to the next."""


class @class@(LiteXModule):
    """The network of @name@.v.

    sink: beats of samples, `data` of @width@ bits; @marks@.
    source: beats of results, `data` of @result_width@ bits@keep_text@; `last` with the last of one.
    error: a sample was malformed and is dropped, for one cycle.
@load_text@
    What the bytes mean is in @name@.h. The clock and the reset are those of the domain "sys".
    """

    def __init__(self, platform):
        self.sink = sink = stream.Endpoint([("data", @width@)])
        self.source = source = stream.Endpoint([("data", @result_width@)@keep_field@])
        self.error = Signal()
@load_stream@        self.specials += Instance(
            "@name@",
@links@
        )
        platform.add_source(str(Path(__file__).resolve().parent / "@name@.v"), language="verilog")

    def add_csr(self):
        """Put both streams on registers, for a processor that moves every beat by itself.

        Wait for status.ready, write `beat`: @beats@ times a sample. Wait for status.valid, read
        `result`, write `take`: @result_beats@ time(s) a result.
        """
        self.beat = CSRStorage(@width@, description="Writing it sends a beat of a sample.")
        self.status = CSRStatus(fields=[
            CSRField("ready", description="A beat can be written."),
            CSRField("valid", description="`result` holds a beat of a result."),
            CSRField("last", description="It is the last one of the result."),
            CSRField("errors", size=8, offset=8, description="Samples refused, modulo 256."),
        ])
        self.result = CSRStatus(@result_width@, description="The beat of a result that waits.")
        self.take = CSRStorage(1, description="Writing it takes that beat.")

        position, place = Signal(max=max(2, PICTURE)), Signal(max=max(2, LINE))
        self.comb += [
            self.sink.data.eq(self.beat.storage),
            self.sink.first.eq(position == 0),
            self.sink.last.eq(place == LINE - 1),
            self.status.fields.ready.eq(~self.sink.valid),
            self.status.fields.valid.eq(self.source.valid),
            self.status.fields.last.eq(self.source.last),
            self.result.status.eq(self.source.data),
            self.source.ready.eq(self.take.re),
        ]
        pending = Signal()
        self.comb += self.sink.valid.eq(pending)
        self.sync += [
            If(self.beat.re, pending.eq(1)).Elif(self.sink.ready, pending.eq(0)),
            If(pending & self.sink.ready,
               If(position == PICTURE - 1, position.eq(0)).Else(position.eq(position + 1)),
               If(place == LINE - 1, place.eq(0)).Else(place.eq(place + 1))),
            If(self.error, self.status.fields.errors.eq(self.status.fields.errors + 1)),
        ]
'''

_LOAD_TEXT = "    load: bytes of an image of contents, `last` with the last.\n"
_LOAD_STREAM = '        self.load = stream.Endpoint([("data", 8)])\n'


_FIELDS = {"tuser": "first"}
"""What LiteX calls a signal of a stream, where it does not call it as AXI does."""

_SAMPLE = "`last` with the last beat of a sample"
_VIDEO = """`first` with the first beat of a
        picture, `last` with the last one of each line"""


def wrapper(interface: Interface) -> str:
    """The file ``NAME_litex.py``."""
    naming = interface.naming
    driven = {naming.clock: 'ClockSignal("sys")',
              naming.reset: ("~" if naming.active_low else "") + 'ResetSignal("sys")',
              "sample_error": "self.error"}
    for bus in interface.buses:
        end = {"s_axis": "sink", "m_axis": "source"}.get(bus.name, "self.load")
        driven |= {port.name: f"{end}.{_FIELDS.get(port.signal, port.signal.removeprefix('t'))}"
                   for port in bus.ports}
    links = "\n".join(f"            {port.direction[0]}_{port.name}={driven[port.name]},"
                      for port in interface.ports)
    layout, size = interface.layout, interface.layout.result_beat_bytes
    keeps, loads = layout.result_keep, interface.contents_bytes > 0
    return fill(
        _TEXT, name=naming.module, width=8 * layout.beat_bytes, beats=layout.beats, links=links,
        result_beats=layout.result_beats, result_width=8 * size,
        **{"class": class_name(naming.module)},
        picture=interface.picture_beats, line=interface.last_beats,
        marks=_VIDEO if interface.video else _SAMPLE,
        keep_text=f", `keep` of {size}" if keeps else "",
        keep_field=f', ("keep", {size})' if keeps else "",
        load_text=_LOAD_TEXT if loads else "", load_stream=_LOAD_STREAM if loads else "")


def class_name(module: str) -> str:
    """Name of the module in Python's style for classes."""
    return "".join(part[:1].upper() + part[1:] for part in module.split("_")) or "Network"
