"""What is simulated at each level: from a network to Verilog text and a harness around it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bitwright import ir
from bitwright.files import new_folder
from bitwright.hw.flow import synth
from bitwright.hw.flow.cache import digest, sources_digest
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.layout import Layout
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.tapped import Tap, Tapped
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
        Verilog, the top module being ``top``.
    latency, interval : int
        In cycles, as of the component.
    taps : tuple of Tap
        Of a tapped design.
    cycles, timeout : int
        Of a serial design, in clock cycles: a bit, and the silence that ends a frame.
    """

    text: str
    latency: int
    interval: int
    taps: tuple[Tap, ...] = ()
    cycles: int = 0
    timeout: int = 0


def rtl(network: ir.Network, plan: Plan, cache: Path) -> Generated:
    """The network behind AXI4-Stream ports, :class:`hw.rtl.axi.AxiIp`.

    Raises
    ------
    ToolError
        If there is no Yosys, which writes the Verilog.
    """
    return _generated(["rtl", ir.digest(network), plan.digest], cache,
                      lambda: AxiIp(network, plan))


def tapped(network: ir.Network, plan: Plan, cache: Path) -> Generated:
    """The same as :class:`Tapped`. Raises as :func:`rtl` does."""
    return _generated(["tapped", ir.digest(network), plan.digest], cache,
                      lambda: Tapped(network, plan))


def serial(network: ir.Network, plan: Plan, cache: Path, *, clock_hz: float,
           baud: float, frozen: ir.Network) -> Generated:
    """The network behind a serial line, :class:`hw.link.serial_top.SerialTop`.

    Raises as :func:`rtl` does.
    """
    key = ["serial", ir.digest(network), ir.digest(frozen), plan.digest, clock_hz, baud]
    return _generated(key, cache, lambda: SerialTop(network, plan, clock_hz=clock_hz, baud=baud,
                                                    frozen=frozen))


def serial_design(text: str, *, waves: bool, fast: bool) -> Design:
    """The harness with a serial line around a design."""
    return Design("harness", (HERE / "serial.sv",), {"top.sv": text}, waves=waves, fast=fast,
                  defines=("WAVES",) if waves else ())


def netlist(text: str, family: str, cache: Path) -> Path:
    """Synthesise the module ``top`` for a family, and return the netlist as a Verilog file.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    folder = cache / f"netlist-{digest([text, family, sources_digest()])[:20]}"
    if not folder.exists():
        with new_folder(folder) as scratch:
            synth.netlist(text, "top", family, scratch)
    return folder / "netlist.v"


def stream_design(layout: Layout, source: str | Path, *, models: synth.CellModels | None = None,
                  taps: Sequence[Tap] = (), waves: bool = False, fast: bool = False) -> Design:
    """The packet harness around an AXI4-Stream design.

    Parameters
    ----------
    layout : Layout
    source : str or Path
        Verilog text, or the file of a netlist.
    models : CellModels, optional
        Of the cells of a netlist.
    taps : sequence of Tap
        Of a design that has some.
    waves, fast : bool
        See :class:`sim.simulator.Design`.
    """
    parameters = {"IN_WIDTH": 8 * layout.beat_bytes, "OUT_WIDTH": 8 * layout.result_bytes,
                  "BEATS": layout.beats}
    defines = ["WAVES"] if waves else []
    if taps:
        defines.append("TAPS")
        parameters |= {"TAPS": len(taps), "TAP_WIDTH": sum(tap.width for tap in taps)}
    sources, includes = [HERE / "stream.sv"], []
    if models is not None:
        sources += models.sources
        includes += map(str, models.include_dirs)
        defines += [f"{name}={value}" if value else name for name, value in models.defines.items()]
    text = source if isinstance(source, str) else source.read_text()
    return Design("harness", tuple(sources), {"top.sv": text}, parameters, tuple(defines),
                  tuple(includes), waves, fast)


def _generated(key: list[object], cache: Path,
               component: Callable[[], AxiIp | SerialTop | Tapped]) -> Generated:
    """A component as text, from the cache if it is there."""
    key = [*key, sources_digest(), Path(__file__).read_text()]
    folder = cache / f"verilog-{digest(key)[:20]}"
    if not folder.exists():
        with new_folder(folder) as scratch:
            made = component()
            (scratch / "top.sv").write_text(to_verilog(made, "top"))
            facts = {"latency": made.latency, "interval": made.interval}
            if isinstance(made, Tapped):
                facts["taps"] = [vars(tap) for tap in made.taps]
            if isinstance(made, SerialTop):
                facts |= {"cycles": made.cycles, "timeout": made.timeout}
            (scratch / "facts.json").write_text(json.dumps(facts))
    facts = json.loads((folder / "facts.json").read_text())
    taps = tuple(Tap(**tap) for tap in facts.pop("taps", ()))
    return Generated((folder / "top.sv").read_text(), **facts, taps=taps)
