"""First stage: the network as a block for any design, in a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bitwright import ir
from bitwright.hw.contents import as_built
from bitwright.hw.flow.lint import waivers
from bitwright.hw.flow.toolchain import Tool
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.interface import FOLDER
from bitwright.hw.naming import Naming
from bitwright.hw.plan import FOLDED, Plan
from bitwright.hw.report.figures import network_size
from bitwright.hw.report.results import Cycles, Generated
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.layers import foldable

__all__ = ["Generate"]


@dataclass(frozen=True)
class Generate:
    """Write ``ip/MODULE.v``, the network behind its ports, ``ip/MODULE.vlt``, and ``plan.toml``.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
    simplify : bool
        Whether it is simplified first.
    naming : Naming
    yosys : Tool
    amaranth : str
        Its version.
    """

    name: ClassVar[str] = "verilog"
    Result: ClassVar[type[Generated]] = Generated

    network: ir.Network
    plan: Plan
    simplify: bool
    naming: Naming
    yosys: Tool
    amaranth: str

    def run(self, folder: Path, logs: Path) -> Generated:
        """See :class:`hw.flow.cache.Stage`."""
        network = as_built(self.network, self.plan, simplify=self.simplify)
        component = AxiIp(network, self.plan)
        interface = component.interface(self.naming)
        text = to_verilog(component, self.naming, interface=interface, yosys=self.yosys,
                          log=logs / "verilog.log")
        (folder / FOLDER).mkdir()
        (folder / FOLDER / interface.file).write_text(text, encoding="utf-8")
        (folder / FOLDER / f"{self.naming.module}.vlt").write_text(waivers(interface),
                                                                   encoding="utf-8")
        (folder / "plan.toml").write_text(self.plan.to_toml(), encoding="utf-8")
        ip = component.ip
        return Generated(
            before=network_size(self.network), after=network_size(network),
            cycles=Cycles(encoder=ip.encoder.latency, core=ip.core.latency, head=ip.head.latency,
                          ip=ip.latency, core_interval=network.frames * ip.frame_interval,
                          ip_interval=ip.interval),
            foldable=any(foldable(entry.node)
                         and self.plan.way(entry.name) != FOLDED
                         for entry in self.network.entries),
            interface=interface, works=ip.works)
