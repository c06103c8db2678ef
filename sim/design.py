"""What is simulated at each level: from a network to Verilog text and a harness around it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bitwright import ir
from bitwright.files import new_folder
from bitwright.hw.flow import synth
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.interface import Video
from bitwright.hw.layout import Layout
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.naming import TOP, Naming
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.tapped import Tap, Tapped
from bitwright.sim import cells, keys
from bitwright.sim.placed import Placed
from bitwright.sim.simulator import Design

__all__ = ["Generated", "netlist", "rtl", "serial", "serial_design",
           "stream_design", "tapped"]

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Generated:
    """A design as text, and what its bench must know of it.

    Parameters
    ----------
    text : str
        Verilog.
    latency, interval : int
        In cycles, as of the component.
    taps : tuple of Tap
        Of a tapped design.
    cycles, timeout : int
        Of a serial design, in clock cycles: a bit, and the silence that ends a packet.
    """

    text: str
    latency: int
    interval: int
    taps: tuple[Tap, ...] = ()
    cycles: int = 0
    timeout: int = 0


def rtl(network: ir.Network, plan: Plan, cache: Path, naming: Naming = TOP) -> Generated:
    """The network behind AXI4-Stream ports, :class:`hw.rtl.axi.AxiIp`, as a build delivers it.

    Raises
    ------
    ToolError
        If there is no Yosys, which writes the Verilog, or it fails.
    """
    return _generated(["rtl", ir.digest(network), plan.digest, vars(naming)], cache,
                      lambda: AxiIp(network, plan), naming)


def tapped(network: ir.Network, plan: Plan, cache: Path, naming: Naming = TOP) -> Generated:
    """The same as :class:`Tapped`. Raises as :func:`rtl` does."""
    return _generated(["tapped", ir.digest(network), plan.digest, vars(naming)], cache,
                      lambda: Tapped(network, plan), naming)


def serial(network: ir.Network, plan: Plan, cache: Path, *, clock_hz: float,
           baud: float, frozen: ir.Network) -> Generated:
    """The network behind a serial line, :class:`hw.link.serial_top.SerialTop`.

    Raises as :func:`rtl` does.
    """
    key = ["serial", ir.digest(network), ir.digest(frozen), plan.digest, clock_hz, baud]
    return _generated(key, cache, lambda: SerialTop(network, plan, clock_hz=clock_hz, baud=baud,
                                                    frozen=frozen))


def serial_design(text: str, *, placed: Placed | None = None, waves: bool = False,
                  fast: bool = False) -> Design:
    """The harness with a serial line around a design.

    Parameters
    ----------
    text : str
        Verilog.
    placed : Placed, optional
        What there is to know of it if it is the netlist of a build.
    waves, fast : bool
        See :class:`sim.simulator.Design`.
    """
    if placed is None:
        return _design("serial.v", text, {}, [], None, waves=waves, fast=fast)
    macros = [f"MODULE={placed.module}",
              *(f"{role.upper()}_PIN={pin}" for role, pin in placed.pins.items())]
    return _design("serial.v", text, placed.clocking.parameters, macros, placed.models,
                   waves=waves, fast=fast)


def netlist(text: str, module: str, family: str, cache: Path) -> str:
    """Synthesise a module for a family, and return the netlist as Verilog.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    folder = cache / f"netlist-{keys.digest(text, module, family, keys.yosys(), keys.sources())}"
    if not folder.exists():
        with new_folder(folder) as scratch:
            synth.netlist(text, module, family, scratch)
    return (folder / "netlist.v").read_text(encoding="utf-8")


def stream_design(layout: Layout, text: str, naming: Naming = TOP, *,
                  models: synth.CellModels | None = None, taps: Sequence[Tap] = (),
                  writable: bool = False, image: bytes = b"", video: Video | None = None,
                  waves: bool = False, fast: bool = False) -> Design:
    """The packet harness around an AXI4-Stream design.

    Parameters
    ----------
    layout : Layout
    text : str
        Verilog.
    naming : Naming
        Of the design.
    models : CellModels, optional
        Of the cells of a netlist.
    taps : sequence of Tap
        Of a design that has some.
    writable : bool
        Whether the design has ports for contents.
    image : bytes
        Contents that it does not bring along: how many bytes they are matters here.
    video : Video, optional
        Of a design that takes video.
    waves, fast : bool
        See :class:`sim.simulator.Design`.
    """
    parameters = {"IN_WIDTH": 8 * layout.beat_bytes, "OUT_WIDTH": 8 * layout.result_beat_bytes,
                  "BEATS": layout.beats, "OUT_BEATS": layout.result_beats,
                  "OUT_LAST": layout.last_beat_bytes}
    defines = [f"MODULE={naming.module}"]
    if naming.active_low:
        defines.append("ARESETN")
    if layout.result_keep:
        defines.append("KEEP")
    if taps:
        defines.append("TAPS")
        parameters |= {"TAPS": len(taps), "TAP_WIDTH": sum(tap.width for tap in taps)}
    if writable:
        defines.append("LOAD")
        parameters["IMAGE"] = len(image)
    if video is not None:
        defines.append("VIDEO")
        parameters |= {"LINE": video.line_beats, "PICTURE": layout.beats // layout.copies}
    return _design("stream.v", text, parameters, defines, models, waves=waves, fast=fast)


def _design(harness: str, text: str, parameters: Mapping[str, int], defines: Sequence[str],
            models: synth.CellModels | None, *, waves: bool, fast: bool) -> Design:
    """A harness around a design, with the models of its cells if it is a netlist.

    Raises
    ------
    CellError
        If a cell has no behaviour.
    """
    texts, macros = {"top.v": text}, list(defines)
    if waves:
        macros.append("WAVES")
    if models is not None:
        texts["cells.v"] = cells.library(text, models.sources, models.include_dirs)
        macros += [f"{name}={value}" if value else name
                   for name, value in models.defines.items()]
    return Design("harness", (HERE / harness,), texts, parameters, tuple(macros), waves, fast)


def _generated(key: list[object], cache: Path,
               component: Callable[[], AxiIp | SerialTop | Tapped],
               naming: Naming = TOP) -> Generated:
    """A component as text, from the cache if it is there."""
    folder = cache / f"verilog-{keys.digest(key, keys.yosys(), keys.sources())}"
    if not folder.exists():
        with new_folder(folder) as scratch:
            made = component()
            interface = made.interface(naming) if isinstance(made, AxiIp) else None
            (scratch / "top.v").write_text(to_verilog(made, naming, interface=interface),
                                           encoding="utf-8")
            facts = {"latency": made.latency, "interval": made.interval}
            if isinstance(made, Tapped):
                facts["taps"] = [vars(tap) for tap in made.taps]
            if isinstance(made, SerialTop):
                facts |= {"cycles": made.cycles, "timeout": made.timeout}
            (scratch / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    taps = tuple(Tap(**tap) for tap in facts.pop("taps", ()))
    return Generated((folder / "top.v").read_text(encoding="utf-8"), **facts, taps=taps)
