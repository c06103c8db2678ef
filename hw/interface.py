"""The delivered block as a design around it sees it: names, ports, bytes and cycles.

Plain Python: whatever is written beside the block (wrappers, descriptions, headers) is made of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bitwright.hw.layout import Layout
from bitwright.hw.naming import Naming

__all__ = ["FOLDER", "Bus", "Interface", "Port", "Video"]

FOLDER = "ip"
"""Folder of the block in a build folder."""

_SIGNALS = ("tdata", "tkeep", "tvalid", "tready", "tlast", "tuser")


@dataclass(frozen=True)
class Port:
    """A port of the block.

    Parameters
    ----------
    name : str
    direction : str
        ``"input"`` or ``"output"``, as the block sees it.
    width : int
        In bits.
    meaning : str
        For people.
    bus, signal : str
        Stream that it belongs to, and what it is of that, such as ``"tdata"``; empty for others.
    """

    name: str
    direction: str
    width: int
    meaning: str
    bus: str = ""
    signal: str = ""


@dataclass(frozen=True)
class Bus:
    """An AXI4-Stream of the block.

    Parameters
    ----------
    name : str
        What its ports begin with.
    role : str
        ``"slave"``, which takes beats, or ``"master"``, which gives them.
    data_bytes : int
        Of ``tdata``.
    keep : bool
        Whether there is a ``tkeep``.
    meaning : str
        For people.
    user : bool
        Whether there is a ``tuser``.
    last : str
        What ``tlast`` says.
    """

    name: str
    role: str
    data_bytes: int
    keep: bool
    meaning: str
    user: bool = False
    last: str = "the beat is the last"

    @property
    def ports(self) -> tuple[Port, ...]:
        """Those of the stream, in a fixed order."""
        widths = {"tdata": 8 * self.data_bytes, "tkeep": self.data_bytes}
        meanings = {"tdata": self.meaning, "tkeep": "which bytes of the beat count",
                    "tvalid": "there is a beat", "tready": "a beat would be taken",
                    "tlast": self.last, "tuser": "the beat is the first of a picture"}
        forward = "output" if self.role == "master" else "input"
        backward = "input" if self.role == "master" else "output"
        return tuple(
            Port(f"{self.name}_{signal}", backward if signal == "tready" else forward,
                 widths.get(signal, 1), meanings[signal], self.name, signal)
            for signal in _SIGNALS if {"tkeep": self.keep, "tuser": self.user}.get(signal, True))


@dataclass(frozen=True)
class Video:
    """Pictures as a block of video takes them, line by line.

    Parameters
    ----------
    height, width : int
        Lines, and pixels of each.
    line_beats : int
        Beats of a line.
    """

    height: int
    width: int
    line_beats: int


@dataclass(frozen=True)
class Interface:
    """All that a design around the block must know of it.

    Parameters
    ----------
    naming : Naming
        Module, clock and reset.
    layout : Layout
        Bytes of samples and results.
    contents_bytes : int
        Of an image of all that can be written; 0 where nothing can be.
    latency : int
        Cycles from the first beat of a sample to the first beat of its result, when the beats
        follow each other and nothing stalls.
    interval : int
        Cycles from the first beat of a sample to the first beat of the next at full speed.
    video : Video, optional
        Of a block whose samples are AXI4-Stream video.
    """

    naming: Naming
    layout: Layout
    contents_bytes: int
    latency: int
    interval: int
    video: Video | None = None

    @property
    def file(self) -> str:
        """Name of the file with the block's text, in :data:`FOLDER`."""
        return f"{self.naming.module}.v"

    @property
    def last_beats(self) -> int:
        """Beats of samples from one ``tlast`` to the next."""
        return self.layout.beats if self.video is None else self.video.line_beats

    @property
    def picture_beats(self) -> int:
        """Beats of samples from one ``tuser`` to the next, where there is one."""
        return self.layout.beats // self.layout.copies

    @property
    def buses(self) -> tuple[Bus, ...]:
        """Streams, samples first."""
        layout = self.layout
        streams = [
            Bus("s_axis", "slave", layout.beat_bytes, False,
                f"samples: {layout.lanes} features in a beat, lane 0 lowest",
                *(() if self.video is None else (True, "the beat is the last of a line"))),
            Bus("m_axis", "master", layout.result_beat_bytes, layout.result_keep,
                "results: the class, then the scores")]
        if self.contents_bytes:
            streams.append(Bus("s_load_axis", "slave", 1, False, "bytes of the contents to write"))
        return tuple(streams)

    @property
    def ports(self) -> tuple[Port, ...]:
        """Every port of the module, clock and reset first."""
        naming = self.naming
        active = "low" if naming.active_low else "high"
        return (Port(naming.clock, "input", 1, "clock; its rising edge counts"),
                Port(naming.reset, "input", 1, f"reset, active {active}, synchronous to the clock"),
                *(port for bus in self.buses for port in bus.ports),
                Port("sample_error", "output", 1,
                     "a sample was malformed and is dropped; 1 for one cycle"))

    @property
    def attributes(self) -> dict[str, dict[str, str]]:
        """Attributes of the ports that Vivado's IP integrator infers its interfaces from."""
        naming = self.naming
        polarity = f"ACTIVE_{'LOW' if naming.active_low else 'HIGH'}"
        buses = ":".join(bus.name for bus in self.buses)
        found = {
            naming.clock: {
                "X_INTERFACE_INFO": f"xilinx.com:signal:clock:1.0 {naming.clock} CLK",
                "X_INTERFACE_PARAMETER": f"ASSOCIATED_BUSIF {buses}, "
                                         f"ASSOCIATED_RESET {naming.reset}"},
            naming.reset: {
                "X_INTERFACE_INFO": f"xilinx.com:signal:reset:1.0 {naming.reset} RST",
                "X_INTERFACE_PARAMETER": f"POLARITY {polarity}"}}
        for bus in self.buses:
            for port in bus.ports:
                found[port.name] = {"X_INTERFACE_INFO": f"xilinx.com:interface:axis:1.0 {bus.name} "
                                                        f"{port.signal.upper()}"}
        return found

    def to_json(self) -> dict[str, Any]:
        """The section ``interface`` of report.json."""
        naming, layout = self.naming, self.layout
        return {
            "module": naming.module,
            "file": f"{FOLDER}/{self.file}",
            "clock": {"port": naming.clock, "edge": "rising"},
            "reset": {"port": naming.reset, "active": "low" if naming.active_low else "high",
                      "synchronous": True},
            "ports": [asdict(port) for port in self.ports],
            "streams": [asdict(bus) for bus in self.buses],
            "sample": {
                "bytes": layout.sample_bytes, "beats": layout.beats,
                "beat_bytes": layout.beat_bytes, "lanes": layout.lanes, "byte_order": "little",
                "features": {"count": layout.features, "bits": layout.bits,
                             "bytes": layout.feature_bytes, "signed": layout.signed}},
            "result": {
                "bytes": layout.result_bytes, "beats": layout.result_beats,
                "beat_bytes": layout.result_beat_bytes,
                "last_beat_bytes": layout.last_beat_bytes, "byte_order": "little",
                "class": {"offset": 0, "bytes": layout.decision_bytes, "signed": False},
                "scores": {"offset": layout.decision_bytes, "count": layout.classes,
                           "bytes": layout.score_bytes, "signed": True}},
            "video": None if self.video is None else asdict(self.video),
            "contents_bytes": self.contents_bytes,
            "latency_cycles": self.latency,
            "interval_cycles": self.interval,
        }
